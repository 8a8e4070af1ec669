"""Faults of where a recording goes: the disk is full, the file is removed, replaced or cut, the reader of a pipe leaves."""
import os
import shutil
import subprocess

import accounts
from breaks import arrived
from pictures import recorded, walk

COUNT = 300


def _small_disk(trial, kilobytes):
    """A file system of its own, in the mount namespace of these checks."""
    folder = trial.path("disk")
    os.mkdir(folder)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder], check=True, timeout=30)
    trial.afterwards(lambda: subprocess.run(["umount", "-l", folder], check=True, timeout=30))
    return folder


def full(trial, form):
    """A full disk ends one stream, with the reason at both ends; what was acknowledged is on it, and other streams go on."""
    _small_disk(trial, trial.chose(trial.random.randint(150, 900)))
    record = {"file": "disk/out.mjpg", "directory": "disk/out/"}[form]
    receiver = trial.receiver(record=record)
    port = receiver.port()
    before = accounts.Holding(receiver)
    sender = trial.program("frame-send", "--input", trial.clip(COUNT), "--pace", "max", "--to", f"127.0.0.1:{port}")
    accounts.status(trial, sender, 1)
    receiver.saw("error")
    before.came_back(trial, "receiver")
    numbers = accounts.on_disk(trial, record.rstrip("/"))
    accounts.exact(trial, numbers, len(numbers))
    trial.check("the disk was full before the end", 0 < len(numbers) < COUNT, f"{len(numbers)}")
    summary = accounts.sums(trial, sender)
    trial.check("acknowledged = on disk", summary["acknowledged"] == len(numbers), f"{summary['acknowledged']} and {len(numbers)}")
    connection = sender.all("summary", lambda event: event["scope"] == "connection")[-1]
    trial.check("the goodbye says that it failed", connection["goodbye_code"] == "failed", f"{connection['goodbye']}")
    # There is room again: the next stream is recorded.
    for name in os.listdir(trial.path("disk")):
        path = os.path.join(trial.path("disk"), name)
        subprocess.run(["rm", "-r", path], check=True, timeout=30)
    again = trial.program("frame-send", "--input", trial.clip(5, 1_000, "again.mjpg"), "--pace", "max", "--to", f"127.0.0.1:{port}")
    accounts.status(trial, again, 0)
    trial.check("receiver ends with status 1", receiver.stop() == 1, receiver.complaints())
    found = [recorded(os.path.join(trial.path("disk"), name)) for name in os.listdir(trial.path("disk"))]
    trial.check("the next stream is on the disk", found == [([1, 2, 3, 4, 5], 0)], f"{found}")


def full_beside(trial):
    """One receiver's disk is full: the other receiver has every picture."""
    _small_disk(trial, trial.chose(trial.random.randint(150, 900)))
    bad, good = trial.receiver(record="disk/out.mjpg"), trial.receiver(record="good.mjpg")
    sender = trial.program(
        "frame-send", "--input", trial.clip(COUNT), "--pace", "max", "--to", f"127.0.0.1:{bad.port()}", "--to", f"127.0.0.1:{good.port()}")
    accounts.status(trial, sender, 1)
    accounts.sums(trial, sender)
    trial.check("the receiver with the full disk ends with status 1", bad.stop() == 1, bad.complaints())
    trial.check("the other ends with status 0", good.stop() == 0, good.complaints())
    accounts.exact(trial, accounts.on_disk(trial, "good.mjpg"), COUNT)
    numbers = accounts.on_disk(trial, "disk/out.mjpg")
    accounts.exact(trial, numbers, len(numbers))


def device(trial):
    """/dev/full: no picture can be written, none is acknowledged, and both ends say so."""
    receiver = trial.receiver(record="/dev/full")
    sender = trial.program("frame-send", "--input", trial.clip(COUNT), "--pace", "max", "--to", f"127.0.0.1:{receiver.port()}")
    accounts.status(trial, sender, 1)
    summary = accounts.sums(trial, sender)
    trial.check("nothing was acknowledged", summary.get("acknowledged") == 0, f"{summary.get('acknowledged')}")
    trial.check("receiver ends with status 1", receiver.stop() == 1, receiver.complaints())


