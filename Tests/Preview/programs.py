"""The package's programs, as other programs run them."""

import json
import os
import queue
import signal
import subprocess
import threading
import urllib.parse
import urllib.request

PATIENCE = 30


class Receiver:
    """frame-receive with a preview, and what it says as JSON."""

    def __init__(self, binaries, preview="127.0.0.1:0", *more, complaints=None):
        self.binaries = binaries
        self.process = subprocess.Popen(
            [os.path.join(binaries, "frame-receive"), "--listen", "127.0.0.1:0", "--preview", preview, "--json", *more],
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        said = queue.Queue()
        threading.Thread(target=lambda: [said.put(json.loads(line)) for line in self.process.stdout], daemon=True).start()
        events = {}
        while not {"listening", "preview"} <= events.keys():
            event = said.get(timeout=PATIENCE)
            events[event["event"]] = event
        self.port, self.url = events["listening"]["port"], events["preview"]["url"]

    def get(self, address):
        """What is at an address, whole or as from the server's root."""
        with urllib.request.urlopen(urllib.parse.urljoin(self.url, address), timeout=PATIENCE) as answer:
            return answer.read()

    def stream(self, name):
        """What /api/streams says of one; {} where it is not listed."""
        streams = json.loads(self.get("/api/streams"))["streams"]
        return next((stream for stream in streams if stream["name"] == name), {})

    def address(self, name, ending):
        """Of a stream's pictures."""
        return f"{self.url}streams/{urllib.parse.quote(name, safe='')}.{ending}"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def finish(self):
        """Ends it as Ctrl-C does, and gives its status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


def send(receiver, name, *source, stdin=subprocess.DEVNULL):
    """frame-send to it."""
    return subprocess.Popen(
        [
            os.path.join(receiver.binaries, "frame-send"),
            *source,
            "--stream",
            name,
            "--to",
            f"127.0.0.1:{receiver.port}",
            "--json",
        ],
        stdin=stdin,
        stdout=subprocess.DEVNULL,
    )
