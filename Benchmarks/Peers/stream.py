"""Other programs that move pictures, streamed the way their own examples do it: one process that sends and one that receives.

usage: stream.py KIND send|receive --address HOST:PORT [--fps F --seconds S] [--jpeg FILE] [--consume-ms M] [--log FILE]

KIND: fifo, tutorial, imagezmq-reqrep, imagezmq-pubsub, netgear-reqrep, netgear-pubsub, gstreamer, gstreamer-latest, ffmpeg.

The pictures are those of a camera with a rate: picture n is taken at start + n * period, and who asks is given the newest one. The
sender prints {"start", "period"} in nanoseconds of CLOCK_MONOTONIC, which is the same for all processes here; the receiver
writes a line `n nanoseconds` to its log for each picture as it gets it, before its own time for it (--consume-ms). What
travels is a JPEG with its number in a comment; those who take pixels only (tutorial, netgear) have it in the picture, and
their times contain their codec's. Both print {"ready":1} when the other end may start, and their CPU time and peak memory
last, at SIGTERM where they have no end of their own.
"""
import argparse
import json
import os
import queue
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

# In the JPEG: FF D8, FF FE, two bytes of length, "FRIG", then ten digits.
DIGITS = slice(10, 20)


def say(**words):
    print(json.dumps(words), flush=True)


