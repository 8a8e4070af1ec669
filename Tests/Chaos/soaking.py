"""Four streams through random faults for a long time, and what the programs hold meanwhile."""
import datetime
import os
import random
import signal
import socket
import statistics
import threading
import time

import accounts
import plot
from breaks import arrived
from live import stream
from pictures import recorded
from proxy import WAYS, Cut

CLIP = 2_000
RATE = 30


class Soak:
    """One receiver that records, two live senders and two of a file that repeats, each behind a proxy of its own."""

    def __init__(self, trial):
        self.trial, self.random = trial, random.Random(trial.seed)
        self.receiver = trial.receiver("--maximum-connections", 32)
        self.port = self.receiver.port()
        self.proxies = [trial.proxy(self.port) for _ in range(4)]
        trial.clip(CLIP, largest=6_000)
        self.senders, self.sources = [], []
        for index, proxy in enumerate(self.proxies):
            to = ("--to", f"127.0.0.1:{proxy.port}", "--stream", f"{'live' if index < 2 else 'file'}-{index + 1}")
            if index < 2:
                source, sender = stream(trial, *to, rate=RATE, largest=6_000)
                self.sources.append(source)
            else:
                sender = trial.program("frame-send", "--input", "clip.mjpg", "--loop", "--policy", "reliable", "--rate", RATE, *to)
            self.senders.append(sender)
        self.names = ["receiver"] + [f"{'live' if index < 2 else 'file'}-{index + 1}" for index in range(4)]
        self.memory, self.resident = {name: [] for name in self.names}, {name: [] for name in self.names}
        self.held, self.faults, self.load = [], [], []
        self.begun = time.monotonic()

    def sample(self):
        now = time.monotonic() - self.begun
        for name, program in zip(self.names, (self.receiver, *self.senders)):
            self.memory[name].append((now, program.memory() / 2**20))
            self.resident[name].append((now, program.resident() / 2**20))
        self.held.append((now, self.receiver.descriptors(), self.receiver.threads()))
        self.load.append((now, os.getloadavg()[0]))

    def fault(self):
        """One fault at one stream, or a visitor that is killed. Each is over, or mended by the programs, within a minute."""
        index = self.random.randrange(4)
        proxy, sender = self.proxies[index], self.senders[index]
        kind = self.random.choice(("cut", "cut", "cut", "break", "hold", "freeze", "visitor", "stray"))
        self.faults.append((time.monotonic() - self.begun, kind))
        if kind == "cut":
            message, part = self.random.choice((("frame", "prefix"), ("frame", "header"), ("frame", "payload"), ("ack", "header"), ("hello", "header")))
            proxy.add(Cut(self.random.choice(WAYS), message, part, self.random.random(), self.random.randint(1, 60)))
        elif kind == "break":
            proxy.break_all(self.random.choice(("fin", "rst")))
        elif kind == "hold":
            proxy.hold(True)
            threading.Timer(self.random.uniform(0.1, 5), proxy.hold, [False]).start()
        elif kind == "freeze":
            sender.signal(signal.SIGSTOP)
            threading.Timer(self.random.uniform(0.1, 5), sender.signal, [signal.SIGCONT]).start()
        elif kind == "visitor":
            visitor = self.trial.program("frame-send", "--pattern", "--size", "160x120", "--stream", "visitor", "--to", f"127.0.0.1:{self.port}")
            visitor.saw("progress")
            visitor.kill()
        else:
            with socket.create_connection(("127.0.0.1", self.port), timeout=30) as stray:
                stray.send(self.random.randbytes(40))

    def run(self, seconds):
        arrived(self.receiver, 100)
        self.begun = time.monotonic()
        next_fault, pause = 5.0, threading.Event()
        while (now := time.monotonic() - self.begun) < seconds:
            self.sample()
            # No fault in the last minute and a half: what is measured at the end is what comes back.
            if now > next_fault and now < seconds - 90:
                self.fault()
                next_fault = now + self.random.uniform(3, 12)
            # The interval of the samples.
            pause.wait(1)
        self.seconds = seconds

    def ages(self, stream):
        """(seconds, median age in ms) of a stream, a second each."""
        first = self.receiver.all("progress")[0]["time"]
        begin = _clock(first)
        return [(_clock(line["time"]) - begin, line["latency_ms"]["p50"]) for line in self.receiver.all(
            "progress", lambda event: event["scope"] == "stream" and event["stream"] == stream and event["latency_ms"])]

    def conclude(self, figures):
        """Ends the streams, and checks everything."""
        trial = self.trial
        for source in self.sources:
            source.stop()
        for sender in self.senders[2:]:
            sender.signal(signal.SIGINT)
        for sender in self.senders:
            accounts.status(trial, sender, 0)
        held_at_end = self.receiver.descriptors(), self.receiver.threads()
        figures.append(f"receiver: {self.held[0][1]} descriptors and {self.held[0][2]} threads at first, {self.held[-1][1]} and {self.held[-1][2]} "
                       f"in the last second, {held_at_end[0]} and {held_at_end[1]} without streams")
        trial.check("descriptors are back", self.held[-1][1] <= self.held[0][1], f"{self.held[0]} {self.held[-1]}")
        trial.check("threads are back", self.held[-1][2] <= self.held[0][2] + 1, f"{self.held[0]} {self.held[-1]}")
        trial.check("receiver ends with status 0", self.receiver.stop() == 0, self.receiver.complaints())
        paths = {}
        for event in self.receiver.all("recording_started"):
            paths.setdefault(event["stream"], []).append(event["path"])
        for index, (name, sender) in enumerate(zip(self.names[1:], self.senders)):
            numbers, rest = [], 0
            for path in paths[name]:
                some, more = recorded(trial.path(path))
                numbers, rest = numbers + some, rest + more
            trial.check(f"{name}: every picture on the disk is whole", rest == 0, f"{rest}")
            summary = accounts.sums(trial, sender, name)
            if index < 2:
                accounts.ascending(trial, numbers)
            else:
                wanted = [place % CLIP + 1 for place in range(len(numbers))]
                trial.check(f"{name}: every picture exactly once, in order", numbers == wanted)
                trial.check(f"{name}: acknowledged = on disk, or one window less", 0 <= len(numbers) - summary["acknowledged"] <= 4,
                            f"{summary['acknowledged']} and {len(numbers)}")
            figures.append(f"{name}: {summary['produced']} produced = {summary['acknowledged']} acknowledged + {sum(summary['dropped'].values())} dropped + "
                           f"{summary['failed']} failed + {summary['lost']} lost; {len(numbers)} on the disk, {summary['resent']} sent again")
        self._memory(figures)
        self._age(figures)
        kinds = [kind for _, kind in self.faults]
        figures.append("faults: " + ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))))
        load = [value for _, value in self.load]
        figures.append(f"load of the machine ({os.cpu_count()} cores): {min(load):.1f} to {max(load):.1f}, {statistics.mean(load):.1f} on average")

    def _slope(self, points, begin):
        """The growth in a second from a moment on, by Theil and Sen, over the medians of parts: a fault moves a few points only."""
        width = (self.seconds - begin) / 15
        parts = [[value for seconds, value in points if 0 <= seconds - begin - index * width < width] for index in range(15)]
        medians = [(index * width, statistics.median(values)) for index, values in enumerate(parts) if values]
        return statistics.median(
            (two[1] - one[1]) / (two[0] - one[0]) for place, one in enumerate(medians) for two in medians[place + 1:])

    def _memory(self, figures):
        begin = 0.3 * self.seconds
        for name in self.names:
            own, whole = ([value for seconds, value in points[name] if seconds > begin] for points in (self.memory, self.resident))
            grown = self._slope(self.resident[name], begin) * (self.seconds - begin) / statistics.median(whole) * 100
            figures.append(f"memory of {name}: resident {statistics.median(whole):.2f} MiB, slope {grown:+.2f} % over the last 70 %; "
                           f"its own {min(own):.2f} to {max(own):.2f} MiB")
            self.trial.check(f"memory of {name} is flat after its warm-up, to 1 %", grown < 1, f"{grown:+.2f} %")

    def _age(self, figures):
        begin = 0.1 * self.seconds
        for name in self.names[1:]:
            points = self.ages(name)
            slope, middle = self._slope(points, begin) * 60, statistics.median(age for _, age in points)
            figures.append(f"age of {name}: median {middle:.2f} ms, slope {slope:+.4f} ms a minute")
            self.trial.check(f"age of {name} has no slope", abs(slope) * self.seconds / 60 < max(1, middle), f"{slope} ms a minute")

    def draw(self, path, heading):
        marks = [seconds for seconds, _ in self.faults]
        ages = {name: [(seconds, min(age, 50)) for seconds, age in self.ages(name)] for name in self.names[1:]}
        plot.write(path, heading, [
            ("own memory (RssAnon), MiB", self.memory), ("median age in each second, ms (cut at 50)", ages),
            ("the receiver's descriptors and threads", {
                "descriptors": [(seconds, count) for seconds, count, _ in self.held],
                "threads": [(seconds, count) for seconds, _, count in self.held]}),
            ("load of the machine", {"load": self.load})], marks, self.seconds)


def _clock(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
