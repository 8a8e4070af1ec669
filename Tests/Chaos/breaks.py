"""Faults of a link that is there and does not work: live streams that are cut, silence, programs that are frozen, a cable out."""
import os
import signal
import subprocess
import threading

import accounts
from live import stream
from programs import until
from proxy import Cut


def _pause(seconds):
    """The fault's own length: nothing happens meanwhile, and that is the fault."""
    threading.Event().wait(seconds)


def arrived(receiver, more=1):
    """Waits until so many more pictures have been consumed than its last line of progress says."""
    wanted = receiver.total("frames") + more
    until(f"{wanted} pictures at {receiver.name}", lambda: receiver.total("frames") >= wanted)


def live_cuts(trial, way):
    """A live stream that is cut again and again, at random bytes of random messages."""
    receiver = trial.receiver()
    proxy = trial.proxy(receiver.port())
    source, sender = stream(trial, "--to", f"127.0.0.1:{proxy.port}")
    arrived(receiver, 50)
    holding = accounts.Holding(receiver), accounts.Holding(sender)
    for _ in range(2 if way in ("silence", "half-open", "stall") else 6):
        kind, part = trial.random.choice((("frame", "prefix"), ("frame", "header"), ("frame", "payload"), ("ack", "header")))
        cut = trial.chose(Cut(way, kind, part, trial.random.random(), trial.random.randint(1, 60)))
        connected = len(sender.all("connected"))
        proxy.add(cut)
        until(f"the fault {cut}", cut.done.is_set)
        sender.saw("connected", count=connected + 1)
        arrived(receiver, 30)
    for one, who in zip(holding, ("receiver", "sender")):
        one.came_back(trial, who)
    source.stop()
    accounts.live_ascends(trial, sender, receiver)


def _file_through(trial, fault, count, rate, resumes):
    """A file of which some has arrived, a fault, and the rest of the file."""
    receiver = trial.receiver()
    port = receiver.port()
    before = accounts.Holding(receiver)
    proxy = trial.proxy(port)
    sender = trial.program("frame-send", "--input", trial.clip(count), "--rate", rate, "--to", f"127.0.0.1:{proxy.port}")
    arrived(receiver, 10)
    holding = accounts.Holding(sender)
    connections = proxy.connections
    fault(receiver, sender, proxy)
    arrived(receiver, 10)
    holding.came_back(trial, "sender")
    if resumes is not None:
        trial.check("the connection stayed" if resumes else "a connection was made anew", (proxy.connections == connections) == resumes)
    accounts.status(trial, sender, 0)
    before.came_back(trial, "receiver")
    accounts.file_is_whole(trial, sender, receiver, count)


def silent(trial, seconds):
    """A link that carries nothing for a while: a short pause keeps the connection, a long one costs it and nothing else."""
    def fault(receiver, sender, proxy):
        proxy.hold(True)
        _pause(seconds)
        proxy.hold(False)
    # 10 s are less than the 13 s after which a peer counts as gone, but on a busy machine too near to them to tell.
    _file_through(trial, fault, 400, 60, {1: True, 60: False}.get(seconds))


def crumbs(trial):
    """Every message comes in pieces of a few bytes, and some are joined: nothing depends on where TCP cuts."""
    receiver = trial.receiver()
    proxy = trial.proxy(receiver.port(), slices=lambda: trial.random.choice((1, 2, 3, 7, 50)))
    sender = trial.program(
        "frame-send", "--input", trial.clip(60, largest=3_000), "--pace", "max", "--to", f"127.0.0.1:{proxy.port}")
    accounts.status(trial, sender, 0)
    accounts.file_is_whole(trial, sender, receiver, 60)


def frozen(trial, who, seconds):
    """An end that is stopped and goes on."""
    def fault(receiver, sender, proxy):
        program = {"receiver": receiver, "sender": sender}[who]
        trial.afterwards(lambda: program.process.poll() is None and program.signal(signal.SIGCONT))
        program.signal(signal.SIGSTOP)
        _pause(seconds)
        program.signal(signal.SIGCONT)
    _file_through(trial, fault, 400, 60, True if seconds < 5 else None)


def frozen_of_two(trial, policy):
    """One of two receivers is frozen: with latest the other goes on, with reliable it waits; neither loses a picture of a file."""
    first, second = trial.receiver(record="one.mjpg"), trial.receiver(record="two.mjpg")
    trial.afterwards(lambda: second.process.poll() is None and second.signal(signal.SIGCONT))
    to = ["--to", f"127.0.0.1:{first.port()}", "--to", f"127.0.0.1:{second.port()}"]
    if policy == "latest":
        source, sender = stream(trial, *to)
    else:
        sender = trial.program("frame-send", "--input", trial.clip(300), "--rate", 100, *to)
    arrived(first, 20)
    arrived(second, 20)
    second.signal(signal.SIGSTOP)
    if policy == "latest":
        arrived(first, 150)
    else:
        sender.saw("stalled")
    second.signal(signal.SIGCONT)
    if policy == "latest":
        arrived(second, 20)
        source.stop()
    accounts.status(trial, sender, 0)
    accounts.sums(trial, sender)
    for receiver, name in ((first, "one.mjpg"), (second, "two.mjpg")):
        trial.check("receiver ends with status 0", receiver.stop() == 0, receiver.complaints())
        numbers = accounts.on_disk(trial, name)
        accounts.ascending(trial, numbers) if policy == "latest" else accounts.exact(trial, numbers, 300)


def cable(trial, seconds):
    """The cable between two network namespaces is out for a while: no FIN, no RST, no answer."""
    def ip(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)
    tag = f"{os.getpid() % 10_000}{seconds}{trial.seed % 100}"
    space, here, there = f"chaos-{tag}", f"ca{tag}", f"cb{tag}"
    net = f"10.{trial.random.randint(1, 250)}.{trial.random.randint(1, 250)}"
    ip("netns", "add", space)
    trial.afterwards(lambda: ip("netns", "del", space))
    ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", space)
    ip("addr", "add", f"{net}.1/24", "dev", here)
    ip("link", "set", here, "up")
    ip("-n", space, "addr", "add", f"{net}.2/24", "dev", there)
    ip("-n", space, "link", "set", there, "up")
    receiver = trial.receiver("--insecure", listen=f"{net}.1:0")
    port = receiver.port()
    before = accounts.Holding(receiver)
    sender = trial.program(
        "frame-send", "--input", trial.clip(400), "--rate", 60, "--to", f"{net}.1:{port}", before=("ip", "netns", "exec", space))
    arrived(receiver, 10)
    holding = accounts.Holding(sender)
    ip("link", "set", here, "down") if trial.random.random() < 0.5 else ip("-n", space, "link", "set", there, "down")
    _pause(seconds)
    ip("link", "set", here, "up")
    ip("-n", space, "link", "set", there, "up")
    arrived(receiver, 10)
    holding.came_back(trial, "sender")
    accounts.status(trial, sender, 0)
    before.came_back(trial, "receiver")
    accounts.file_is_whole(trial, sender, receiver, 400)
