"""The ends of streams and of machines: last bytes that are cut, signals at the start, and power cuts."""
import os
import shutil
import signal
import subprocess
import threading

import accounts
from breaks import arrived
from live import stream
from pictures import recorded
from programs import until
from proxy import Cut

# What a live sender's last bytes are: its last picture, the acknowledgement of that, and its goodbye.
LAST = {"frame": ("frame", "payload"), "ack": ("ack", "header"), "bye": ("bye", "header")}


def last_bytes(trial, way, last):
    """A live sender's link is cut in its last bytes."""
    receiver = trial.receiver("--once", "--return-within", 3)
    proxy = trial.proxy(receiver.port())
    source, sender = stream(trial, "--to", f"127.0.0.1:{proxy.port}")
    arrived(receiver, 30)
    kind, part = LAST[last]
    cut = trial.chose(Cut(way, kind, part, trial.random.uniform(0.05, 0.95)))

    def quiet():
        # The pictures before are acknowledged when the receiver says no more: nothing else is under way.
        seen = [proxy.passed("ack")]
        until("the acknowledgements of all pictures", lambda: seen.append(proxy.passed("ack")) or len(seen) > 25 and len(set(seen[-25:])) == 1)
        proxy.add(cut)
    source.stop(quiet)
    # Without more pictures there is nothing to come back for. What is not acknowledged is lost to the sender, and the receiver
    # waits for a stream that broke.
    accounts.status(trial, sender, 0 if last == "bye" else 1)
    accounts.status(trial, receiver, 1)
    trial.check("the fault happened", cut.done.is_set())
    numbers = accounts.on_disk(trial)
    accounts.ascending(trial, numbers)
    summary = accounts.sums(trial, sender)
    trial.check("consumed = on disk", receiver.summary().get("frames") == len(numbers))
    trial.check("acknowledged is on disk", summary.get("acknowledged", 0) <= len(numbers))
    trial.check("only the last picture is lost", summary.get("lost") == (0 if last == "bye" else 1), f"{summary.get('lost')}")
    trial.check("the last is on the disk if it arrived", (numbers[-1] == source.written) == (last != "frame"), f"{numbers[-1]} of {source.written}")


def early_signal(trial, program):
    """A signal in a program's first moments: it ends by the signal itself, without a line, or as at any other time."""
    arguments = ["--listen", "127.0.0.1:0"] if program == "frame-receive" else ["--pattern", "--listen", "127.0.0.1:0"]
    ends = []
    for _ in range(30):
        process = trial.program(program, *arguments)
        # The moment of the signal is the fault.
        threading.Event().wait(trial.random.uniform(0, 0.15))
        number = trial.random.choice((signal.SIGINT, signal.SIGTERM))
        process.signal(number)
        status = process.wait()
        ends.append(status)
        said = [event["event"] for event in process.events]
        trial.check(f"{program}: ends as at any other time, or by the signal and without a line",
                    status == 0 and said[-1:] == ["summary"] or status == -number and not said, f"{status} for {number}: {said}")
    trial.chose(f"{sum(status < 0 for status in ends)} of 30 ended by the signal")


def power_cut(trial, sync, record="out.mjpg"):
    """The machine's power is cut: what was acknowledged with --sync is on the disk; without, the kernel still had it."""
    disk, image = trial.path("disk"), trial.path("image")
    with open(image, "wb") as file:
        file.truncate(32 * 2**20)
    os.mkdir(disk)
    _run("mkfs.ext4", "-q", image)
    _run("mount", "-o", "loop", image, disk)
    trial.afterwards(lambda: _run("umount", "-l", disk))
    receiver = trial.receiver(*(["--sync"] if sync else []), record=f"disk/{record}")
    proxy = trial.proxy(receiver.port())
    sender = trial.program("frame-send", "--input", trial.clip(400), "--rate", 60, "--to", f"127.0.0.1:{proxy.port}")
    until("acknowledgements", lambda count=trial.random.randint(30, 200): proxy.passed("ack") >= count)
    acknowledged = proxy.passed("ack")
    # What the loop device has written to the image is what a disk has; pages of the kernel are not in it. The file system
    # of the copy is mounted as after a power cut: its journal is replayed.
    shutil.copyfile(image, trial.path("copy"))
    after = trial.path("after")
    os.mkdir(after)
    _run("mount", "-o", "loop", trial.path("copy"), after)
    trial.afterwards(lambda: _run("umount", "-l", after))
    numbers, rest = recorded(os.path.join(after, record))
    trial.chose(f"{acknowledged} acknowledged, {len(numbers)} on the disk after the cut, and {rest} bytes")
    if sync:
        trial.check("what was acknowledged is on the disk", len(numbers) >= acknowledged, f"{len(numbers)} of {acknowledged}")
        accounts.exact(trial, numbers, len(numbers))
    accounts.status(trial, sender, 0)
    trial.check("receiver ends with status 0", receiver.stop() == 0, receiver.complaints())


def _run(*words):
    subprocess.run(words, check=True, capture_output=True, timeout=60)
