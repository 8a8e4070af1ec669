"""The package's programs under test: what they say, what they hold of the machine, and how they end."""
import json
import os
import resource
import signal
import subprocess
import threading
import time

# No condition of these checks takes this long, even on a busy machine.
PATIENCE = 120


class NotSeen(Exception):
    """A condition that did not come in time; the message says which."""


def until(what, condition, seconds=PATIENCE):
    """Waits for a condition that nobody reports, and returns its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise NotSeen(f"waited {seconds} s for {what}")
        time.sleep(0.02)
    return value


def _prepare(limits):
    """In the new process, before the program: its limits, and Ctrl-C as from a terminal, also where a script runs the checks in its
    background and SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for kind, most in (*limits, (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(kind, (most, most))


class Program:
    """One run of a program with --json."""

    def __init__(self, binaries, folder, *arguments, before=(), stdin=subprocess.DEVNULL, limits=()):
        self.name, self.arguments = arguments[0], arguments
        self.events, self.changed = [], threading.Condition()
        self._said_by_it = os.path.join(folder, f"{self.name}-{len(os.listdir(folder))}.stderr")
        command = [*before, os.path.join(binaries, arguments[0]), *map(str, arguments[1:]), "--json"]
        with open(self._said_by_it, "wb") as errors:
            self.process = subprocess.Popen(
                command, cwd=folder, stdin=stdin, stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace",
                preexec_fn=lambda: _prepare(limits))
        self.pid = self.process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                # A program that is killed stops in the middle of a line.
                continue
            with self.changed:
                self.events.append(event)
                self.changed.notify_all()

    def complaints(self):
        """What it said on standard error; its last 1,500 characters."""
        with open(self._said_by_it, encoding="utf-8", errors="replace") as file:
            return file.read()[-1_500:]

    def all(self, event, where=lambda event: True):
        with self.changed:
            return [said for said in self.events if said["event"] == event and where(said)]

    def saw(self, event, where=lambda event: True, seconds=PATIENCE, count=1):
        """Waits for the count-th event of a kind, and returns it."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                found = [said for said in self.events if said["event"] == event and where(said)]
                if len(found) >= count:
                    return found[count - 1]
                if time.monotonic() > end:
                    raise NotSeen(
                        f"waited {seconds} s for '{event}' of {self.name} (pid {self.pid}, status {self.process.poll()}); it said "
                        f"{[said['event'] for said in self.events][-8:]} and {self.complaints()!r}")
                self.changed.wait(0.2)

    def port(self):
        return self.saw("listening")["port"]

    def total(self, key):
        """A figure of the newest progress of all streams; 0 before the first."""
        lines = self.all("progress", lambda event: event["scope"] == "total")
        return sum(line[key] for line in lines)

    def summary(self):
        """Its last line; {} if it was killed."""
        totals = self.all("summary", lambda event: event["scope"] == "total")
        return totals[-1] if totals else {}

    def wait(self, seconds=PATIENCE):
        """Its status; the lines that it printed are all here then."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise NotSeen(f"waited {seconds} s for the end of {self.name}; it said {self.complaints()!r}") from None
        self._reader.join(30)
        return status

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, seconds=PATIENCE):
        """Ends it as Ctrl-C does; its status."""
        self.signal(signal.SIGINT)
        return self.wait(seconds)

    def kill(self):
        """Whatever state it is in; a stopped one too."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)

    # What it holds of the machine.

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def _status(self, key):
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(key + ":"))

    def threads(self):
        return self._status("Threads")

    def thread_names(self):
        names = []
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{thread}/comm", encoding="utf-8", errors="replace") as file:
                names.append(file.read().strip())
        return sorted(names)

    def memory(self):
        """Resident memory of its own, in bytes: without the pages of files, such as its code."""
        return self._status("RssAnon") * 1024

    def resident(self):
        """All of its resident memory, in bytes, as tools show it."""
        return self._status("VmRSS") * 1024

    def virtual(self):
        return self._status("VmSize") * 1024