class Usage:
    """CPU time since it was begun and peak memory, of this process and of the programs that it runs."""

    def __init__(self):
        self.programs = []
        self.begun = 0.0

    def cpu(self):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        total = usage.ru_utime + usage.ru_stime
        for program in self.programs:
            try:
                with open(f"/proc/{program.pid}/stat") as file:
                    words = file.read().rsplit(")", 1)[1].split()
                total += (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
            except (OSError, IndexError):
                pass
        return total

    def begin(self):
        self.begun = self.cpu()

    def peak(self):
        total = 0
        for pid in ["self"] + [program.pid for program in self.programs]:
            try:
                with open(f"/proc/{pid}/status") as file:
                    total += next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024
            except (OSError, StopIteration):
                pass
        return total / 1e6

    def end(self, *_):
        """The last words. From a signal too, whatever hangs."""
        say(cpuSeconds=self.cpu() - self.begun, peakMegabytes=self.peak())
        for program in self.programs:
            program.kill()
        os._exit(0)


usage = Usage()


class Camera:
    """Pictures at a rate, of which one can have the newest."""

    def __init__(self, options):
        self.period = int(1e9 / options.fps)
        usage.begin()
        self.start = time.monotonic_ns()
        self.stop = self.start + int(options.seconds * 1e9)
        self.last = -1
        say(start=self.start, period=self.period)

    def newest(self):
        """The number of the newest picture that was not given yet, waiting for it; None at the end."""
        number = max((time.monotonic_ns() - self.start) // self.period, self.last + 1)
        due = self.start + number * self.period
        if due >= self.stop:
            return None
        left = due - time.monotonic_ns()
        if left > 0:
            time.sleep(left / 1e9)
        self.last = number
        return number

    def __iter__(self):
        while (number := self.newest()) is not None:
            yield number


class Consumer:
    """Takes pictures, and time for each."""

    def __init__(self, options):
        self.seconds = options.consume_ms / 1000
        self.log = open(options.log, "w", buffering=1)
        self.count = 0

    def take(self, number):
        self.log.write(f"{number} {time.monotonic_ns()}\n")
        if self.count == 0:
            usage.begin()
        self.count += 1
        if self.seconds:
            time.sleep(self.seconds)


def jpeg_maker(path):
    with open(path, "rb") as file:
        jpeg = file.read()
    assert jpeg[6:10] == b"FRIG", "not a picture of the rig's"
    return lambda number: jpeg[:10] + b"%010d" % number + jpeg[20:]


def number_of(jpeg):
    return int(bytes(jpeg[DIGITS]))


# Pixels: 24 squares of 16 x 16 in the first lines, black and white.


def picture_maker(encode):
    """720p noise that `encode`, quality 90, makes some 100 kB of."""
    import numpy as np

    random = np.random.default_rng(1)
    grain = random.integers(-128, 128, (720, 1280, 3)).astype(np.float32)
    slope = np.linspace(60, 190, 1280, dtype=np.float32)[None, :, None]
    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        picture = np.clip(slope + grain * middle, 0, 255).astype(np.uint8)
        if len(encode(picture)) < 100_000:
            low = middle
        else:
            high = middle

    def make(number):
        for bit in range(24):
            picture[0:16, bit * 16 : bit * 16 + 16] = 235 if number >> bit & 1 else 20
        return picture

    return make


def number_in(picture):
    return sum(1 << bit for bit in range(24) if picture[8, bit * 16 + 8, 1] > 128)


def host_and_port(options):
    host, port = options.address.rsplit(":", 1)
    return host, int(port)


def wait_until_listening(port):
    """For programs that do not say when they listen: asking them would be their first connection."""
    while True:
        with open("/proc/net/tcp") as file:
            for line in file.readlines()[1:]:
                words = line.split()
                if words[3] == "0A" and int(words[1].split(":")[1], 16) == port:
                    return
        time.sleep(0.02)


def read_exactly(file, count):
    data = bytearray()
    while len(data) < count:
        part = file.recv(count - len(data)) if isinstance(file, socket.socket) else file.read(count - len(data))
        if not part:
            usage.end()
        data += part
    return data


# The negative control: no answer, no bound. Everything is sent in its turn.


def fifo_send(options):
    make = jpeg_maker(options.jpeg)
    connection = socket.create_connection(host_and_port(options))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    waiting = queue.Queue()

    def send():
        while True:
            data = waiting.get()
            connection.sendall(len(data).to_bytes(4, "big") + data)

    threading.Thread(target=send, daemon=True).start()
    for number in Camera(options):
        waiting.put(make(number))


def fifo_receive(options):
    listener = socket.create_server(host_and_port(options))
    say(ready=1)
    connection, _ = listener.accept()
    consumer = Consumer(options)
    while True:
        data = read_exactly(connection, int.from_bytes(read_exactly(connection, 4), "big"))
        consumer.take(number_of(data))


# The loop of the tutorials, as in tutorial_loop.py.


def tutorial_send(options):
    import cv2

    def encode(picture):
        return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]

    make = picture_maker(encode)
    client = socket.create_connection(host_and_port(options))
    for number in Camera(options):
        data = encode(make(number)).tobytes()
        client.send(f"{len(data)}, ".encode())
        assert client.recv(1024) == b"ok"
        client.sendall(data)
        assert client.recv(1024) == b"ok"
    client.send(b"over")


def tutorial_receive(options):
    import cv2
    import numpy as np

    listener = socket.create_server(host_and_port(options))
    say(ready=1)
    connection, _ = listener.accept()
    consumer = Consumer(options)
    while True:
        text = connection.recv(1024).decode()
        if text in ("over", ""):
            return
        connection.send(b"ok")
        data = read_exactly(connection, int(text.split(",")[0]))
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        consumer.take(number_in(picture))
        connection.send(b"ok")


# imageZMQ: send_jpg, as its documentation says for slow links.


def imagezmq_reqrep_send(options):
    import imagezmq

    make = jpeg_maker(options.jpeg)
    sender = imagezmq.ImageSender(connect_to=f"tcp://{options.address}")
    for number in Camera(options):
        sender.send_jpg(str(number), make(number))


def imagezmq_reqrep_receive(options):
    import imagezmq

    hub = imagezmq.ImageHub(open_port=f"tcp://{options.address}")
    say(ready=1)
    consumer = Consumer(options)
    while True:
        number, _ = hub.recv_jpg()
        consumer.take(int(number))
        hub.send_reply(b"OK")


def imagezmq_pubsub_send(options):
    import imagezmq

    make = jpeg_maker(options.jpeg)
    sender = imagezmq.ImageSender(connect_to=f"tcp://{options.address}", REQ_REP=False)
    say(ready=1)
    # A subscription takes a moment, and nobody says when it is there.
    time.sleep(1.5)
    for number in Camera(options):
        sender.send_jpg(str(number), make(number))


def imagezmq_pubsub_receive(options):
    import imagezmq

    hub = imagezmq.ImageHub(open_port=f"tcp://{options.address}", REQ_REP=False)
    consumer = Consumer(options)
    while True:
        number, _ = hub.recv_jpg()
        consumer.take(int(number))


# VidGear's NetGear: encodes and decodes itself.


def netgear(options, pattern, receives):
    from vidgear.gears import NetGear

    host, port = host_and_port(options)
    return NetGear(address=host, port=str(port), protocol="tcp", pattern=pattern, receive_mode=receives, logging=False)


def netgear_send(options, pattern):
    import simplejpeg

    make = picture_maker(lambda picture: simplejpeg.encode_jpeg(
        picture, quality=90, colorspace="BGR", colorsubsampling="420", fastdct=True))
    gear = netgear(options, pattern, False)
    if pattern == 2:
        time.sleep(1.0)
    for number in Camera(options):
        gear.send(make(number))


def netgear_receive(options, pattern):
    gear = netgear(options, pattern, True)
    say(ready=1)
    consumer = Consumer(options)
    while (picture := gear.recv()) is not None:
        consumer.take(number_in(picture))


# GStreamer: multipart over TCP, the sender listens.


def gstreamer(pipeline):
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstApp", "1.0")
    from gi.repository import Gst, GstApp  # noqa: F401 (GstApp gives appsrc and appsink their methods)

    Gst.init(None)
    pipeline = Gst.parse_launch(pipeline)
    pipeline.set_state(Gst.State.PLAYING)
    return Gst, pipeline


def gstreamer_send(options, sink):
    make = jpeg_maker(options.jpeg)
    host, port = host_and_port(options)
    Gst, pipeline = gstreamer(
        "appsrc name=source is-live=true format=time do-timestamp=true caps=image/jpeg "
        f"! multipartmux ! tcpserversink host={host} port={port} {sink}")
    wait_until_listening(port)
    say(ready=1)
    source = pipeline.get_by_name("source")
    time.sleep(1.5)
    for number in Camera(options):
        source.push_buffer(Gst.Buffer.new_wrapped(make(number)))


def gstreamer_receive(options):
    host, port = host_and_port(options)
    Gst, pipeline = gstreamer(
        f"tcpclientsrc host={host} port={port} ! multipartdemux single-stream=true ! appsink name=sink sync=false")
    consumer = Consumer(options)
    sink = pipeline.get_by_name("sink")
    while True:
        sample = sink.try_pull_sample(Gst.SECOND // 10)
        if sample is None:
            continue
        found, mapped = sample.get_buffer().map(Gst.MapFlags.READ)
        assert found
        number = number_of(mapped.data[:20])
        sample.get_buffer().unmap(mapped)
        consumer.take(number)


# FFmpeg: multipart over TCP, the receiver listens, nothing is encoded anew.


def ffmpeg(arguments, **pipes):
    program = subprocess.Popen(["ffmpeg", "-v", "error", "-nostdin"] + arguments, **pipes)
    usage.programs.append(program)
    return program


def ffmpeg_send(options):
    make = jpeg_maker(options.jpeg)
    program = ffmpeg(
        ["-fflags", "nobuffer", "-probesize", "32", "-f", "mjpeg", "-framerate", str(options.fps), "-i", "-", "-c", "copy",
         "-flush_packets", "1", "-f", "mpjpeg", f"tcp://{options.address}?tcp_nodelay=1"], stdin=subprocess.PIPE)
    for number in Camera(options):
        program.stdin.write(make(number))
        program.stdin.flush()


def ffmpeg_receive(options):
    with open(options.jpeg, "rb") as file:
        size = len(file.read())
    program = ffmpeg(
        ["-fflags", "nobuffer", "-probesize", "32", "-f", "mpjpeg", "-i", f"tcp://{options.address}?listen", "-c", "copy",
         "-flush_packets", "1", "-f", "mjpeg", "-"], stdout=subprocess.PIPE)
    wait_until_listening(host_and_port(options)[1])
    say(ready=1)
    consumer = Consumer(options)
    while True:
        consumer.take(number_of(read_exactly(program.stdout, size)))


KINDS = {
    "fifo": (fifo_send, fifo_receive),
    "tutorial": (tutorial_send, tutorial_receive),
    "imagezmq-reqrep": (imagezmq_reqrep_send, imagezmq_reqrep_receive),
    "imagezmq-pubsub": (imagezmq_pubsub_send, imagezmq_pubsub_receive),
    "netgear-reqrep": (lambda o: netgear_send(o, 1), lambda o: netgear_receive(o, 1)),
    "netgear-pubsub": (lambda o: netgear_send(o, 2), lambda o: netgear_receive(o, 2)),
    "gstreamer": (lambda o: gstreamer_send(o, ""), gstreamer_receive),
    "gstreamer-latest": (
        lambda o: gstreamer_send(o, "recover-policy=latest buffers-soft-max=4"), gstreamer_receive),
    "ffmpeg": (ffmpeg_send, ffmpeg_receive),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("role", choices=["send", "receive"])
    parser.add_argument("--address", required=True)
    parser.add_argument("--fps", type=float, default=30)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--consume-ms", type=float, default=0)
    parser.add_argument("--jpeg")
    parser.add_argument("--log")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, usage.end)
    KINDS[options.kind][options.role == "receive"](options)
    usage.end()


if __name__ == "__main__":
    main()
