#!/usr/bin/env python3
"""Checks frame-send and frame-receive against the OpenCV tutorial's programs, the protocol document's own sender in Python,
and libjpeg-turbo's programs.

Needs OpenCV and numpy (run.sh makes an environment with them), ffmpeg, cjpeg and djpeg. The executables are those in the
folder that is named. Every wait has a limit. Exits with 1 where anything failed.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request

import cv2
import numpy

import clip

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "Support"))
import tally
from tally import check

PATIENCE = 180


class Receiver:
    """frame-receive --json on a port of its own, with the pictures in a browser where `preview` says so."""

    preview = False

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [program("frame-receive"), "--listen", "127.0.0.1:0", "--json", *arguments]
            + (["--preview", "0"] if Receiver.preview else []),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watch = threading.Timer(PATIENCE, self.process.kill)
        watch.daemon = True
        watch.start()
        self.watch = watch
        self.port = json.loads(self.process.stdout.readline())["port"]
        if Receiver.preview:
            page = json.loads(self.process.stdout.readline())["url"]
            with urllib.request.urlopen(page, timeout=PATIENCE) as answer:
                check("there is a page", answer.status == 200, page)

    def finish(self, interrupt=True):
        if interrupt:
            self.process.send_signal(signal.SIGINT)
        output, complaints = self.process.communicate(timeout=PATIENCE)
        self.watch.cancel()
        summaries = [line for line in map(json.loads, output.splitlines()) if line["event"] == "summary"]
        check("frame-receive ends with status 0", self.process.returncode == 0, complaints)
        return [line for line in summaries if line["scope"] == "connection"], summaries[-1]




def program(name):
    return os.path.join(options.binaries, name)


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **more)


def client(port, frames, **more):
    return subprocess.Popen(
        [sys.executable, os.path.join(HERE, "tutorial_client.py"), "127.0.0.1", str(port), "--frames", str(frames)]
        + [word for key, value in more.items() for word in (f"--{key}", str(value))],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def expect_client(process, frames):
    output, complaints = process.communicate(timeout=PATIENCE)
    check("the tutorial's client ends well", process.returncode == 0, complaints)
    check(f"it sent {frames}", output.rstrip().endswith(f"sent {frames}"), output)
    check("it has a delay for each", output.count("delay: ") == frames, output)


def check_summaries(connections, total, frames):
    check("a summary for each client", len(connections) == len(frames), connections)
    check("every frame arrives", sorted(line["frames"] for line in connections) == sorted(frames), connections)
    check("over ends each", all(line["end"] == "over" for line in connections), connections)
    check("the handshake was recognised", all(line["handshake"] == "text" for line in connections), connections)
    check("none undecodable", total["decode_failures"] == 0, total)
    check("the total is the sum", total["frames"] == sum(frames), total)
    check("no clock and no count of skipped", total["latency_ms"] is None and total["skipped"] is None, total)


def one_after_another():
    receiver = Receiver()
    frames = [40, 1, 25]
    for count in frames:
        expect_client(client(receiver.port, count), count)
    check_summaries(*receiver.finish(), frames)


def four_at_once(folder):
    receiver = Receiver("--record", os.path.join(folder, "four"))
    frames = [30, 31, 32, 33]
    clients = [client(receiver.port, count) for count in frames]
    for process, count in zip(clients, frames):
        expect_client(process, count)
    check_summaries(*receiver.finish(), frames)
    counts = []
    for name in ["four", "four-2", "four-3", "four-4"]:
        path = os.path.join(folder, name)
        files = sorted(os.listdir(path)) if os.path.isdir(path) else []
        counts.append(len(files))
        errors = [
            clip.squared_error(cv2.imread(os.path.join(path, file)), clip.picture(number, 320, 240))
            for number, file in enumerate(files)]
        worst = clip.psnr(max(errors)) if errors else 0
        check(f"the pictures in {name} are those that were sent, in order", worst > 25, f"{worst:.1f} dB")
    check("each client has a recording", sorted(counts) == frames, counts)


def video_client(folder):
    """The tutorial's own way: VideoCapture of a file."""
    video = os.path.join(folder, "video.avi")
    writer = cv2.VideoWriter(video, cv2.VideoWriter_fourcc(*"MJPG"), 30, (320, 240))
    for number in range(20):
        writer.write(clip.picture(number, 320, 240))
    writer.release()
    receiver = Receiver("--once")
    expect_client(client(receiver.port, 1000, video=video), 20)
    check_summaries(*receiver.finish(interrupt=False), [20])


