#!/usr/bin/env python3
"""How old live pictures are at their consumer: ages.py FOLDER-WITH-THE-EXECUTABLES SECONDS. Run by `run`, within namespaces.

A camera is played here, and so is the consumer, which reads the recording of frame-receive from a FIFO. Each picture carries its
number, so its true age is known when its last byte is read, whatever the programs report. All cases run at once.
"""
import json
import math
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here.parent / "Support"), str(here.parent / "Chaos")]
import pictures
import tally

BINARIES, SECONDS = os.path.abspath(sys.argv[1]), float(sys.argv[2])
# Of the 99th percentile, and of the difference between what is reported and what is true.
MOST_AGE, MOST_ERROR = 0.100, 0.020
WIDTH, HEIGHT, BLOCK, BITS = 320, 240, 16, 20


class Camera:
    """Makes pictures at a rate, whatever becomes of them, and remembers when each was born."""

    def __init__(self, rate):
        self.rate, self.born = rate, {}

    def write(self, give):
        """Gives the picture of each moment, until the time is over. One that is late is left out, as by a camera."""
        begun, number = time.monotonic(), 0
        while (now := time.monotonic()) - begun < SECONDS:
            if (due := begun + number / self.rate) > now:
                # The camera's own pace, which nothing is waited for with.
                time.sleep(due - now)
            else:
                number = math.floor((now - begun) * self.rate)
            self.born[number + 1] = time.monotonic()
            try:
                give(number + 1)
            except OSError:
                return
            number += 1


