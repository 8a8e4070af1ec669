#!/usr/bin/env python3
"""Checks Examples/python against frame-send and frame-receive, against each other, and against malformed input.

Needs OpenCV and numpy (run.sh makes an environment with them). The executables are those in the folder that is named. Every wait
has a limit. Exits with 1 where anything failed.
"""
import glob
import json
import os
import re
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import traceback
import urllib.request

import cv2
import numpy

import clip

from ends import PATIENCE, PYTHON, ROOT, Program, python, summary, swift  # it makes the next ones be found
import receive
import send
import tally
from tally import check

FRAMES, WIDTH, HEIGHT = 300, 320, 240


def smooth(number):
    """A colour picture that JPEG keeps well, and in which each number looks different."""
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH].astype("float32")
    planes = [127 + 100 * numpy.sin((x * a + y * b) / 160 + number * c) for a, b, c in ((1, 2, 0.5), (2, 1, 0.3), (1, 1, 0.7))]
    return numpy.dstack(planes).round().astype("uint8")


def make_video(folder):
    path = os.path.join(folder, "lossless.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"FFV1"), 200, (WIDTH, HEIGHT))
    for number in range(FRAMES):
        writer.write(smooth(number))
    writer.release()
    video = cv2.VideoCapture(path)
    originals = [video.read()[1] for _ in range(FRAMES)]
    check("the video has its frames", all(image is not None for image in originals))
    return path, originals


def worst(images, originals):
    """dB of the worst pair."""
    check(f"{len(originals)} pictures", len(images) == len(originals), len(images))
    return clip.psnr(max(clip.squared_error(*pair) for pair in zip(images, originals)))


def recorded(folder):
    return [cv2.imread(name) for name in sorted(glob.glob(os.path.join(folder, "*.jpg")))]


def to_frame_receive(folder, video, originals):
    """send.py connects, then it listens."""
    for listening in (False, True):
        kept = os.path.join(folder, f"kept-{listening}")
        if listening:
            sender = python("send.py", "--listen", "127.0.0.1:0", video, "--quality", "92", "--stream", "front")
            receiver = swift("frame-receive", "--from", sender.wait_port(), "--once", "--decode", "bgr", "--record", kept + "/")
        else:
            receiver = swift("frame-receive", "--listen", "127.0.0.1:0", "--once", "--decode", "bgr", "--record", kept + "/")
            sender = python("send.py", "--to", receiver.wait_port(), video, "--quality", "92", "--stream", "front")
        check("send.py has sent all", sender.finish() == [f"sent {FRAMES}"], sender.out)
        total = summary(receiver)
        check("frame-receive consumed all", total["frames"] == FRAMES and total["decode_failures"] == 0, total)
        check("with their delay", total["latency_ms"] and total["latency_ms"]["p50"] < 10_000, total)
        connection, = (line for line in map(json.loads, receiver.out[:-1]) if line["event"] == "summary")
        check("named, and ended in good order", (connection["stream"], connection["end"]) == ("front", "bye"), connection)
        quality = worst(recorded(kept), originals)
        print(f"send.py {'listens' if listening else 'connects'}, frame-receive: worst of {FRAMES} at quality 92: {quality:.2f} dB")
        check("the pictures are those that were sent", quality >= 35, quality)


def from_frame_send(folder):
    """receive.py's class in this process listens; its program connects."""
    source = os.path.join(folder, "source.y4m")
    clip.write_y4m(source, FRAMES, WIDTH, HEIGHT)
    originals = [numpy.clip((luma.astype("float64") - 16) * 255 / 219, 0, 255) for luma in clip.read_y4m(source)]
    feed = ["--input", source, "--quality", "92", "--rate", "200"]
    with receive.FrameReceiver(listen="127.0.0.1:0") as receiver:
        sender = swift("frame-send", *feed, "--to", f"127.0.0.1:{receiver.port}", "--stream", "a file")
        frames = list(receiver)
        total = summary(sender)
    check("frame-send has all acknowledged", total["acknowledged"] == FRAMES and total["end"] == "bye", total)
    check("in order", [frame.sequence for frame in frames] == list(range(1, FRAMES + 1)))
    check("of increasing capture times", all(a.capture_time < b.capture_time for a, b in zip(frames, frames[1:])))
    check("each with its delay", all(0 < frame.latency < 10 for frame in frames), [frame.latency for frame in frames][:5])
    check("and the stream's name", {frame.stream for frame in frames} == {"a file"})
    quality = worst([cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY) for frame in frames], originals)
    print(f"frame-send, receive.py: worst luma of {FRAMES} at quality 92: {quality:.2f} dB")
    check("the pictures are those that were sent", quality >= 35, quality)

    sender = swift("frame-send", *feed, "--listen", "127.0.0.1:0", "--no-reconnect")
    kept = os.path.join(folder, "from-frame-send")
    receiver = python("receive.py", "--from", sender.wait_port(), "--once", "--json", "--save", kept)
    lines = [json.loads(line) for line in receiver.finish()]
    check("receive.py has all", [line["sequence"] for line in lines] == list(range(1, FRAMES + 1)), len(lines))
    check("each with its delay", all(line["latency_ms"] is not None for line in lines))
    check("frame-send has all acknowledged", summary(sender)["acknowledged"] == FRAMES)
    check("and saved them", recorded(kept)[-1].shape == (HEIGHT, WIDTH, 3) and len(os.listdir(kept)) == FRAMES)


