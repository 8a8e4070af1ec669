"""Programs that are killed and started again, at either end."""
import signal
import threading

import accounts
from breaks import arrived
from live import stream
from pictures import recorded, recordings

COUNT = 300
# Frames in flight under reliable (Docs/Reliability.md): what may come twice, or have been written and not acknowledged.
WINDOW = 4


def _moment(trial):
    """The fault's own place: anywhere between two lines of progress."""
    threading.Event().wait(trial.random.random())


def receiver(trial, times=1):
    """The receiver of a file is killed and started again: nothing is missing, and what was under way may come twice."""
    port = trial.port()
    current = trial.receiver(listen=f"127.0.0.1:{port}")
    current.port()
    count = COUNT * times
    sender = trial.program("frame-send", "--input", trial.clip(count), "--rate", 60, "--to", f"127.0.0.1:{port}")
    arrived(current, 5)
    holding = accounts.Holding(sender)
    for _ in range(times):
        size = trial.chose(trial.random.randint(1, 40))
        arrived(current, size)
        _moment(trial)
        current.kill()
        current = trial.receiver(listen=f"127.0.0.1:{port}")
        arrived(current, 10)
    holding.came_back(trial, "sender")
    accounts.status(trial, sender, 0)
    trial.check("receiver ends with status 0", current.stop() == 0, current.complaints())
    accounts.at_least(trial, accounts.on_disk(trial, torn=True), count, WINDOW * times)
    for path in recordings(trial.path("out.mjpg")):
        numbers, _ = recorded(path)
        trial.check("each recording is in order, without a gap", numbers == list(range(numbers[0], numbers[0] + len(numbers))), f"{path}")
    summary = accounts.sums(trial, sender)
    trial.check("every picture was acknowledged", summary.get("acknowledged") == count, f"{summary.get('acknowledged')}")


def receiver_stopped(trial):
    """The receiver of a file is stopped by SIGTERM, as a service manager does, and started again: every picture once."""
    port = trial.port()
    current = trial.receiver(listen=f"127.0.0.1:{port}")
    current.port()
    sender = trial.program("frame-send", "--input", trial.clip(COUNT), "--rate", 60, "--to", f"127.0.0.1:{port}")
    arrived(current, trial.chose(trial.random.randint(1, 60)))
    _moment(trial)
    current.signal(signal.SIGTERM)
    accounts.status(trial, current, 0)
    current = trial.receiver(listen=f"127.0.0.1:{port}")
    accounts.status(trial, sender, 0)
    trial.check("receiver ends with status 0", current.stop() == 0, current.complaints())
    accounts.exact(trial, accounts.on_disk(trial), COUNT)
    accounts.sums(trial, sender)


def one_of_two(trial):
    """One of two receivers of a file is killed and started again: the other has every picture once."""
    port = trial.port()
    steady, current = trial.receiver(record="steady.mjpg"), trial.receiver(listen=f"127.0.0.1:{port}")
    current.port()
    sender = trial.program(
        "frame-send", "--input", trial.clip(COUNT), "--rate", 60, "--to", f"127.0.0.1:{steady.port()}", "--to", f"127.0.0.1:{port}")
    arrived(current, trial.chose(trial.random.randint(1, 60)))
    _moment(trial)
    current.kill()
    current = trial.receiver(listen=f"127.0.0.1:{port}")
    accounts.status(trial, sender, 0)
    for program in (steady, current):
        trial.check("receiver ends with status 0", program.stop() == 0, program.complaints())
    accounts.exact(trial, accounts.on_disk(trial, "steady.mjpg"), COUNT)
    accounts.at_least(trial, accounts.on_disk(trial, torn=True), COUNT, WINDOW)
    accounts.sums(trial, sender)