class HTTPCamera(Camera):
    """JPEGs over HTTP, as cameras in a network send them. A client that does not read misses pictures."""

    def __init__(self, rate, largest):
        super().__init__(rate)
        self.largest = largest
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "http://127.0.0.1:%d/stream" % self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        client = self._listener.accept()[0]
        client.recv(4096)
        client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n")

        def give(number):
            jpeg = pictures.picture(number, self.largest)
            client.sendall(b"--x\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg))

        self.write(give)
        client.close()


class RawCamera(Camera):
    """Y4M into a pipe, with a rate in its header that is not its own. A picture's number is in its blocks, black and white."""

    def __init__(self, rate, said):
        super().__init__(rate)
        self.said = said
        self.reading, self._writing = os.pipe()
        os.set_inheritable(self.reading, True)

    def begin(self):
        os.close(self.reading)
        threading.Thread(target=self._write, daemon=True).start()

    def _write(self):
        chroma = bytes([128]) * (WIDTH * HEIGHT // 2)
        with open(self._writing, "wb", buffering=0) as pipe:
            pipe.write(b"YUV4MPEG2 W%d H%d F%d:1 C420jpeg\n" % (WIDTH, HEIGHT, self.said))

            def give(number):
                row = b"".join(bytes([235 if number >> bit & 1 else 16]) * BLOCK for bit in range(BITS)).ljust(WIDTH, b"\x80")
                rest = memoryview(b"FRAME\n" + row * HEIGHT + chroma)
                while rest:
                    rest = rest[os.write(pipe.fileno(), rest):]

            self.write(give)


def numbers_of_jpegs(fifo):
    rest = b""
    while part := os.read(fifo, 1 << 16):
        found, rest = pictures.walk(rest + part)
        yield from found


def numbers_of_y4m(fifo):
    with open(fifo, "rb", closefd=False) as file:
        file.readline()
        while file.readline():
            picture = file.read(WIDTH * HEIGHT * 3 // 2)
            middle = WIDTH * (HEIGHT // 2) + BLOCK // 2
            yield sum(1 << bit for bit in range(BITS) if picture[middle + bit * BLOCK] > 128)


def events(process):
    for line in process.stdout:
        yield json.loads(line)


def percentile(ages, share):
    return sorted(ages)[min(len(ages) - 1, math.ceil(share * len(ages)))]


class Link:
    """A second machine, which a link with a rate leads to: a network namespace, and tbf in front of it."""

    address = "10.77.0.2"

    def __init__(self, rate):
        def ip(*words):
            subprocess.run(["ip", *words], check=True)

        ip("netns", "add", "far")
        ip("link", "add", "near0", "type", "veth", "peer", "name", "far0", "netns", "far")
        ip("address", "add", "10.77.0.1/24", "dev", "near0")
        ip("link", "set", "near0", "up")
        ip("-n", "far", "address", "add", self.address + "/24", "dev", "far0")
        ip("-n", "far", "link", "set", "far0", "up")
        ip("-n", "far", "link", "set", "lo", "up")
        subprocess.run(["tc", "qdisc", "add", "dev", "near0", "root", "tbf", "rate", rate, "burst", "16kb", "limit", "1000000"], check=True)


def measure(what, camera, folder, link=None):
    """Streams the camera, and checks how old its pictures were at the end of the FIFO."""
    raw = isinstance(camera, RawCamera)
    fifo = os.path.join(folder, "recording.y4m" if raw else "recording.mjpg")
    os.mkfifo(fifo)
    # Held open here, so that neither side waits for the other.
    reading = os.open(fifo, os.O_RDWR)
    receiver = subprocess.Popen(
        [*(["ip", "netns", "exec", "far"] if link else []), f"{BINARIES}/frame-receive", "--listen", f"{link.address if link else '127.0.0.1'}:0",
         *(["--insecure"] if link else []), "--once", "--record", fifo, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    said = events(receiver)
    port = next(event["port"] for event in said if event["event"] == "listening")
    send = [f"{BINARIES}/frame-send", "--input", "-", "--insecure", "--to", f"{link.address if link else '127.0.0.1'}:{port}"]
    if raw:
        sender = subprocess.Popen([*send, "--live"], stdin=camera.reading, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        camera.begin()
    else:
        curl = subprocess.Popen(["curl", "-sN", camera.address], stdout=subprocess.PIPE)
        sender = subprocess.Popen(send, stdin=curl.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        curl.stdout.close()
    ages, last = [], 0

    def consume():
        nonlocal last
        for number in (numbers_of_y4m if raw else numbers_of_jpegs)(reading):
            ages.append(time.monotonic() - camera.born[number])
            tally.check(f"{what}: each picture is newer than the one before", number > last, f"{number} after {last}")
            last = number

    consumer = threading.Thread(target=consume, daemon=True)
    consumer.start()
    reported = None
    for event in said:
        if event["event"] == "summary" and event["scope"] == "total":
            reported = event
    receiver.wait(60)
    # The writer here is the last one.
    os.close(reading)
    sender.wait(60)
    expected = SECONDS * camera.rate * (0.1 if link else 0.8)
    tally.check(f"{what}: pictures arrive all the time", len(ages) > expected, f"{len(ages)} of {len(camera.born)}")
    true = {name: percentile(ages, share) for name, share in (("p50", 0.5), ("p99", 0.99))}
    latency = reported["latency_ms"]
    words = ", ".join(f"{name} {true[name] * 1e3:.1f} ms" + (f" (reported {latency[name]:.1f})" if latency else "") for name in true)
    print(f"{what}: {len(ages)} of {len(camera.born)} pictures, true age {words}, at most {max(ages) * 1e3:.1f} ms", flush=True)
    tally.check(f"{what}: p99 of the true age is below {MOST_AGE * 1e3:.0f} ms", true["p99"] < MOST_AGE, words)
    for name in true:
        tally.check(f"{what}: the reported {name} is right, or null", latency is None or abs(latency[name] / 1e3 - true[name]) < MOST_ERROR, words)


def main():
    cases = [(f"MJPEG over HTTP at {rate} fps", HTTPCamera(rate, 20_000), None) for rate in (33, 60, 120)]
    cases.append(("Y4M at 60 fps that says 10, with --live", RawCamera(60, 10), None))
    cases.append(("MJPEG over HTTP at 60 fps, over a link of 4 Mbit/s", HTTPCamera(60, 10_000), Link("4mbit")))
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        def attempt(number, what, camera, link):
            try:
                os.mkdir(os.path.join(folder, str(number)))
                measure(what, camera, os.path.join(folder, str(number)), link)
            except Exception:
                tally.check(f"{what}: ran to its end", False, traceback.format_exc())

        threads = [threading.Thread(target=attempt, args=(number, *case), daemon=True) for number, case in enumerate(cases)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS + 180)
            tally.check("it ends", not thread.is_alive())
    return tally.conclude("ages of live pictures: ")


if __name__ == "__main__":
    sys.exit(main())