def python_both(video):
    for listening in (False, True):
        if listening:
            sender = python("send.py", "--listen", "0", video)
            receiver = python("receive.py", "--from", f"tcp://{sender.wait_port()}", "--json")
        else:
            receiver = python("receive.py", "--listen", "0", "--once", "--json")
            sender = python("send.py", "--to", f"tcp://{receiver.wait_port()}/", video)
        lines = [json.loads(line) for line in receiver.finish()]
        check("all arrive", [line["source_sequence"] for line in lines] == list(range(FRAMES)), len(lines))
        check("a stream has the machine's name", {line["stream"] for line in lines} == {socket.gethostname()}, lines[0])
        check("all are acknowledged", sender.finish() == [f"sent {FRAMES}"], sender.out)


def killed(video):
    """Each side in mid-stream; the next one is served."""
    receiver = python("receive.py", "--listen", "0", "--json", "--raw")
    sender = swift("frame-send", "--pattern", "--to", receiver.wait_port(), "--stream", "first")
    receiver.wait_until(lambda: len(receiver.out) >= 20)
    sender.kill()
    receiver.wait_until(lambda: len(receiver.err) >= 2)
    sender = swift("frame-send", "--pattern", "--frames", "20", "--policy", "reliable", "--to", receiver.wait_port(),
                   "--stream", "second")
    check("the next sender is served", summary(sender)["acknowledged"] == 20)
    lines = [json.loads(line) for line in receiver.interrupt()]
    check("with all of its frames", sum(line["stream"] == "second" for line in lines) == 20)

    sender = python("send.py", "--listen", "0", video, "--fps", "60")
    receiver = swift("frame-receive", "--from", sender.wait_port())
    receiver.wait_until(lambda: any(json.loads(line).get("frames") for line in receiver.out))  # of the 5 s that it lasts
    receiver.kill()
    receiver = swift("frame-receive", "--from", sender.wait_port(), "--once")
    check("every frame was acknowledged by one or the other", sender.finish() == [f"sent {FRAMES}"], sender.out)
    check("the next receiver is served, and not from the start", 0 < summary(receiver)["frames"] < FRAMES)

    with receive.FrameReceiver(listen="127.0.0.1:0", decode=False) as receiver:
        connections, make = [], receiver._connection
        receiver._connection = lambda: connections.append(make()) or connections[-1]
        sender, numbers = python("send.py", "--to", f"127.0.0.1:{receiver.port}", video), []
        try:
            for frame in receiver:
                numbers.append(frame.source_sequence)
                if len(numbers) == 100:
                    connections[0].link.socket.shutdown(socket.SHUT_RDWR)  # without a goodbye, as a cable would
            check("a break is an error", False)
        except receive.ConnectionLost:
            numbers += [frame.source_sequence for frame in receiver]
    check("the same session goes on where it was", numbers == list(range(FRAMES)), numbers[95:110])
    check("all are acknowledged", sender.finish() == [f"sent {FRAMES}"], sender.out)


def endings(video):
    """Who wants no more says so; who cannot be served is told why."""
    with receive.FrameReceiver(listen="127.0.0.1:0", decode=False) as receiver:
        sender = python("send.py", "--to", f"127.0.0.1:{receiver.port}", video)
        for frame in receiver:
            if frame.sequence == 10:
                break
        check("send.py ends with the receiver, before all is sent", sender.finish(status=1) == ["sent 10"], sender.out)
        check("and says why it did", "what it wanted" in str(sender.err), sender.err)
        check("and that pictures are missing", "not all pictures" in str(sender.err), sender.err)
        sender = swift("frame-send", "--pattern", "--no-reconnect", "--to", f"127.0.0.1:{receiver.port}")
        for frame in receiver:
            if frame.sequence == 10:
                break
        total = json.loads(sender.finish(status=None)[-1])
        check("and so does frame-send", total["acknowledged"] == 10, total)

        first = python("send.py", "--to", f"127.0.0.1:{receiver.port}", video, "--loop")
        for frame in receiver:
            if frame.sequence == 1:
                second = python("send.py", "--no-reconnect", "--to", f"127.0.0.1:{receiver.port}", video)
            if second.process.poll() is not None:
                break
        second.finish(status=1)
        check("a second sender is told that one is served at a time", "one sender at a time" in str(second.err), second.err)
        first.finish()

    receiver = swift("frame-receive", "--listen", "127.0.0.1:0", "--maximum-connections", "1")
    first = python("send.py", "--to", receiver.wait_port(), video, "--loop")
    receiver.wait_until(lambda: any('"progress"' in line for line in receiver.out))
    second = python("send.py", "--no-reconnect", "--to", receiver.wait_port(), video)
    second.finish(status=1)
    check("send.py says why frame-receive rejects it", "rejects us" in str(second.err), second.err)
    first.interrupt()
    check("an interrupt is an end in good order", all(json.loads(line)["end"] == "bye" for line in receiver.interrupt()
                                                      if '"connection"' in line), receiver.out)

    other = swift("frame-send", "--pattern", "--listen", "127.0.0.1:0")
    second = python("send.py", "--to", other.wait_port(), video)
    second.finish(status=1)
    check("two senders do not go together", "rejects us" in str(second.err), second.err)
    other.interrupt()


