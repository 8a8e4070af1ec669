"""Descriptors, threads and memory that run out while a stream runs."""
import os
import resource
import socket
import subprocess

import accounts
from breaks import arrived
from live import stream
from programs import until

COUNT = 400


def _limit(program, kind, most, user=None):
    """Sets a limit of a program that runs; as the user that it runs as, because root may lack the right to do it for another."""
    if user is None:
        resource.prlimit(program.pid, kind, (most, resource.prlimit(program.pid, kind)[1]))
    else:
        word = "unlimited" if most == resource.RLIM_INFINITY else most
        subprocess.run(["setpriv", f"--reuid={user}", "prlimit", f"--pid={program.pid}", f"--nproc={word}:"], check=True, timeout=30)


def _two_streams(trial, kind, most, user=None, **options):
    """A receiver that runs out of something: the stream that it has goes on, and a second one comes when there is room again."""
    receiver = trial.receiver(**options)
    port = receiver.port()
    before = accounts.Holding(receiver)
    first = trial.program("frame-send", "--input", trial.clip(COUNT), "--rate", 60, "--stream", "first", "--to", f"127.0.0.1:{port}")
    arrived(receiver, 10)
    allowed = resource.getrlimit(kind)[0]
    _limit(receiver, kind, most(receiver), user)
    second = trial.program(
        "frame-send", "--input", trial.clip(50, name="second.mjpg"), "--rate", 60, "--stream", "second", "--to", f"127.0.0.1:{port}")
    arrived(receiver, 100)
    early = second.process.poll()
    trial.check("the second sender waits", early is None, f"{early}: {second.complaints()!r}")
    _limit(receiver, kind, allowed, user)
    accounts.status(trial, second, 0)
    accounts.status(trial, first, 0)
    before.came_back(trial, "receiver")
    trial.check("receiver ends with status 0", receiver.stop() == 0, receiver.complaints())
    streams = {event["stream"]: event["path"] for event in receiver.all("recording_started")}
    trial.check("two recordings", set(streams) == {"first", "second"}, f"{streams}")
    for sender, name, count in ((first, "first", COUNT), (second, "second", 50)):
        numbers, rest = accounts.recorded(trial.path(streams[name]))
        trial.check(f"{name}: whole", rest == 0)
        accounts.exact(trial, numbers, count)
        accounts.sums(trial, sender, name)


def descriptors(trial):
    """The receiver has no descriptor left."""
    _two_streams(trial, resource.RLIMIT_NOFILE, lambda receiver: receiver.descriptors())


def threads(trial):
    """The receiver may start no thread any more. RLIMIT_NPROC does not bind root, so it runs as a user of this case alone."""
    user = 60_000 + trial.random.randint(0, 5_000)
    os.chmod(trial.folder, 0o777)
    before = ("setpriv", f"--reuid={user}", "--inh-caps=+dac_override,+dac_read_search", "--ambient-caps=+dac_override,+dac_read_search",
              "--bounding-set=-sys_resource,-sys_admin")
    _two_streams(trial, resource.RLIMIT_NPROC, lambda receiver: receiver.threads(), user, before=before)


def sender_descriptors(trial):
    """The sender has no descriptor left when its connection breaks: it comes back when there is one."""
    receiver = trial.receiver()
    proxy = trial.proxy(receiver.port())
    sender = trial.program("frame-send", "--input", trial.clip(COUNT), "--rate", 100, "--to", f"127.0.0.1:{proxy.port}")
    arrived(receiver, 10)
    holding = accounts.Holding(sender)
    allowed = resource.prlimit(sender.pid, resource.RLIMIT_NOFILE)[0]
    # Those that it has stay open.
    _limit(sender, resource.RLIMIT_NOFILE, 3)
    proxy.break_all("rst")
    sender.saw("waiting")
    _limit(sender, resource.RLIMIT_NOFILE, allowed)
    arrived(receiver, 10)
    holding.came_back(trial, "sender")
    accounts.status(trial, sender, 0)
    accounts.file_is_whole(trial, sender, receiver, COUNT)


