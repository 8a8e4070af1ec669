"""One run of one case: its seed, its folder, the programs it started, and what held."""
import os
import random
import shutil
import subprocess
import tempfile

from pictures import clip
from programs import Program
from proxy import Proxy


# Ports that were given out: cases run at the same time.
_ports = set()


class Trial:
    """Given to a case. Everything random in a case comes from its random, so that name and seed repeat it."""

    def __init__(self, name, seed, binaries, length):
        self.name, self.seed, self.length, self._binaries = name, seed, length, binaries
        self.random = random.Random(f"{name}:{seed}")
        self.folder = tempfile.mkdtemp(prefix=f"chaos-{name}-")
        # (what, whether it held, detail), and what the case chose, for who reads a failure.
        self.outcomes, self.choices = [], []
        self._programs, self._closing = [], []

    def check(self, what, holds, detail=""):
        self.outcomes.append((what, bool(holds), detail))

    def chose(self, what):
        self.choices.append(what)
        return what

    def path(self, name):
        return os.path.join(self.folder, name)

    def afterwards(self, action):
        """Runs at the case's end, whatever happened; the last first."""
        self._closing.append(action)

    def program(self, *arguments, **options):
        program = Program(self._binaries, self.folder, *arguments, **options)
        self._programs.append(program)
        return program

    def receiver(self, *arguments, record="out.mjpg", listen="127.0.0.1:0", **options):
        return self.program("frame-receive", "--listen", listen, "--record", record, *arguments, **options)

    def proxy(self, port, *cuts, **options):
        proxy = Proxy(port, *cuts, **options)
        self._closing.append(proxy.close)
        return proxy

    def key(self, name="chaos.key"):
        """A new key for both ends (frame-key)."""
        subprocess.run(
            [os.path.join(self._binaries, "frame-key"), "generate", self.path(name)], check=True, capture_output=True, timeout=60)
        return name

    def clip(self, count, largest=30_000, name="clip.mjpg"):
        """A file of numbered pictures: most of them small, some as large as asked."""
        clip(self.path(name), count, lambda: self.random.choice((300, 2_000, self.random.randint(300, largest))))
        return name

    def port(self):
        """A port that a program can be started on again after it was killed."""
        while (port := self.random.randint(20_000, 30_000)) in _ports:
            pass
        _ports.add(port)
        return port

    def keep(self):
        """Copies its folder, for who looks for the reason."""
        shutil.copytree(self.folder, self.folder + "-kept", dirs_exist_ok=True, ignore=lambda folder, names: [
            name for name in names if os.path.ismount(os.path.join(folder, name)) or not os.access(os.path.join(folder, name), os.R_OK)
            or not (os.path.isfile(os.path.join(folder, name)) or os.path.isdir(os.path.join(folder, name)))])
        self.chose(f"kept in {self.folder}-kept")

    def end(self):
        for program in self._programs:
            program.kill()
        for action in reversed(self._closing):
            action()
        shutil.rmtree(self.folder, ignore_errors=True)