def goodbyes(video, folder):
    """Who failed says so, and the other side fails; who was stopped is waited for."""
    clip_file = os.path.join(folder, "clip.mjpg")
    with open(clip_file, "wb") as file:
        for number in range(60):
            file.write(send.encode(smooth(number), 80))
    makers = (("send.py", 300, lambda port: python("send.py", "--to", port, video)),
              ("frame-send", 60, lambda port: swift("frame-send", "--input", clip_file, "--to", port)))
    for name, count, make in makers:
        with receive.FrameReceiver(listen="127.0.0.1:0", decode=False) as receiver:
            sender, numbers = make(f"127.0.0.1:{receiver.port}"), []
            for frame in receiver:
                if len(numbers) == 10:
                    receiver.fail("restarted", receive.STOPPED)
                    break
                numbers.append(frame.source_sequence)
            numbers += [frame.source_sequence for frame in receiver]
            sender.finish()
            check(f"{name} waits for a receiver that is restarted", len(set(numbers)) == len(numbers) == count, len(numbers))
        with receive.FrameReceiver(listen="127.0.0.1:0", decode=False) as receiver:
            sender = make(f"127.0.0.1:{receiver.port}")
            for frame in receiver:
                if frame.sequence == 10:
                    receiver.fail("the disk is full")
                    break
            sender.finish(status=1)
            check(f"{name} says that the receiver failed", "the receiver failed: the disk is full" in str(sender.err), sender.err)

    # Behind a cut in Y4M nothing can be trusted, so it is an error.
    cut_file = os.path.join(folder, "cut.y4m")
    with open(cut_file, "wb") as file:
        file.write(b"YUV4MPEG2 W64 H48 F25:1 Cmono\n" + (b"FRAME\n" + bytes(range(256)) * 12) * 10)
        file.truncate(file.tell() - 20)
    for name, make in (("receive.py", lambda: python("receive.py", "--listen", "0", "--once", "--raw")),
                       ("frame-receive", lambda: swift("frame-receive", "--listen", "0", "--once"))):
        receiver = make()
        sender = swift("frame-send", "--input", cut_file, "--to", receiver.wait_port())
        sender.finish(status=1)
        receiver.finish(status=1)
        check(f"{name} says that the sender failed", "the sender failed: source failed" in str(receiver.err), receiver.err)

    receiver = python("receive.py", "--listen", "0", "--raw")
    sender = python("send.py", "--to", receiver.wait_port(), video, "--loop")
    receiver.wait_until(lambda: len(receiver.out) >= 10)
    receiver.process.terminate()
    receiver.finish()
    sender.wait_until(lambda: any("was stopped" in line for line in sender.err))
    sender.process.terminate()
    sender.finish()


def hello(boot=bytes(16), session=0):
    return message(0x81, struct.pack(receive.HELLO_FIELDS, b"FSTR", 1, 1, 1, 0, 0, 0, session, 0, 0, 0, boot), bytes(4))


def message(kind, header, payload=b"", flags=1):
    return struct.pack(">BBHI", kind, flags, len(header), len(payload)) + header + payload


def frame(sequence, captured, image):
    fields = (sequence, 0, captured, 0, -1, -1, 0, 1, 1, b"JPEG", 1, 0, 0, 0, 0, 0, 0)
    return message(0x84, struct.pack(receive.FRAME_FIELDS, *fields), image)


