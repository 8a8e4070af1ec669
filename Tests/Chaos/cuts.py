"""Connections that are cut: at every kind of byte of the wire, in every way, whoever connects."""
import threading

import accounts
from proxy import Cut

# The kinds of bytes of a stream before its goodbye: message, part, and among how many of its kind one is chosen. FRAME's payload is
# the image: the programs send no metadata. "between" is before the first byte of a message.
PLACES = {
    "hello-prefix": ("hello", "prefix", 1), "hello-header": ("hello", "header", 1), "hello-payload": ("hello", "payload", 1),
    "welcome-prefix": ("welcome", "prefix", 1), "welcome-header": ("welcome", "header", 1), "welcome-payload": ("welcome", "payload", 1),
    "frame-between": ("frame", "prefix", 100), "frame-prefix": ("frame", "prefix", 100), "frame-header": ("frame", "header", 100),
    "frame-image": ("frame", "payload", 100),
    "ack-between": ("ack", "prefix", 100), "ack-prefix": ("ack", "prefix", 100), "ack-header": ("ack", "header", 100),
    "ping-prefix": ("ping", "prefix", 6), "ping-header": ("ping", "header", 6),
    "pong-prefix": ("pong", "prefix", 6), "pong-header": ("pong", "header", 6),
}
GOODBYES = {
    "bye-between": ("bye", "prefix"), "bye-prefix": ("bye", "prefix"), "bye-header": ("bye", "header"), "bye-payload": ("bye", "payload"),
    "bye-ack-between": ("bye-ack", "prefix"), "bye-ack-prefix": ("bye-ack", "prefix"), "bye-ack-header": ("bye-ack", "header"),
}
COUNT = 150


def _cut(trial, way, place, kind, part, among=1):
    fraction = 0 if place.endswith("between") else trial.random.uniform(0.05, 0.99)
    return trial.chose(Cut(way, kind, part, fraction, trial.random.randint(1, among)))


def file(trial, way, place):
    """A file to a listening receiver: one cut, and every picture is there once."""
    cut = _cut(trial, way, place, *PLACES[place])
    receiver = trial.receiver()
    port = receiver.port()
    before = accounts.Holding(receiver)
    proxy = trial.proxy(port, cut)
    sender = trial.program("frame-send", "--input", trial.clip(COUNT), "--rate", 75, "--to", f"127.0.0.1:{proxy.port}")
    accounts.status(trial, sender, 0)
    trial.check("the fault happened", cut.done.is_set())
    before.came_back(trial, "receiver")
    accounts.file_is_whole(trial, sender, receiver, COUNT)


def one_place(trial, way):
    """A receiver with one place: a sender that comes back takes the place of its connection that hangs."""
    cut = _cut(trial, way, "frame-image", *PLACES["frame-image"])
    receiver = trial.receiver("--maximum-connections", 1)
    proxy = trial.proxy(receiver.port(), cut)
    sender = trial.program("frame-send", "--input", trial.clip(COUNT), "--rate", 75, "--to", f"127.0.0.1:{proxy.port}")
    accounts.status(trial, sender, 0)
    trial.check("the fault happened", cut.done.is_set())
    accounts.file_is_whole(trial, sender, receiver, COUNT)


def listening(trial, way, place):
    """The same from a sender that listens, whose receiver connects."""
    cut = _cut(trial, way, place, *PLACES[place])
    if cut.kind in ("ping", "pong") and way not in ("fin", "rst"):
        # A receiver whose sender has answered no PING yet does not take its silence for an end, and here nobody else ends it.
        cut.count = trial.random.randint(10, 14)
    # A receiver whose WELCOME a proxy swallows, and which stays connected, counts as one that says nothing. It is not known to be the
    # same when it comes again, and the sender waits for the first in vain.
    stranger = place.startswith("welcome") and way not in ("fin", "rst")
    sender = trial.program(
        "frame-send", "--input", trial.clip(COUNT), "--rate", 75, "--listen", "127.0.0.1:0", "--give-up-after", 5 if stranger else 90)
    proxy = trial.proxy(sender.port(), cut)
    receiver = trial.program("frame-receive", "--from", f"127.0.0.1:{proxy.port}", "--record", "out.mjpg", "--once")
    accounts.status(trial, receiver, 0)
    accounts.status(trial, sender, 0)
    trial.check("the fault happened", cut.done.is_set())
    numbers = accounts.on_disk(trial)
    if stranger:
        trial.check("every picture from the second connection on", numbers == list(range(numbers[0], COUNT + 1)), f"{numbers[:3]}")
        # What was in flight to it, and what waited for it.
        trial.check("few are missing", numbers[0] <= 16, f"{numbers[0]}")
    else:
        accounts.exact(trial, numbers, COUNT)
    accounts.sums(trial, sender)
    accounts.acknowledged_is_on_disk(trial, sender, receiver, numbers)


def goodbye(trial, way, place):
    """A goodbye that is cut: every picture was acknowledged before it."""
    cut = _cut(trial, way, place, *GOODBYES[place])
    receiver = trial.receiver("--once", "--return-within", 3)
    proxy = trial.proxy(receiver.port(), cut)
    sender = trial.program("frame-send", "--input", trial.clip(40), "--rate", 75, "--to", f"127.0.0.1:{proxy.port}")
    # Without the BYE the receiver cannot know that this was the end, and the sender does not come back.
    accounts.status(trial, sender, 0)
    accounts.status(trial, receiver, 0 if place.startswith("bye-ack") else 1)
    trial.check("the fault happened", cut.done.is_set())
    numbers = accounts.on_disk(trial)
    accounts.exact(trial, numbers, 40)
    accounts.sums(trial, sender)
    accounts.acknowledged_is_on_disk(trial, sender, receiver, numbers)


def text(trial, way):
    """The text handshake, which has no sessions: each connection is a stream, and one picture may come twice at each break."""
    receiver = trial.receiver()
    port = receiver.port()
    before = accounts.Holding(receiver)
    proxy = trial.proxy(port)
    sender = trial.program(
        "frame-send", "--input", trial.clip(COUNT), "--rate", 50, "--handshake", "text", "--to", f"127.0.0.1:{proxy.port}")
    for count in range(1, 4):
        receiver.saw("recording_started", count=count)
        # Anywhere in a picture, or between two: the fault's place.
        threading.Event().wait(trial.random.uniform(0.05, 0.4))
        proxy.break_all(way)
    accounts.status(trial, sender, 0)
    before.came_back(trial, "receiver")
    trial.check("receiver ends with status 0", receiver.stop() == 0, receiver.complaints())
    numbers = accounts.on_disk(trial)
    accounts.at_least(trial, numbers, COUNT, 3)
    trial.check("in order", numbers == sorted(numbers))
    summary = accounts.sums(trial, sender)
    trial.check("every picture was acknowledged", summary.get("acknowledged") == COUNT, f"{summary.get('acknowledged')}")
