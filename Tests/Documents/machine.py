"""The machine that the documents' commands run on: its host names, files and cameras, and how a command is run."""

import http.server
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time

PATIENCE = 60
# Each has an address of its own: in the documents one command sends to two of them at the same port.
HOSTS = {"one": 2, "two": 3, "receiver": 4, "sender": 5, "camera": 6, "viewer": 7, "THIS-MACHINE": 8}


class Surprise(Exception):
    pass


def prepare():
    """Within the namespaces: the loopback, the names, and a directory with the documents' files, which becomes the current one."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    hosts = tempfile.NamedTemporaryFile("w", delete=False)
    hosts.write("127.0.0.1 localhost\n::1 localhost\n")
    hosts.writelines(f"127.0.0.{number} {name}\n" for name, number in HOSTS.items())
    hosts.close()
    subprocess.run(["mount", "--bind", hosts.name, "/etc/hosts"], check=True)
    os.chdir(tempfile.mkdtemp())


def make_files():
    """What the commands read. Each has 30 pictures of 64x48."""
    pattern = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=30", "-frames:v", "30", "-pix_fmt", "yuv420p"]
    for name, more in {
        "clip.y4m": [],
        "film.mp4": ["-c:v", "mpeg4"],
        "frames.mjpg": ["-c:v", "mjpeg", "-f", "mjpeg"],
        "camera.raw": ["-s", "640x480", "-pix_fmt", "yuyv422", "-f", "rawvideo"],
    }.items():
        subprocess.run([*pattern, *more, name], check=True)
    os.mkdir("stills")
    subprocess.run([*pattern, "stills/%d.jpg"], check=True)


class Camera(http.server.BaseHTTPRequestHandler):
    """A camera on the network, at port 80: 60 pictures and then its end."""

    pictures = b""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        pictures = re.findall(rb"\xff\xd8.*?\xff\xd9", self.pictures, re.S)
        try:
            for number in range(60):
                picture = pictures[number % len(pictures)]
                self.wfile.write(b"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(picture), picture))
                # The camera's rate, and nothing that is waited for.
                time.sleep(1 / 30)
            self.wfile.write(b"--picture--\r\n")
        except OSError:
            pass

    def log_message(self, *_):
        pass


def plug_camera_in():
    Camera.pictures = pathlib.Path("frames.mjpg").read_bytes()
    server = http.server.ThreadingHTTPServer(("127.0.0.6", 80), Camera)
    threading.Thread(target=server.serve_forever, daemon=True).start()


class Command:
    """A command of a shell, in a process group of its own, and what it says."""

    def __init__(self, text, **environment):
        self.text, self.said = text, ""
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            ["bash", "-c", text], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, env={**os.environ, **environment})
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while part := os.read(self.process.stdout.fileno(), 65_536):
            with self.changed:
                self.said += part.decode(errors="replace")
                self.changed.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def wait_for(self, pattern):
        """Waits until it has said something."""
        with self.changed:
            if not self.changed.wait_for(lambda: re.search(pattern, self.said), PATIENCE):
                raise Surprise(f"it did not say {pattern!r}, but:\n{self.said[-2000:]}")

    def interrupt(self):
        """Ctrl-C: a signal for all of its processes."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self, status=0):
        """Waits for its end. Its status is not looked at where `status` is None."""
        try:
            ended = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Surprise(f"it did not end:\n{self.said[-2000:]}") from None
        self.reader.join(PATIENCE)
        if status is not None and ended != status:
            raise Surprise(f"status {ended} instead of {status}:\n{self.said[-2000:]}")
        return self.said