def in_turn():
    """A sender that listens, in this process, and receivers that take turns: each has a session of its own."""
    sender, jpeg, numbers = send.FrameSender(listen="127.0.0.1:0"), send.encode(smooth(0)), {}

    def sending():
        number = 0
        while number < 30:
            try:
                sender.send(jpeg, time.monotonic_ns(), number=number)
                number += 1
            except send.ReceiverEnded:
                number += 1  # it is kept for the next one
        while True:
            try:
                return sender.close()
            except send.ReceiverEnded:
                pass
    thread = threading.Thread(target=sending, daemon=True)
    thread.start()
    receivers = {name: receive.FrameReceiver(connect=f"127.0.0.1:{sender.port}", decode=False) for name in "ab"}
    for name, count in (("a", 5), ("b", 12), ("a", 3), ("b", 10)):
        for number, frame in enumerate(receivers[name], 1):
            numbers.setdefault(name, []).append(frame.source_sequence)
            if number == count:
                break
    thread.join(PATIENCE)
    check("the sender has ended", not thread.is_alive())
    both = sorted(numbers["a"] + numbers["b"])
    check("nobody gets a frame twice, and none is left out", both == list(range(30)), numbers)
    check("each gets them in order", all(numbers[name] == sorted(numbers[name]) for name in "ab"), numbers)
    check("all are acknowledged", sender.acknowledged == 30, sender.acknowledged)


def by_hand():
    """A sender of another machine, whose clock is 5 s ahead, with what later versions may say."""
    jpeg = send.encode(smooth(0))
    with receive.FrameReceiver(listen="127.0.0.1:0") as receiver:
        acknowledged, ahead = [], 5_000_000_000

        def sender():
            with socket.create_connection(("127.0.0.1", receiver.port)) as connection:
                connection.sendall(hello() + message(0xF0, bytes(3), bytes(100), flags=0))
                connection.sendall(message(0x8A, b"", b"unplugged", flags=0))
                link, pongs, sent = receive.Link(connection), 0, False
                while heard := link.read():
                    kind, header, _ = heard
                    if kind == 0x86:
                        now = time.monotonic_ns() + ahead
                        connection.sendall(message(0x87, header[:16] + struct.pack(">qq", now, now), flags=0))
                        pongs += 1
                    if kind == 0x85:
                        acknowledged.append((struct.unpack_from(">Q", header)[0], header[52]))
                        if len(acknowledged) == 3:
                            connection.sendall(message(0x88, bytes(4)))
                    if kind == 0x89:
                        return
                    if pongs == 3 and not sent:
                        sent, now = True, time.monotonic_ns() + ahead - 50_000_000
                        connection.sendall(frame(1, now, jpeg) + frame(2, now, b"no JPEG") + frame(3, now, jpeg))
        thread = threading.Thread(target=sender, daemon=True)
        thread.start()
        frames = list(receiver)
        thread.join(PATIENCE)
        check("the loop gets what decodes", [frame.sequence for frame in frames] == [1, 3], frames)
        check("the sender hears of each", acknowledged == [(1, 1), (2, 3), (3, 1)], acknowledged)
        check("delays are told in spite of the clocks", all(0.04 < frame.latency < 3 for frame in frames), frames)


def malformed():
    """The package's corpus: each a clean error, and then the next sender is served, by one and the same process."""
    with open(os.path.join(ROOT, "Docs/WireProtocol.md")) as document:
        lines = document.read().split("```hex HELLO\n")[1].split("```")[0]
    greeting = bytes.fromhex("".join(line.split("#")[0] for line in lines.splitlines()))
    receiver = python("receive.py", "--listen", "0", "--json")
    receiver.wait_port()
    cases = sorted(glob.glob(os.path.join(ROOT, "Tests/FrameStreamingTCPTests/Malformed/*.txt")))
    check("there is a corpus", len(cases) > 50, len(cases))
    for case in cases:
        with open(case) as file:
            lines = file.read().splitlines()
        after, octets = lines[1], bytes.fromhex("".join(lines[3:]))
        before = len(receiver.err)
        with socket.create_connection(("127.0.0.1", receiver.port), 10) as connection:
            try:
                connection.sendall((greeting if after == "after: hello" else b"") + octets)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
            except TimeoutError:
                check(f"{os.path.basename(case)} ends the connection", False)
            except OSError:
                pass  # it was ended at once
        receiver.wait_until(lambda: len(receiver.err) > before)
        said = receiver.err[before:]
        check(f"{os.path.basename(case)}: one line that says what", len(said) == 1 and said[0].startswith("receive.py: "), said)
    total = summary(swift("frame-send", "--pattern", "--policy", "reliable", "--frames", "5", "--to", receiver.wait_port()))
    check("and the next sender is served", total["acknowledged"] == 5, total)
    with open(f"/proc/{receiver.process.pid}/status") as status:
        peak = int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])
    check("nothing large was allocated", peak < 200_000, f"{peak} kB")
    receiver.interrupt()