def few_descriptors(trial):
    """Both ends with 64 descriptors from the start, as some service managers set them."""
    few = [(resource.RLIMIT_NOFILE, 64)]
    receiver = trial.receiver(limits=few)
    sender = trial.program("frame-send", "--input", trial.clip(COUNT), "--pace", "max", "--to", f"127.0.0.1:{receiver.port()}", limits=few)
    accounts.status(trial, sender, 0)
    accounts.file_is_whole(trial, sender, receiver, COUNT)


def memory(trial):
    """The kernel gives the receiver no more memory: at worst it ends as if it were killed, and the next one has the rest."""
    port = trial.port()
    first = trial.receiver(listen=f"127.0.0.1:{port}")
    first.port()
    sender = trial.program(
        "frame-send", "--input", trial.clip(COUNT, largest=400_000), "--rate", 100, "--to", f"127.0.0.1:{port}")
    arrived(first, 5)
    _limit(first, resource.RLIMIT_AS, first.virtual())
    # It needs more for larger pictures and for streams that come; it may well have enough.
    extra = [trial.program("frame-send", "--input", "clip.mjpg", "--pace", "max", "--frames", 20, "--stream", f"extra{index}",
                           "--to", f"127.0.0.1:{port}") for index in range(3)]
    until("20 pictures more, or its end", lambda: first.process.poll() is not None or first.total("frames") > 60)
    ended = first.process.poll()
    trial.chose(f"status under the limit {ended}, {first.complaints()[-200:]!r}")
    for program in extra:
        program.kill()
    first.kill()
    second = trial.receiver(listen=f"127.0.0.1:{port}")
    accounts.status(trial, sender, 0)
    trial.check("receiver ends with status 0", second.stop() == 0, second.complaints())
    numbers = []
    for event in (*first.all("recording_started"), *second.all("recording_started")):
        if not event["stream"].startswith("extra"):
            numbers += accounts.recorded(trial.path(event["path"]))[0]
    accounts.at_least(trial, numbers, COUNT, 4)
    accounts.sums(trial, sender)


def memory_bound(trial):
    """Large pictures to a slow consumer with a small --memory-limit: the program stays within it, and loses nothing."""
    receiver = trial.receiver("--memory-limit", 8, "--consume-ms", 20)
    port = receiver.port()
    idle = receiver.memory()
    sender = trial.program(
        "frame-send", "--input", trial.clip(100, largest=3_000_000), "--pace", "max", "--window", 16, "--to", f"127.0.0.1:{port}")
    most = idle
    while sender.process.poll() is None:
        most = max(most, receiver.memory())
        until("the sender's next 20 pictures, or its end",
              lambda seen=receiver.total("frames"): sender.process.poll() is not None or receiver.total("frames") > seen)
    trial.chose(f"{(most - idle) / 2**20:.1f} MiB at most")
    # The limit is for pictures that wait; one that is written, and pools, come on top.
    trial.check("memory stays near --memory-limit", most - idle < 40 * 2**20, f"{(most - idle) / 2**20:.1f} MiB more than idle")
    accounts.status(trial, sender, 0)
    trial.check("receiver ends with status 0", receiver.stop() == 0, receiver.complaints())
    accounts.exact(trial, accounts.on_disk(trial), 100)
    accounts.sums(trial, sender)


def strays(trial):
    """Connections that say nothing, or nonsense, beside a live stream: none costs the stream anything, and all places come back."""

    receiver = trial.receiver()
    port = receiver.port()
    before = accounts.Holding(receiver)
    source, sender = stream(trial, "--to", f"127.0.0.1:{port}")
    arrived(receiver, 20)
    some = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(60)]
    for stray in some[::2]:
        stray.send(trial.random.randbytes(trial.random.randint(1, 200)))
    arrived(receiver, 200)
    for stray in some:
        stray.close()
    source.stop()
    accounts.status(trial, sender, 0)
    before.came_back(trial, "receiver")
    trial.check("receiver ends with status 0", receiver.stop() == 0, receiver.complaints())
    accounts.ascending(trial, accounts.on_disk(trial))
    accounts.sums(trial, sender)