def one_of_two_live(trial):
    """The same with a live source: the other receiver's stream goes on."""
    port = trial.port()
    steady, current = trial.receiver(record="steady.mjpg"), trial.receiver(listen=f"127.0.0.1:{port}")
    current.port()
    source, sender = stream(trial, "--to", f"127.0.0.1:{steady.port()}", "--to", f"127.0.0.1:{port}")
    arrived(current, 20)
    holding = accounts.Holding(sender), accounts.Holding(steady)
    _moment(trial)
    current.kill()
    arrived(steady, 50)
    current = trial.receiver(listen=f"127.0.0.1:{port}")
    arrived(current, 20)
    for one, who in zip(holding, ("sender", "receiver")):
        one.came_back(trial, who)
    source.stop()
    accounts.status(trial, sender, 0)
    for program in (steady, current):
        trial.check("receiver ends with status 0", program.stop() == 0, program.complaints())
    accounts.ascending(trial, accounts.on_disk(trial, "steady.mjpg"))
    accounts.ascending(trial, accounts.on_disk(trial, torn=True))
    accounts.sums(trial, sender)


def sender(trial, times=2):
    """The sender of a file is killed and started again: each start is a stream and a recording of its own."""
    current = trial.receiver()
    port = current.port()
    before = accounts.Holding(current)
    count = 0
    trial.clip(COUNT)
    for _ in range(times):
        sending = trial.program("frame-send", "--input", "clip.mjpg", "--rate", 60, "--to", f"127.0.0.1:{port}")
        current.saw("connected", count=count + 1)
        count += 1
        arrived(current, trial.chose(trial.random.randint(1, 60)))
        _moment(trial)
        sending.kill()
    sending = trial.program("frame-send", "--input", "clip.mjpg", "--pace", "max", "--to", f"127.0.0.1:{port}")
    accounts.status(trial, sending, 0)
    before.came_back(trial, "receiver")
    trial.check("receiver ends with status 0", current.stop() == 0, current.complaints())
    found = recordings(trial.path("out.mjpg"))
    trial.check("a recording for each start", len(found) == times + 1, f"{found}")
    for path in found:
        numbers, rest = recorded(path)
        trial.check("a recording has the pictures from the first on, once", rest == 0 and numbers == list(range(1, len(numbers) + 1)), path)
    trial.check("the last recording has all", len(recorded(found[-1])[0]) == COUNT)
    frames = current.summary().get("frames")
    trial.check("consumed = on disk", frames == sum(len(recorded(path)[0]) for path in found), f"{frames}")
    accounts.sums(trial, sending)


def sender_once(trial):
    """The sender is killed and does not come back: a receiver with --once has failed."""
    current = trial.receiver("--once", "--return-within", 2)
    sending = trial.program("frame-send", "--input", trial.clip(COUNT), "--rate", 60, "--to", f"127.0.0.1:{current.port()}")
    arrived(current, trial.chose(trial.random.randint(1, 60)))
    _moment(trial)
    sending.kill()
    accounts.status(trial, current, 1)
    numbers = accounts.on_disk(trial)
    accounts.exact(trial, numbers, len(numbers))
    trial.check("consumed = on disk", current.summary().get("frames") == len(numbers), f"{len(numbers)}")


def listening_receivers(trial):
    """Of two receivers that connected to a listening sender one is killed: the other has every picture, and the status is 0."""
    sending = trial.program("frame-send", "--input", trial.clip(COUNT), "--rate", 60, "--listen", "127.0.0.1:0")
    address = f"127.0.0.1:{sending.port()}"
    steady = trial.program("frame-receive", "--from", address, "--record", "steady.mjpg", "--once")
    other = trial.program("frame-receive", "--from", address, "--record", "other.mjpg", "--once")
    arrived(other, trial.chose(trial.random.randint(1, 60)))
    _moment(trial)
    other.kill()
    accounts.status(trial, steady, 0)
    accounts.status(trial, sending, 0)
    numbers = accounts.on_disk(trial, "steady.mjpg")
    accounts.exact(trial, numbers, COUNT - numbers[0] + 1, numbers[0])
    accounts.sums(trial, sending)
