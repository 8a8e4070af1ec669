"""How many pictures a second other programs carry from a clip to pixels at the other end, both ends on this machine.

usage: throughput.py KIND CLIP.y4m FRAMES QUALITY

KIND: imagezmq (REQ/REP, OpenCV's codec), gstreamer (jpegenc, multipart over TCP, jpegdec), ffmpeg (mjpeg, mpjpeg over TCP, both
with as many threads as they like). As in tutorial_loop.py the pictures are in memory before the clock starts where the program
allows it; FFmpeg reads the clip. Prints {"fps": ...}.
"""
import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import time

from stream import wait_until_listening


PROGRAMS = []


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def planes(path):
    """Width, height and the frames as they are in the file, 4:2:0."""
    with open(path, "rb") as file:
        words = file.readline().decode().split()
        width = int(next(w for w in words if w[0] == "W")[1:])
        height = int(next(w for w in words if w[0] == "H")[1:])
        frames = []
        while file.readline():
            frames.append(file.read(width * height * 3 // 2))
    return width, height, frames


def imagezmq_receive(port, count, ready):
    import cv2
    import imagezmq
    import numpy as np

    hub = imagezmq.ImageHub(open_port=f"tcp://127.0.0.1:{port}")
    ready.set()
    for _ in range(count):
        _, data = hub.recv_jpg()
        assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is not None
        hub.send_reply(b"OK")


def imagezmq_rate(path, count, quality):
    import cv2
    import imagezmq

    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from tutorial_loop import pictures

    port = free_port()
    ready = multiprocessing.Event()
    receiver = multiprocessing.Process(target=imagezmq_receive, args=(port, count, ready))
    receiver.start()
    frames = pictures(path)
    ready.wait()
    sender = imagezmq.ImageSender(connect_to=f"tcp://127.0.0.1:{port}")
    start = time.monotonic()
    for index in range(count):
        _, data = cv2.imencode(".jpg", frames[index % len(frames)], [cv2.IMWRITE_JPEG_QUALITY, quality])
        sender.send_jpg("clip", data.tobytes())
    seconds = time.monotonic() - start
    receiver.join()
    return count / seconds


def gstreamer():
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstApp", "1.0")
    from gi.repository import Gst, GstApp  # noqa: F401

    Gst.init(None)
    return Gst


def gstreamer_receive(port, count, result):
    Gst = gstreamer()
    pipeline = Gst.parse_launch(
        f"tcpserversrc host=127.0.0.1 port={port} ! multipartdemux single-stream=true ! jpegdec ! videoconvert "
        "! video/x-raw,format=BGR ! appsink name=sink sync=false max-buffers=4")
    pipeline.set_state(Gst.State.PLAYING)
    sink = pipeline.get_by_name("sink")
    first = None
    seen = 0
    while seen < count:
        sample = sink.try_pull_sample(20 * Gst.SECOND)
        assert sample is not None, f"the stream stopped after {seen} frames"
        if first is None:
            first = time.monotonic()
        else:
            seen += 1
    result.send(seen / (time.monotonic() - first))
    os._exit(0)


def gstreamer_rate(path, count, quality):
    port = free_port()
    # GStreamer and fork do not go together.
    context = multiprocessing.get_context("spawn")
    # A pipe, for a queue's thread does not survive _exit.
    result, end = context.Pipe(False)
    receiver = context.Process(target=gstreamer_receive, args=(port, count, end))
    receiver.start()
    width, height, frames = planes(path)
    wait_until_listening(port)
    Gst = gstreamer()
    pipeline = Gst.parse_launch(
        "appsrc name=source format=time block=true max-buffers=4 max-bytes=0 "
        f"caps=video/x-raw,format=I420,width={width},height={height},framerate=30/1 "
        f"! queue max-size-buffers=2 ! jpegenc quality={quality} ! multipartmux ! tcpclientsink host=127.0.0.1 port={port} sync=false")
    pipeline.set_state(Gst.State.PLAYING)
    source = pipeline.get_by_name("source")
    # More than are counted: the demultiplexer gives a frame when it sees the next one.
    for index in range(count + 8):
        buffer = Gst.Buffer.new_wrapped(frames[index % len(frames)])
        buffer.pts = index * Gst.SECOND // 30
        buffer.duration = Gst.SECOND // 30
        source.push_buffer(buffer)
    source.end_of_stream()
    return result.recv()


def ffmpeg_rate(path, count, quality):
    # mjpeg's quantiser for the same number of bytes, or nearly: libjpeg's quality 30 is a scale of 167 %.
    scale = 50 / quality if quality < 50 else 2 - quality / 50
    quantiser = max(2, round(scale * 4.3))
    port = free_port()
    receiver = subprocess.Popen(
        ["ffmpeg", "-nostdin", "-v", "error", "-f", "mpjpeg", "-i", f"tcp://127.0.0.1:{port}?listen",
         "-frames:v", str(count), "-pix_fmt", "bgr24", "-progress", "pipe:1", "-stats_period", "0.5",
         "-fps_mode", "passthrough", "-f", "rawvideo", "-y", "/dev/null"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    PROGRAMS.append(receiver)
    wait_until_listening(port)
    start = time.monotonic()
    sender = subprocess.Popen(
        ["ffmpeg", "-nostdin", "-v", "error", "-stream_loop", "-1", "-i", path, "-frames:v", str(count), "-c:v", "mjpeg",
         "-q:v", str(quantiser), "-pix_fmt", "yuvj420p", "-fps_mode", "passthrough", "-f", "mpjpeg",
         f"tcp://127.0.0.1:{port}"])
    PROGRAMS.append(sender)
    frames = 0
    for line in receiver.stdout:
        found = re.match(r"frame=(\d+)", line)
        if found:
            frames = int(found.group(1))
    receiver.wait()
    seconds = time.monotonic() - start
    sender.wait()
    assert frames >= count * 0.99, f"{frames} of {count} frames arrived"
    return frames / seconds


RATES = {"imagezmq": imagezmq_rate, "gstreamer": gstreamer_rate, "ffmpeg": ffmpeg_rate}


def give_up(*_):
    """A program that hangs must not hang the benchmark."""
    for child in multiprocessing.active_children():
        child.kill()
    for program in PROGRAMS:
        program.kill()
    sys.exit("nothing came of it in two minutes")


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(120)
    kind, path, count, quality = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    print(json.dumps({"fps": RATES[kind](path, count, quality)}), flush=True)
    os._exit(0)
