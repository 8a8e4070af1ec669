"""What has to hold after a fault: the pictures on the disk, the sums of both ends, and what a program holds of its machine."""
import collections

from pictures import recorded, recordings
from programs import NotSeen, until

# What a program's memory may differ by before and after a fault, in bytes: buffers of a few pictures, and the allocator's arenas.
MEMORY_TOLERANCE = 4 * 1024 * 1024


def on_disk(trial, name="out.mjpg", torn=False):
    """The numbers in all recordings of a command line, in order. Each is whole, but for the end of one whose program was killed."""
    numbers = []
    for path in recordings(trial.path(name)):
        some, rest = recorded(path)
        trial.check(f"{name}: ends behind its last whole picture", torn or rest == 0, f"{path}: {rest} bytes more")
        numbers += some
    return numbers


def exact(trial, numbers, count, first=1):
    """Every number once, in order."""
    trial.check("every picture exactly once, in order", numbers == list(range(first, first + count)), differences(numbers, count, first))


def differences(numbers, count, first=1):
    wanted = set(range(first, first + count))
    twice = [number for number, times in collections.Counter(numbers).items() if times > 1]
    return (f"{len(numbers)} for {count}: missing {sorted(wanted - set(numbers))[:8]}, twice {twice[:8]}, "
            f"ascending {numbers == sorted(numbers)}")


def ascending(trial, numbers):
    """What a live stream promises: none twice, none out of order."""
    trial.check("numbers ascend, none twice", all(one < next for one, next in zip(numbers, numbers[1:])), f"{numbers[:50]}")
    trial.check("pictures arrived", numbers)


def at_least(trial, numbers, count, again):
    """What is promised where a receiver is killed: nothing is missing, and only what was under way then comes twice."""
    twice = len(numbers) - len(set(numbers))
    trial.check("no picture is missing", set(numbers) == set(range(1, count + 1)), differences(numbers, count))
    trial.check(f"at most {again} pictures twice", twice <= again, f"{twice}")


def sums(trial, sender, who="sender"):
    """produced = acknowledged + dropped + failed + lost, in every summary that it printed."""
    summaries = sender.all("summary")
    trial.check(f"{who}: the last line is the total summary", sender.events and sender.events[-1]["event"] == "summary"
                and sender.events[-1]["scope"] == "total", f"{[event['event'] for event in sender.events][-3:]}")
    for line in summaries:
        parts = line["acknowledged"], sum(line["dropped"].values()), line["failed"], line["lost"]
        trial.check(f"{who}: the sum holds ({line['scope']})", line["produced"] == sum(parts), f"{line['produced']} is not {parts}")
    return sender.summary()


def acknowledged_is_on_disk(trial, sender, receiver, numbers):
    """Of a receiver that lived through all of it."""
    acknowledged, frames = sender.summary().get("acknowledged"), receiver.summary().get("frames")
    trial.check("acknowledged = on disk", acknowledged == len(numbers), f"{acknowledged} acknowledged, {len(numbers)} on disk")
    trial.check("consumed = on disk", frames == len(numbers), f"{frames} consumed, {len(numbers)} on disk")


def status(trial, program, wanted, seconds=120):
    """Docs/ExitStatus.md."""
    got = program.wait(seconds)
    trial.check(f"{program.name} ends with status {wanted}", got == wanted, f"{got}: {program.complaints()!r}")


class Holding:
    """What a program holds at a moment, to be compared with later."""

    def __init__(self, program):
        self.program = program
        # A program that has just said that it listens still starts threads of its own.
        counts = [program.threads()]
        until(f"{program.name}'s threads to stay as they are",
              lambda: counts.append(program.threads()) or len(counts) > 25 and len(set(counts[-25:])) == 1)
        self.descriptors, self.threads, self.memory = program.descriptors(), program.threads(), program.memory()

    def came_back(self, trial, who):
        program = self.program
        try:
            until(f"{who}'s descriptors and threads",
                  lambda: program.descriptors() <= self.descriptors and program.threads() <= self.threads)
        except NotSeen:
            pass
        trial.check(f"{who}: descriptors are back", program.descriptors() <= self.descriptors, f"{self.descriptors} -> {program.descriptors()}")
        trial.check(f"{who}: threads are back", program.threads() <= self.threads, f"{self.threads} -> {program.threads()}: {program.thread_names()}")
        grown = program.memory() - self.memory
        trial.check(f"{who}: memory is back", grown <= MEMORY_TOLERANCE, f"{grown / 1e6:.1f} MB more")


def file_is_whole(trial, sender, receiver, count):
    """A file's receiver ends well, and has every picture once; what its sender counts as acknowledged is among them."""
    trial.check("receiver ends with status 0", receiver.stop() == 0, receiver.complaints())
    numbers = on_disk(trial)
    exact(trial, numbers, count)
    sums(trial, sender)
    acknowledged_is_on_disk(trial, sender, receiver, numbers)


def live_ascends(trial, sender, receiver):
    """A live stream ends well at both ends: its numbers ascend, and what was consumed is on the disk."""
    status(trial, sender, 0)
    trial.check("receiver ends with status 0", receiver.stop() == 0, receiver.complaints())
    numbers = on_disk(trial)
    ascending(trial, numbers)
    summary = sums(trial, sender)
    frames = receiver.summary().get("frames")
    trial.check("consumed = on disk", frames == len(numbers), f"{frames} consumed, {len(numbers)} on disk")
    # What was consumed while the link was cut may never be acknowledged: a live sender does not ask.
    trial.check("acknowledged is on disk", summary.get("acknowledged", 0) <= len(numbers), f"{summary.get('acknowledged')} of {len(numbers)}")
