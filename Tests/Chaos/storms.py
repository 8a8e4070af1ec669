"""Faults upon faults: many cuts of one stream, also while it comes back, and signals while a link is broken."""
import signal

import accounts
from breaks import arrived
from cuts import PLACES
from live import stream
from programs import until
from proxy import Cut

COUNT = 600


def _storm(trial, proxy, ways, count):
    """Breaks the connection again and again, each time at another kind of byte, as soon as the last fault has happened."""
    for _ in range(count):
        kind, part, _ = PLACES[trial.random.choice([place for place in PLACES if not place.startswith(("ping", "pong"))])]
        cut = trial.chose(Cut(trial.random.choice(ways), kind, part, trial.random.random(), trial.random.randint(1, 12)))
        if kind in ("hello", "welcome"):
            # It comes with the next connection.
            cut.count = 1
            proxy.add(cut)
            proxy.break_all("rst")
        else:
            proxy.add(cut)
        until(f"the fault {cut}", cut.done.is_set)


def _times(trial):
    return 40 if trial.length == "long" else 8


def file(trial, receivers):
    """A file to one or two receivers, whose connections break again and again, also while they are made."""
    programs = [trial.receiver(record=f"{index}.mjpg") for index in range(receivers)]
    before = [accounts.Holding(program) for program in programs]
    proxies = [trial.proxy(program.port()) for program in programs]
    to = [word for proxy in proxies for word in ("--to", f"127.0.0.1:{proxy.port}")]
    sender = trial.program("frame-send", "--input", trial.clip(COUNT, 60_000), "--rate", 60, "--window", trial.random.choice((1, 4, 16)), *to)
    for program in programs:
        arrived(program, 1)
    for index in range(_times(trial)):
        _storm(trial, proxies[index % receivers], ("fin", "rst"), 1)
        if sender.process.poll() is not None:
            break
    accounts.status(trial, sender, 0)
    for index, (program, holding) in enumerate(zip(programs, before)):
        holding.came_back(trial, "receiver")
        trial.check("receiver ends with status 0", program.stop() == 0, program.complaints())
        numbers = accounts.on_disk(trial, f"{index}.mjpg")
        accounts.exact(trial, numbers, COUNT)
        trial.check("consumed = on disk", program.summary().get("frames") == len(numbers))
    accounts.sums(trial, sender)


def live(trial):
    """The same with a live stream."""
    receiver = trial.receiver()
    proxy = trial.proxy(receiver.port())
    source, sender = stream(trial, "--to", f"127.0.0.1:{proxy.port}")
    arrived(receiver, 20)
    holding = accounts.Holding(receiver), accounts.Holding(sender)
    _storm(trial, proxy, ("fin", "rst"), _times(trial))
    arrived(receiver, 50)
    for one, who in zip(holding, ("receiver", "sender")):
        one.came_back(trial, who)
    source.stop()
    accounts.live_ascends(trial, sender, receiver)


def stopped(trial, who, fault):
    """An end is stopped by Ctrl-C while its link or its peer is broken: it ends with its summary, and what it has is whole."""
    receiver = trial.receiver()
    proxy = trial.proxy(receiver.port())
    sender = trial.program("frame-send", "--input", trial.clip(COUNT), "--rate", 60, "--to", f"127.0.0.1:{proxy.port}")
    arrived(receiver, 20)
    one, other = (sender, receiver) if who == "sender" else (receiver, sender)
    trial.afterwards(lambda: other.process.poll() is None and other.signal(signal.SIGCONT))
    if fault == "silent":
        proxy.hold(True)
    elif fault == "frozen":
        other.signal(signal.SIGSTOP)
    elif fault == "gone":
        other.kill()
        one.saw("waiting" if one is sender else "error")
    # A program that was asked to end does so within 700 ms on an idle machine.
    trial.check(f"{who} ends with status 0", one.stop(30) == 0, one.complaints())
    trial.check("its last line is the summary", one.events[-1]["event"] == "summary", f"{one.events[-1]['event']}")
    other.signal(signal.SIGCONT) if fault == "frozen" else None
    other.kill()
    numbers = accounts.on_disk(trial, torn=who == "sender")
    accounts.exact(trial, numbers, len(numbers))
    if who == "sender":
        summary = accounts.sums(trial, sender)
        trial.check("acknowledged is on disk", summary["acknowledged"] <= len(numbers), f"{summary['acknowledged']} of {len(numbers)}")
    else:
        trial.check("consumed = on disk", receiver.summary().get("frames") == len(numbers))