def with_preview(folder):
    """The same for a receiver that shows what it gets in a browser."""
    Receiver.preview = True
    again = os.path.join(folder, "with-preview")
    os.makedirs(again)
    one_after_another()
    four_at_once(again)
    video_client(again)
    minimal_sender(again)


def to_the_server(folder):
    """frame-send --handshake text to the tutorial's server: two senders, one after another."""
    keep = os.path.join(folder, "kept")
    os.makedirs(keep)
    width, height, frames = 320, 240, 30
    source = os.path.join(folder, "source.y4m")
    clip.write_y4m(source, frames, width, height)
    server = subprocess.Popen(
        [sys.executable, os.path.join(HERE, "tutorial_server.py"), "--clients", "2", "--keep", keep],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watch = threading.Timer(PATIENCE, server.kill)
    watch.daemon = True
    watch.start()
    port = server.stdout.readline().split()[1]
    for _ in range(2):
        outcome = run(
            program("frame-send"), "--input", source, "--to", f"127.0.0.1:{port}", "--handshake", "text", "--pace",
            "max", "--quality", "90", "--json")
        check("frame-send ends with status 0", outcome.returncode == 0, outcome.stderr)
        total = json.loads(outcome.stdout.splitlines()[-1])
        check("every frame is acknowledged", total["acknowledged"] == total["produced"] == frames, total)
        check("it ended with over", total["end"] == "over", total)
    output, complaints = server.communicate(timeout=PATIENCE)
    watch.cancel()
    check("the tutorial's server ends well", server.returncode == 0, complaints)
    check("it was told over twice", output.split("\n")[-3:-1] == [f"over {frames}"] * 2, output)
    worst = 0.0
    for sender in "01":
        names = sorted(os.listdir(os.path.join(keep, sender)))
        check(f"sender {sender}: every frame", len(names) == frames, len(names))
        for number, name in enumerate(names):
            decoded = numpy.load(os.path.join(keep, sender, name))
            gray = cv2.cvtColor(decoded, cv2.COLOR_BGR2GRAY)
            worst = max(worst, clip.squared_error(gray, full_range(clip.luma(number, width, height))))
    print(f"tutorial server: worst luma PSNR of {2 * frames} frames {clip.psnr(worst):.2f} dB")
    check("the pictures are those that were sent, in order", clip.psnr(worst) > 33, f"{clip.psnr(worst):.2f} dB")


def minimal_sender(folder):
    """The protocol document's own sender, which shares no code with the package, to frame-receive."""
    script = os.path.join(HERE, "minimal_sender.py")
    with open(script) as file, open(os.path.join(HERE, "../../Docs/WireProtocol.md")) as document:
        check("the document shows minimal_sender.py as it is", f"```python\n{file.read()}```\n" in document.read())
    pictures, frames = os.path.join(folder, "to-send"), 40
    os.makedirs(pictures)
    files = []
    for number in range(frames):
        files.append(os.path.join(pictures, f"{number:03}.jpg"))
        cv2.imwrite(files[-1], clip.picture(number, 320, 240))
    kept = os.path.join(folder, "from-minimal")
    receiver = Receiver("--record", kept + "/", "--once")
    sender = run(sys.executable, script, "127.0.0.1", str(receiver.port), "320", "240", *files)
    check("minimal_sender.py ends well", sender.returncode == 0 and sender.stdout == f"sent {frames}\n", sender)
    connections, total = receiver.finish(interrupt=False)
    check("it spoke the binary protocol", [line["handshake"] for line in connections] == ["binary"], connections)
    check("it ended with BYE", [line["end"] for line in connections] == ["bye"], connections)
    check("every frame arrives and decodes", total["frames"] == frames and total["decode_failures"] == 0, total)
    names = sorted(os.listdir(kept)) if os.path.isdir(kept) else []
    same = [open(os.path.join(kept, name), "rb").read() for name in names] == [open(name, "rb").read() for name in files]
    check("the files are those that were sent, byte by byte", same, names)


def full_range(luma):
    """Limited to full range, as JPEG has it."""
    return numpy.clip((luma.astype("float64") - 16) * 255 / 219, 0, 255).round().astype("uint8")


def limited_range(luma):
    return (luma.astype("float64") * 219 / 255 + 16).round().astype("uint8")


def clip_to_y4m(folder):
    """The clip from ffmpeg through both ends into a Y4M file: as good as libjpeg-turbo's own programs at that quality."""
    frames = options.clip_frames
    source = os.path.join(folder, "clip.y4m")
    if os.path.exists(options.clip):
        made = run(
            "ffmpeg", "-v", "error", "-i", options.clip, "-frames:v", str(frames), "-f", "yuv4mpegpipe", "-pix_fmt",
            "yuv420p", source)
        check("ffmpeg reads the clip", made.returncode == 0, made.stderr)
        name = os.path.basename(options.clip)
    else:
        clip.write_y4m(source, frames, 1280, 720)
        name = "a clip made here"
    recorded = os.path.join(folder, "out.y4m")
    receiver = Receiver("--record", recorded, "--once")
    feed = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-i", source, "-f", "yuv4mpegpipe", "-pix_fmt", "yuv420p", "-"],
        stdout=subprocess.PIPE)
    sender = run(
        program("frame-send"), "--input", "-", "--to", f"127.0.0.1:{receiver.port}", "--quality", "30", "--json",
        stdin=feed.stdout)
    feed.stdout.close()
    check("ffmpeg ends well", feed.wait(PATIENCE) == 0)
    check("frame-send ends with status 0", sender.returncode == 0, sender.stderr)
    total = json.loads(sender.stdout.splitlines()[-1])
    _, received = receiver.finish(interrupt=False)
    check(f"{frames} of {frames} frames", total["produced"] == total["acknowledged"] == received["frames"] == frames, total)

    with open(recorded, "rb") as file:
        header = file.readline().decode()
    check("the recording is in the source's range", "XCOLORRANGE=LIMITED" in header, header)
    count, ours, theirs, ordered = 0, 0.0, 0.0, True
    before = None
    for original, result in zip(clip.read_y4m(source), clip.read_y4m(recorded)):
        error = clip.squared_error(original, result)
        if before is not None and clip.squared_error(before, result) < error:
            ordered = False
        before = original
        ours += error
        theirs += clip.squared_error(original, limited_range(round_trip(full_range(original))))
        count += 1
    check("every frame is in the recording", count == frames and sum(1 for _ in clip.read_y4m(recorded)) == frames, count)
    check("they are in order", ordered)
    ours, theirs = clip.psnr(ours / count), clip.psnr(theirs / count)
    print(
        f"{name}: {count} of {frames} frames at quality 30, luma PSNR {ours:.2f} dB, "
        f"cjpeg -quality 30 of the full-range picture {theirs:.2f} dB")
    check("not more than 0.3 dB below cjpeg", ours >= theirs - 0.3, f"{ours:.2f} and {theirs:.2f} dB")