def hostile_words():
    """What a peer says is one printable line, whatever is in it, and a flood of it is counted."""
    evil = b"evil\x1b]0;owned\x07\x1b[2J\r\nreceive.py: FORGED\x9b31m\xc2\x9b31m\x00\xe2\x80\xae\xe2\x80\xa8\xff" + b"long " * 30
    name = evil[:200]
    greeting = message(0x81, struct.pack(receive.HELLO_FIELDS, b"FSTR", 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, bytes(16)),
                       struct.pack(">H", len(name)) + name + bytes(2))

    def judge(program, what):
        lines = program.out + program.err
        check(f"{what}: printable", all(line.isprintable() for line in lines), lines)
        check(f"{what}: short", all(len(line) < 500 for line in lines), lines)
        check(f"{what}: no forged line", not any("FORGED" in line[:20] for line in lines), lines)

    for words in ((), ("--json",)):
        receiver = python("receive.py", "--listen", "0", "--raw", "--once", *words)
        receiver.wait_port()
        with socket.create_connection(("127.0.0.1", receiver.port), 10) as connection:
            connection.sendall(greeting + frame(1, 0, send.encode(smooth(0))) + message(0x88, bytes(4), evil))
            while connection.recv(65536):
                pass
        receiver.finish()
        judge(receiver, f"receive.py {words}")
        check("the name is told", "evil" in receiver.out[0], receiver.out)
    for program, arguments in (("receive.py", ["--raw", "--once", "--from"]), ("send.py", ["0.jpg", "--no-reconnect", "--to"])):
        with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.TemporaryDirectory() as folder:
            cv2.imwrite(os.path.join(folder, "0.jpg"), smooth(0))
            arguments = [folder if word == "0.jpg" else word for word in arguments]
            rejected = python(program, *arguments, "127.0.0.1:%d" % listener.getsockname()[1])
            connection = listener.accept()[0]
            connection.sendall(message(0x83, bytes(4), evil))
            rejected.finish(status=1)
            connection.close()
            judge(rejected, program)
            check("the reason is told", "rejects us: evil\\x1b" in str(rejected.err[-1]), rejected.err)
    receiver = python("receive.py", "--listen", "0", "--raw")
    receiver.wait_port()
    for _ in range(1_000):
        with socket.create_connection(("127.0.0.1", receiver.port), 10) as connection:
            connection.sendall(b"\x1b[2J" * 4)
    receiver.wait_until(lambda: len(receiver.err) > 200)
    receiver.interrupt()
    check("a storm is counted", len(receiver.err) < 500 and " more like it in " in receiver.err[-1], receiver.err[-1])


def other_format():
    """A sender whose frames are no JPEGs is told that nothing suits both: BYE with code 2 and reason 1."""
    receiver = python("receive.py", "--listen", "127.0.0.1:0", "--once")
    host, port = receiver.wait_port().split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        link = receive.Link(connection)
        link.write(receive.HELLO, struct.pack(receive.HELLO_FIELDS, b"FSTR", 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, bytes(16)), bytes(4))
        check("there is a WELCOME", link.read()[0] == receive.WELCOME)
        link.write(receive.FRAME, struct.pack(receive.FRAME_FIELDS, 1, 1, 0, 0, -1, -1, 0, 2, 2, b"GREY", *bytes(6), 0), bytes(4))
        while (message := link.read())[0] != receive.BYE:
            check("only PING comes before BYE", message[0] == receive.PING, message)
        check("code and reason", struct.unpack(">HH", message[1]) == (receive.FAILED, receive.UNSUPPORTED), message)
        check("both formats are named", b"GREY" in message[2] and b"JPEG" in message[2], message)
        link.write(receive.BYE_ACK, bytes(8))
        connection.shutdown(socket.SHUT_WR)
        link.drain(5)
    receiver.finish(status=1)
    check("the receiver says so too", "GREY" in str(receiver.err), receiver.err)


def bare():
    """Both without numpy and OpenCV, by an interpreter that sees no package."""
    with tempfile.TemporaryDirectory(prefix="frame-interop-") as folder:
        for number in range(20):
            cv2.imwrite(os.path.join(folder, f"{number:02}.jpg"), smooth(number))
        kept = os.path.join(folder, "kept")
        receiver = Program(sys.executable, "-S", os.path.join(PYTHON, "receive.py"), "--listen", "0", "--once", "--save", kept)
        sender = Program(sys.executable, "-S", os.path.join(PYTHON, "send.py"), "--to", receiver.wait_port(), folder, "--fps", "0")
        check("twenty files are sent", sender.finish() == ["sent 20"], sender.out)
        receiver.finish()
        same = [open(name, "rb").read() for name in sorted(glob.glob(folder + "/*.jpg"))] == [
            open(name, "rb").read() for name in sorted(glob.glob(kept + "/*.jpg"))]
        check("and arrive byte by byte", same)
        lacking = Program(sys.executable, "-S", os.path.join(PYTHON, "receive.py"), "--listen", "0")
        lacking.finish(status=1)
        check("what is missing is named", "OpenCV" in str(lacking.err), lacking.err)


