"""What the checks of Examples/python have in common: programs as processes, and where everything is. The executables are those in
the folder that the first argument names."""
import json
import os
import re
import signal
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "../..")
PYTHON = os.path.join(ROOT, "Examples/python")
sys.path[:0] = [PYTHON, os.path.join(HERE, "..", "Support")]
from tally import check

PATIENCE = 120


class Program:
    """A process that is killed when it takes too long. Its port is in the first line that has one."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.out, self.err, self._port = [], [], threading.Event()
        self._watch = threading.Timer(PATIENCE, self.process.kill)
        self._watch.daemon = True
        self._watch.start()
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True)
                         for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))]
        self.port, self._more = None, threading.Condition()
        for reader in self._readers:
            reader.start()

    def _read(self, stream, lines):
        for line in stream:
            with self._more:
                lines.append(line.rstrip("\n"))
                found = re.search(r'"port": ?(\d+)|listening on port (\d+)', line)
                if found and self.port is None:
                    self.port = int(found[1] or found[2])
                self._more.notify_all()

    def wait_port(self):
        self.wait_until(lambda: self.port is not None)
        return f"127.0.0.1:{self.port}"

    def wait_until(self, holds):
        with self._more:
            check("it comes in time", self._more.wait_for(holds, PATIENCE), (self.process.args, self.out[-3:], self.err))

    def finish(self, status=0):
        self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        self._watch.cancel()
        if status is not None:
            check(f"status {status}", self.process.returncode == status, (self.process.args, self.err))
        check("no traceback", not any("Traceback" in line for line in self.err), self.err)
        return self.out

    def kill(self):
        self.process.kill()
        self.finish(status=None)

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.finish()


def swift(name, *words):
    return Program(os.path.join(sys.argv[1], name), *words, "--json")


def python(name, *words):
    return Program(sys.executable, os.path.join(PYTHON, name), *words)


def summary(program):
    return json.loads(program.finish()[-1])