def round_trip(luma):
    """Through cjpeg and djpeg. A gray JPEG has the very luma samples that a colour one of the quality has."""
    height, width = luma.shape
    picture = f"P5 {width} {height} 255\n".encode() + luma.tobytes()
    jpeg = subprocess.run(["cjpeg", "-quality", "30"], input=picture, capture_output=True, check=True).stdout
    back = subprocess.run(["djpeg", "-pnm"], input=jpeg, capture_output=True, check=True).stdout
    # P5, width and height, 255: three lines in front of the samples.
    return numpy.frombuffer(back, "uint8")[-width * height:].reshape(height, width)


def main():
    for tool in ["ffmpeg", "cjpeg", "djpeg"]:
        check(f"{tool} is installed", shutil.which(tool) is not None)
    with tempfile.TemporaryDirectory(prefix="frame-interop-") as folder:
        for part in [one_after_another, lambda: four_at_once(folder), lambda: video_client(folder),
                     lambda: to_the_server(folder), lambda: minimal_sender(folder),
                     lambda: clip_to_y4m(folder), lambda: with_preview(folder)]:
            try:
                part()
            except Exception as error:  # The other parts are run all the same.
                check(getattr(part, "__name__", "a part"), False, repr(error))
    return tally.conclude()


parser = argparse.ArgumentParser()
parser.add_argument("binaries", help="the folder with frame-send and frame-receive")
parser.add_argument(
    "--clip", default=os.path.join(HERE, "../../../shared/clips/natural-720p30.mp4"), help="a video; made where it is missing")
parser.add_argument("--clip-frames", type=int, default=300)
options = parser.parse_args()
sys.exit(main())