def folders():
    """A folder goes in the order that people count in; what is no picture is skipped, and reported."""
    with tempfile.TemporaryDirectory(prefix="frame-interop-") as folder:
        pictures = {}
        for number, name in enumerate(["1.jpg", "2.JPG", "10.jpeg", "11.jpg", "a1.jpg", "a02.jpg", "a10.jpg"]):
            pictures[name] = cv2.imencode(".jpg", smooth(number))[1].tobytes()
            with open(os.path.join(folder, name), "wb") as file:
                file.write(pictures[name])
        cv2.imwrite(os.path.join(folder, "3.png"), smooth(20))
        rubbish = {"0 empty.jpg": b"", "notes.txt": b"notes", "4 cut.jpg": pictures["1.jpg"][:30], "5 cut.png": b"\x89PNG\r\n",
                   ".hidden": b"x", "evil\x1b[2J.jpg": b"no JPEG"}
        # Ten restart markers and a zero behind each 0xFF of the data: none of them is the end.
        cv2.imwrite(os.path.join(folder, "12.jpg"), smooth(12), [cv2.IMWRITE_JPEG_RST_INTERVAL, 1, cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
        with open(os.path.join(folder, "12.jpg"), "rb") as file:
            progressive = file.read()
        rubbish["6 short.jpg"] = pictures["1.jpg"][:-300]
        rubbish["6 without end.jpg"] = pictures["1.jpg"][:-2]
        rubbish["7 doubled.jpg"] = b"\xff\xd8" + pictures["2.JPG"]
        for name, content in rubbish.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
        os.mkdir(os.path.join(folder, "inner"))
        os.symlink("nowhere", os.path.join(folder, "gone.jpg"))
        with receive.FrameReceiver(listen="127.0.0.1:0", decode=False) as receiver:
            sender = python("send.py", "--to", f"127.0.0.1:{receiver.port}", folder, "--fps", "0", "--quality", "95")
            frames = [frame.jpeg for frame in receiver]
            check("every picture is sent", sender.finish() == ["sent 10"], (sender.out, sender.err))
        png = frames.pop(2)
        expected = list(pictures.values())
        expected[2:2], expected[5:5] = [pictures["2.JPG"]], [progressive]
        check("in natural order, JPEGs as they are, and without a doubled beginning", frames == expected)
        decoded = cv2.imdecode(numpy.frombuffer(png, "uint8"), cv2.IMREAD_COLOR)
        quality = clip.psnr(clip.squared_error(decoded, smooth(20)))
        check("a PNG is encoded, in its place", quality > 35, quality)
        jpegs = frames
        skipped = [line for line in sender.err if "is skipped" in line]
        expected = {"0 empty.jpg": "empty", "notes.txt": "no picture", "4 cut.jpg": "damaged", "6 short.jpg": "its end is missing", "6 without end.jpg": "its end is missing", "5 cut.png": "PNG", "inner": "not a file",
                    "gone.jpg": "not a file", "evil\\x1b[2J.jpg": "no picture"}
        check("what is no picture is reported, once each", len(skipped) == len(expected), skipped)
        for name, reason in expected.items():
            check(f"{name}: {reason}", any(name in line and reason in line for line in skipped), skipped)

        # Without OpenCV the PNG is one of them.
        with receive.FrameReceiver(listen="127.0.0.1:0", decode=False) as receiver:
            sender = Program(sys.executable, "-S", os.path.join(PYTHON, "send.py"), "--to", f"127.0.0.1:{receiver.port}", folder, "--fps", "0")
            check("the JPEGs are sent", [frame.jpeg for frame in receiver] == jpegs)
            sender.finish()
        check("what the PNG needs is told", any("3.png" in line and "cv2 and numpy" in line for line in sender.err), sender.err)

        for name in os.listdir(folder):
            if name not in ("notes.txt", "inner"):
                os.remove(os.path.join(folder, name))
        lacking = python("send.py", "--to", "127.0.0.1:9", folder)
        lacking.finish(status=1)
        check("a folder without a picture is an error", "has no pictures" in lacking.err[-1], lacking.err)


def addresses(video):
    """An address is OpenCV's: one that lives is sent newest first, a film whole. Passwords are not printed."""
    camera = swift("frame-receive", "--listen", "127.0.0.1:0", "--preview", "127.0.0.1:0")
    pattern = swift("frame-send", "--pattern", "--size", "320x240", "--stream", "front door", "--to", camera.wait_port())
    camera.wait_until(lambda: any('"event":"preview"' in line for line in camera.out))
    page = next(json.loads(line)["url"] for line in camera.out if '"event":"preview"' in line)
    deadline = time.monotonic() + PATIENCE
    listed = {}
    while not any(stream["frames"] for stream in listed.get("streams", [])) and time.monotonic() < deadline:
        time.sleep(0.05)
        with urllib.request.urlopen(page + "api/streams", timeout=PATIENCE) as answer:
            listed = json.load(answer)
    check("the stream appears", time.monotonic() < deadline, listed)
    for path in ("streams/front%20door.mjpg", "stream", "?action=stream"):
        with receive.FrameReceiver(listen="127.0.0.1:0") as receiver:
            sender, frames = python("send.py", "--to", f"127.0.0.1:{receiver.port}", page + path), []
            for frame in receiver:
                frames.append(frame)
                if len(frames) == 20:
                    break
            sender.finish()
        check(f"/{path}: pictures of a live address", [frame.image.shape for frame in frames] == [(240, 320, 3)] * 20, sender.err)
        check("each newer than the one before", all(a.source_sequence < b.source_sequence for a, b in zip(frames, frames[1:])))
    pattern.kill()
    camera.kill()
    with receive.FrameReceiver(listen="127.0.0.1:0", decode=False) as receiver:
        sender = python("send.py", "--to", f"127.0.0.1:{receiver.port}", f"file://{video}", "--fps", "0")
        check("a film at an address is sent whole", len(list(receiver)) == FRAMES)
        check("and is over then", sender.finish() == [f"sent {FRAMES}"], sender.out)
    nobody = python("send.py", "--to", "127.0.0.1:9", "http://me:secret@127.0.0.1:9/stream")
    nobody.finish(status=1)
    last = nobody.err[-1]
    check("an address that does not open is named, without its password", "127.0.0.1:9/stream does not open" in last and "secret" not in last, last)


def pipes(folder):
    """A pipe is sent as it comes: its header says one picture in 1000 s, which would take longer than the test."""
    pipe = os.path.join(folder, "pipe.y4m")
    os.mkfifo(pipe)
    with receive.FrameReceiver(listen="127.0.0.1:0") as receiver:
        sender = python("send.py", "--to", f"127.0.0.1:{receiver.port}", pipe)
        with open(pipe, "wb") as file:
            file.write(b"YUV4MPEG2 W64 H48 F1:1000 C420jpeg\n")
            for number in range(1, 5):
                file.write(b"FRAME\n" + bytes([40 * number]) * (64 * 48) + bytes([128]) * (64 * 48 // 2))
        lumas = [round(float(frame.image.mean())) for frame in receiver]
        check("a pipe is not paced by its header", len(lumas) == 4 and lumas == sorted(lumas), lumas)
        check("and is over then", sender.finish() == ["sent 4"], sender.out)


def statuses():
    """Exit statuses as in Docs/ExitStatus.md."""
    wrong = [["receive.py"], ["receive.py", "--listen", "x"], ["receive.py", "--listen", "0", "--frames", "0"],
             ["receive.py", "--listen", "0", "--window", "0"], ["receive.py", "--from", "http://a:1"], ["receive.py", "--listen", "0", "--nonsense"],
             ["receive.py", "--listen", "0", "--from", "a:1"], ["send.py", "--to", "a:1"], ["send.py", "--to", "a", "0"],
             ["send.py", "--to", "a:70000", "0"], ["send.py", "--to", "a:1", "0", "--quality", "101"],
             ["send.py", "--to", "a:1", "0", "--fps", "nan"], ["send.py", "--to", "a:1", "0", "--window", "many"]]
    for words in wrong:
        program = python(*words)
        program.finish(status=64)
        check(f"{words}: what is wrong", "error: " in program.err[-1] and not program.out, program.err)
    with tempfile.TemporaryDirectory(prefix="frame-interop-") as folder:
        cv2.imwrite(os.path.join(folder, "0.jpg"), smooth(0))

        # A port scanner, a browser and half a handshake are no streams.
        receiver = python("receive.py", "--listen", "0", "--once", "--raw")
        receiver.wait_port()
        for number, opening in enumerate([b"", b"GET / HTTP/1.0\r\n\r\n", hello()[:20], hello()]):
            with socket.create_connection(("127.0.0.1", receiver.port), 10) as stranger:
                stranger.sendall(opening)
                stranger.shutdown(socket.SHUT_WR)
                receiver.wait_until(lambda: len(receiver.err) > number + 1)
        sender = python("send.py", "--to", receiver.wait_port(), folder)
        check("a stray does not use up --once", sender.finish() == ["sent 1"] and len(receiver.finish()) == 1, receiver.err)

        # What cannot be decoded, at either end, and after Ctrl-C too. It looks like a JPEG from outside.
        broken = os.path.join(folder, "broken")
        os.mkdir(broken)
        with open(os.path.join(broken, "0.jpg"), "wb") as file:
            file.write(bytes.fromhex("ffd8ffc0000b080010001001011100ffda0008010100003f00aaffd9"))
        receiver = python("receive.py", "--listen", "0", "--once")
        sender = python("send.py", "--to", receiver.wait_port(), broken)
        sender.finish(status=1)
        check("send.py says that none could be decoded", "could be decoded by the receiver" in str(sender.err), sender.err)
        receiver.finish(status=1)
        check("receive.py says that none could be decoded", "none of the 1 pictures" in str(receiver.err), receiver.err)
        receiver = python("receive.py", "--listen", "0")
        sender = python("send.py", "--to", receiver.wait_port(), broken)
        sender.finish(status=1)
        receiver.process.send_signal(signal.SIGINT)
        receiver.finish(status=1)
        check("also after Ctrl-C", "none of the 1 pictures" in str(receiver.err), receiver.err)

        # Once more ends it at once, while it waits for the answer to its goodbye: the peer is silent from the first frame on. The
        # signal may come too late on a busy machine, so there are several attempts.
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            statuses = []
            while status not in statuses and len(statuses) < 20:
                with socket.create_server(("127.0.0.1", 0)) as listener:
                    sender = python("send.py", "--to", "127.0.0.1:%d" % listener.getsockname()[1], folder)
                    silent = receive.Link(listener.accept()[0])
                    session = silent.hear_hello(receive.HELLO).session
                    silent.say_hello(receive.WELCOME, session, 0, 4, 1 << 24)
                    check("a frame comes", silent.read(1 << 24)[0] == receive.FRAME)
                    sender.process.send_signal(signal.SIGINT)
                    sender.wait_until(lambda: any("once more to quit now" in line for line in sender.err))
                    deadline = time.monotonic() + PATIENCE
                    while sender.process.poll() is None and time.monotonic() < deadline:
                        sender.process.send_signal(number)
                        time.sleep(0.02)
                    statuses.append(sender.process.returncode)
                    silent.close()
                    sender.finish(status=None)
            check(f"a second signal ends it with {status}, and before that nothing else", statuses[-1] == status and set(statuses) <= {0, status}, statuses)


def interrupted():
    """Ctrl-C at any line of Python's own wait: no lock is held after it, and what comes out is the KeyboardInterrupt."""
    lines, number = threading.Condition.wait.__code__.co_firstlineno, 0
    while True:
        condition, count, reached = send.Condition(), 0, []

        def trace(frame, event, _):
            nonlocal count
            if frame.f_code is not threading.Condition.wait.__code__:
                return None if event == "call" and frame.f_code.co_filename == threading.__file__ else trace
            if event == "line":
                count += 1
                if count == number + 1:
                    reached.append(frame.f_lineno - lines)
                    raise KeyboardInterrupt
            return trace

        outcome = None
        sys.settrace(trace)
        try:
            with condition:
                condition.wait(0)
        except BaseException as error:  # a RuntimeError is what this is about
            outcome = error
        finally:
            sys.settrace(None)
        if not reached:
            break
        free = []
        other = threading.Thread(target=lambda: free.append(condition.acquire(timeout=PATIENCE)))
        other.start()
        other.join()
        check(f"Ctrl-C in line {reached} of wait", type(outcome) is KeyboardInterrupt and free == [True], (repr(outcome), free))
        number += 1
    check("wait has lines", number > 8, number)


def lacking():
    """What the environment lacks, or has broken, is named by both; there is no traceback."""
    with tempfile.TemporaryDirectory(prefix="frame-interop-") as folder:
        broken = {"cv2": 'raise ImportError("libGL.so.1: cannot open shared object file")', "numpy": 'raise RuntimeError("built for another Python")'}
        for name, line in broken.items():
            for words in (["receive.py", "--listen", "0"], ["send.py", "--to", "127.0.0.1:9", "0"]):
                place = os.path.join(folder, name)
                os.makedirs(place, exist_ok=True)
                with open(os.path.join(place, f"{name}.py"), "w") as file:
                    file.write(line)
                # simplejpeg may be installed here, and would do.
                with open(os.path.join(place, "simplejpeg.py"), "w") as file:
                    file.write("raise ImportError")
                program = Program("env", f"PYTHONPATH={place}", sys.executable, os.path.join(PYTHON, words[0]), *words[1:])
                program.finish(status=1)
                said = program.err[-1]
                check(f"{words[0]} without a working {name}", "OpenCV" in said and line.split('"')[1] in said and not program.out, program.err)
        for words in (["receive.py", "--listen", "0"], ["send.py", "--to", "127.0.0.1:9", "film.mp4"], ["send.py", "--to", "127.0.0.1:9", "rtsp://x/1"]):
            program = Program(sys.executable, "-S", os.path.join(PYTHON, words[0]), *(os.path.join(PYTHON, "send.py") if word == "film.mp4" else word for word in words[1:]))
            program.finish(status=1)
            said = program.err[-1]
            check(f"{words[0]} without both", "without cv2 and numpy" in said and "pip install opencv-python-headless" in said, program.err)


def main():
    with tempfile.TemporaryDirectory(prefix="frame-interop-") as folder:
        video, originals = make_video(folder)
        for part in (lambda: to_frame_receive(folder, video, originals), lambda: from_frame_send(folder), lambda: python_both(video),
                     lambda: killed(video), lambda: endings(video), lambda: goodbyes(video, folder), in_turn, by_hand, malformed,
                     hostile_words, other_format, bare, folders, lambda: addresses(video), lambda: pipes(folder), statuses,
                     interrupted, lacking):
            try:
                part()
            except Exception as error:  # the others are run all the same
                check("a part", False, repr(error))
                traceback.print_exc()
    return tally.conclude("Examples/python: ")


sys.exit(main())