def reader(trial):
    """The program that reads a FIFO leaves in the middle: the stream ends with the reason."""
    os.mkfifo(trial.path("pipe"))
    receiver = trial.receiver(record="pipe")
    port = receiver.port()
    sender = trial.program("frame-send", "--input", trial.clip(COUNT), "--rate", 100, "--to", f"127.0.0.1:{port}")
    with open(trial.path("pipe"), "rb") as pipe:
        taken = pipe.read(trial.chose(trial.random.randint(1, 400_000)))
    trial.check("pictures came through the pipe", taken)
    accounts.status(trial, sender, 1)
    accounts.sums(trial, sender)
    trial.check("receiver ends with status 1", receiver.stop() == 1, receiver.complaints())


def target(trial, change):
    """Another program removes, replaces or cuts the recording: it is reported, and the stream goes on in the next one."""
    receiver = trial.receiver()
    port = receiver.port()
    before = accounts.Holding(receiver)
    sender = trial.program("frame-send", "--input", trial.clip(COUNT), "--rate", 100, "--to", f"127.0.0.1:{port}")
    path = trial.path("out.mjpg")
    arrived(receiver, trial.chose(trial.random.randint(10, 120)))
    # What was removed stays readable here.
    with open(path, "rb") as removed:
        if change == "remove":
            os.remove(path)
        elif change == "rename":
            os.rename(path, trial.path("renamed"))
        elif change == "replace":
            with open(trial.path("other"), "wb") as file:
                file.write(b"of another program")
            os.rename(trial.path("other"), path)
        elif change == "cut":
            os.truncate(path, trial.random.randint(0, os.path.getsize(path)))
        accounts.status(trial, sender, 0)
        before.came_back(trial, "receiver")
        trial.check("receiver ends with status 0", receiver.stop() == 0, receiver.complaints())
        first, rest = walk(removed.read())
    next_one, over = recorded(trial.path("out-2.mjpg"))
    if change == "rename":
        # The file is the same, whatever its name is.
        trial.check("the renamed recording has every picture", rest == b"" and first == list(range(1, COUNT + 1)), f"{first[-3:]}")
    else:
        trial.check("the change is reported", "out.mjpg" in receiver.complaints(), receiver.complaints())
        trial.check("the next recording is whole, to the end", next_one and over == 0 and next_one == list(range(next_one[0], COUNT + 1)))
    if change in ("remove", "replace"):
        trial.check("the two have every picture", set(first) | set(next_one) == set(range(1, COUNT + 1)), f"{first[-3:]}, {next_one[:3]}")
        trial.check("at most one picture is in both", len(set(first) & set(next_one)) <= 1)
    if change == "replace":
        with open(path, "rb") as file:
            trial.check("the other program's file is as it was", file.read() == b"of another program")
    summary = accounts.sums(trial, sender)
    trial.check("every picture was acknowledged", summary.get("acknowledged") == COUNT, f"{summary.get('acknowledged')}")


def folder(trial):
    """Another program removes the directory that is recorded into: the stream goes on in the next one."""
    receiver = trial.receiver(record="out/")
    port = receiver.port()
    before = accounts.Holding(receiver)
    sender = trial.program("frame-send", "--input", trial.clip(COUNT), "--rate", 100, "--to", f"127.0.0.1:{port}")
    arrived(receiver, trial.chose(trial.random.randint(10, 120)))
    # A picture that comes meanwhile may keep the directory there; then it is recorded into further.
    shutil.rmtree(trial.path("out"), ignore_errors=True)
    accounts.status(trial, sender, 0)
    before.came_back(trial, "receiver")
    trial.check("receiver ends with status 0", receiver.stop() == 0, receiver.complaints())
    there = {name: recorded(trial.path(name))[0] for name in os.listdir(trial.folder) if name.startswith("out")}
    trial.check("one directory is left", len(there) == 1, f"{list(there)}")
    for name, numbers in there.items():
        trial.check("it is reported where another was needed", name == "out" or "out/" in receiver.complaints(), receiver.complaints())
        trial.check("the rest is there, to the end", numbers and numbers == list(range(numbers[0], COUNT + 1)), f"{numbers[:2]}, {numbers[-2:]}")
    summary = accounts.sums(trial, sender)
    trial.check("every picture was acknowledged", summary.get("acknowledged") == COUNT, f"{summary.get('acknowledged')}")
