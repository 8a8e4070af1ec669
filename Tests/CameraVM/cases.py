#!/usr/bin/env python3
"""The camera tests that need real drivers. Runs inside the virtual machine (run-all), as root.

cases.py BIN GROUP        GROUP: vivid or usb

Each case runs the package's own programs and looks at what they said and recorded. Prints a line a case and, last, how many passed.
"""

import glob
import itertools
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback

BIN = pathlib.Path(sys.argv[1])
CASES = {"vivid": [], "usb": []}


def case(group):
    def add(function):
        CASES[group].append(function)
        return function

    return add


def check(condition, words):
    if not condition:
        raise AssertionError(words)


def until(condition, words, seconds=20):
    """Waits for something to become true; the emulated machine is slow, so the wait is long and ends early."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"{words} within {seconds} s")


# --- The package's programs ---


class Program:
    """A program whose output is read as it comes."""

    def __init__(self, *command, **more):
        self.lines, self.notes = [], []
        self.process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
        self.readers = [
            threading.Thread(target=self.read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.notes))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def events(self, kind):
        return [event for event in map(json.loads, list(self.lines)) if event["event"] == kind]

    def said(self, words):
        return any(words in line for line in list(self.notes))

    def end(self, seconds=40):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"{self.process.args[0]} does not end; it said {self.notes[-5:]}")
        for reader in self.readers:
            reader.join(5)
        return self.process.returncode

    def interrupt(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.end()

    def total(self):
        return [event for event in self.events("summary") if event["scope"] == "total"][-1]


class Stream:
    """frame-send from a camera into frame-receive over loopback."""

    def __init__(self, *camera, record=None, receive=()):
        recording = ["--record", record] if record else []
        self.receiver = Program(
            BIN / "frame-receive", "--listen", "127.0.0.1:0", "--once", "--json", *recording, *receive)
        port = until(lambda: self.receiver.events("listening"), "frame-receive listens")[0]["port"]
        self.sender = Program(
            BIN / "frame-send", "--to", f"127.0.0.1:{port}", "--json", "--log-level", "info", "--camera", *camera)

    def frames(self):
        return sum(event["frames"] for event in self.receiver.events("progress") if event["scope"] == "total")

    def flows(self, more=5, seconds=25):
        """Waits until pictures arrive again, counted from now."""
        before = self.frames()
        until(
            lambda: self.frames() >= before + more,
            f"{more} more pictures (sender: {self.sender.notes[-3:]}, {self.sender.process.poll()})", seconds)

    def logged(self, level, event, *words):
        """The lines of the sender's log with this level, this event and these words."""
        pattern = re.compile(rf"\d{{4}}-\d\d-\d\dT[\d:]+Z {level} frame-send: .* \[.*\bevent={event}\b.*\]")
        return [line for line in list(self.sender.notes) if pattern.fullmatch(line) and all(w in line for w in words)]

    def stop(self):
        code = self.sender.interrupt()
        receiver = self.receiver.end()
        check((code, receiver) == (0, 0), f"ended with {code} and {receiver}: {self.sender.notes} {self.receiver.notes}")
        sent = self.sender.total()
        check(self.receiver.total()["decode_failures"] == 0, "every picture decodes")
        parts = sent["acknowledged"] + sum(sent["dropped"].values()) + sent["failed"] + sent["lost"]
        check(sent["produced"] == parts, f"every picture is counted once: {sent}")
        return sent

    def finish(self):
        """Of a sender with --frames."""
        code = self.sender.end(90)
        if code != 0:
            self.receiver.process.kill()
        receiver = self.receiver.end()
        check((code, receiver) == (0, 0), f"ended with {code} and {receiver}: {self.sender.notes} {self.receiver.notes}")
        return self.receiver.total()


def control(node, *settings):
    for setting in settings:
        subprocess.run(["v4l2-ctl", "-d", node, "-c", setting], check=True, stderr=subprocess.DEVNULL)


# --- Pictures ---


def means(plane, width, height, columns, depth=1, offset=0):
    """The mean of each column's middle, in the middle third of the lines."""
    result = []
    for column in range(columns):
        left, right = (column * 4 + 1) * width // (columns * 4), (column * 4 + 3) * width // (columns * 4)
        total = count = 0
        for line in range(height // 3, 2 * height // 3, 4):
            row = plane[(line * width + left) * depth + offset : (line * width + right) * depth + offset : depth]
            total += sum(row)
            count += len(row)
        result.append(total / count)
    return result


def truth(node, fourcc, width, height):
    """What vivid draws: Y, U and V of each of its eight bars, from a raw capture by v4l2-ctl."""
    subprocess.run(
        ["v4l2-ctl", "-d", node, f"--set-fmt-video=width={width},height={height},pixelformat={fourcc}",
         "--stream-mmap", "--stream-count=1", "--stream-to=truth.raw"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    raw = pathlib.Path("truth.raw").read_bytes()
    size = width * height
    half = (width // 2, height // 2)
    if fourcc in ("YUYV", "UYVY"):
        y, u, v = (0, 1, 3) if fourcc == "YUYV" else (1, 0, 2)
        luma = means(raw, width, height, 8, 2, y)
        return luma, means(raw, width // 2, height, 8, 4, u), means(raw, width // 2, height, 8, 4, v)
    luma = means(raw[:size], width, height, 8)
    if fourcc == "YU12":
        return luma, means(raw[size:], *half, 8), means(raw[size + size // 4 :], *half, 8)
    if fourcc == "NV12":
        return luma, means(raw[size:], *half, 8, 2, 0), means(raw[size:], *half, 8, 2, 1)
    if fourcc == "GREY":
        return luma, None, None
    check(fourcc == "RGB3", "a format that the test knows")
    return tuple(means(raw, width, height, 8, 3, channel) for channel in range(3))


# What red and blue weigh in luma (ITU-R BT.601, BT.709, BT.2020).
WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}


def as_bt601(planes, matrix, full_range):
    """Planes of Y, U and V by another matrix, or of R, G and B (matrix None), as Y, U and V of BT.601 in the same range."""
    black, luma, chroma = (0, 255, 255) if full_range else (16, 219, 224)
    result = []
    for first, second, third in zip(*planes):
        if matrix:
            wr, wb = WEIGHTS[matrix]
            y, u, v = (first - black) / luma, (second - 128) / chroma, (third - 128) / chroma
            r, b = y + 2 * (1 - wr) * v, y + 2 * (1 - wb) * u
            g = (y - wr * r - wb * b) / (1 - wr - wb)
        else:
            r, g, b = ((sample - black) / luma for sample in (first, second, third))
        y = 0.299 * r + 0.587 * g + 0.114 * b
        result.append((y * luma + black, (b - y) / 1.772 * chroma + 128, (r - y) / 1.402 * chroma + 128))
    return tuple(zip(*result))


def last_of_y4m(path):
    """Header words and planes of the last picture, whose chroma is halved as the header says."""
    data = pathlib.Path(path).read_bytes()
    header, _, rest = data.partition(b"\n")
    words = header.decode().split()
    width, height = (int(next(w[1:] for w in words if w[0] == key)) for key in "WH")
    chroma = next((w for w in words if w[0] == "C"), "C420")
    across, down = {"C420": (2, 2), "C422": (2, 1), "C444": (1, 1)}.get(chroma[:4], (0, 0))
    small = (-(-width // across), -(-height // down)) if across else (0, 0)
    size = width * height + 2 * small[0] * small[1]
    picture = rest[-size:]
    luma = means(picture, width, height, 8)
    if not across:
        return words, luma, None, None
    first = width * height
    return (words, luma, means(picture[first:], *small, 8), means(picture[first + small[0] * small[1] :], *small, 8))


def near(left, right, tolerance, words):
    worst = max(abs(a - b) for a, b in zip(left, right))
    check(worst <= tolerance, f"{words} is off by {worst:.1f}: {[round(x) for x in left]} {[round(x) for x in right]}")


# --- vivid ---

WEBCAM, SECOND, HDMI, PLANAR = (f"/dev/video{number}" for number in range(4))
SIZE = ["--size", "640x360", "--rate", "30"]


def item(node, name, words):
    """The number of a menu's item, by its words."""
    shown = subprocess.run(["v4l2-ctl", "-d", node, "-L"], capture_output=True, text=True, check=True).stdout
    menu = shown.split(f" {name} 0x", 1)[1]
    menu = "\n".join(itertools.takewhile(lambda line: re.match(r"\s+\d+: ", line), menu.splitlines()[1:]))
    found = re.search(rf"(\d+): {re.escape(words)}$", menu, re.MULTILINE)
    check(found, f"{name} has {words}: {menu}")
    return int(found.group(1))


def bars(fourcc, full_range, matrix="bt601", colorspace="sRGB", encoding="Default"):
    """matrix: what must be carried on the pictures, whether the driver says it by its encoding or by its colour space."""

    def test():
        control(WEBCAM, "osd_text_mode=2", "test_pattern=1", f"quantization={1 if full_range else 2}")
        usual = (item(WEBCAM, "colorspace", "sRGB"), item(WEBCAM, "y_cbcr_encoding", "Default"))
        try:
            if matrix != "bt601":
                paint(item(WEBCAM, "colorspace", colorspace), item(WEBCAM, "y_cbcr_encoding", encoding))
            look()
        finally:
            # The next case draws as vivid does by itself.
            paint(*usual)

    def paint(space, weights):
        control(WEBCAM, f"colorspace={space}", f"y_cbcr_encoding={weights}")

    def look():
        drawn = truth(WEBCAM, fourcc, 640, 360)
        stream = Stream(
            WEBCAM, *SIZE, "--format", fourcc, "--frames", 8, "--quality", 95, record="bars.y4m",
            receive=["--decode", "i420"])
        stream.finish()
        carried = matrix if fourcc != "RGB3" else "unspecified"
        check(
            stream.logged(
                "notice", "opened", f"range={'full' if full_range else 'limited'}", f"matrix={carried}",
                f"format={fourcc}", "size=640x360"), f"what was granted is logged: {stream.sender.notes}")
        words, *found = last_of_y4m("bars.y4m")
        check(f"XCOLORRANGE={'FULL' if full_range else 'LIMITED'}" in words, f"the range is told: {words}")
        if fourcc == "GREY":
            expected = drawn
        else:
            expected = as_bt601(drawn, None if fourcc == "RGB3" else matrix, full_range)
            for name, mine, theirs in zip("YUV", found, expected):
                near(mine, theirs, 3, f"{fourcc} {name}")
            if matrix != "bt601":
                # Had nobody converted, it would be seen.
                worst = max(abs(a - b) for mine, theirs in zip(expected, drawn) for a, b in zip(mine, theirs))
                check(worst > 8, f"{matrix} differs from BT.601 by {worst}: the test can fail")
        near(found[0], expected[0], 3, f"{fourcc} Y")
        os.remove("bars.y4m")

    kind = "" if matrix == "bt601" else f"_{matrix}_by_{'encoding' if encoding != 'Default' else 'colorspace'}"
    test.__name__ = f"bars_{fourcc}_{'full' if full_range else 'limited'}_range{kind}"
    return test


for code in ("YUYV", "UYVY", "YU12", "NV12", "RGB3"):
    CASES["vivid"] += [bars(code, False), bars(code, True)]
# vivid draws GREY in full range, whatever it says.
CASES["vivid"] += [bars("GREY", True)]
CASES["vivid"] += [
    bars("YUYV", False, "bt709", encoding="Rec. 709"), bars("YUYV", True, "bt709", encoding="Rec. 709"),
    bars("YUYV", False, "bt709", colorspace="Rec. 709"), bars("NV12", True, "bt709", colorspace="Rec. 709"),
    bars("YU12", False, "bt2020", encoding="BT.2020"),
]


@case("vivid")
def listing():
    done = subprocess.run([BIN / "frame-cameras", "--json"], capture_output=True, text=True, check=True)
    cameras = {camera["path"]: camera for camera in map(json.loads, done.stdout.splitlines())}
    check(set(cameras) == {WEBCAM, SECOND, HDMI, PLANAR}, f"four cameras, and nothing else: {list(cameras)}")
    keys = {"event", "time", "path", "stable_paths", "card", "driver", "bus", "formats", "controls"}
    check(all(set(camera) == keys and camera["event"] == "camera" for camera in cameras.values()), "the keys of Docs/JSON.md")
    yuyv = next(entry for entry in cameras[WEBCAM]["formats"] if entry["fourcc"] == "YUYV")
    check({"size": "640x360"}.items() <= yuyv["modes"][1].items(), f"sizes: {yuyv['modes']}")
    names = {entry["name"]: entry for entry in cameras[WEBCAM]["controls"]}
    check(names["brightness"]["maximum"] == 255 and names["test_pattern"]["type"] == "menu", "controls")


@case("vivid")
def controls_are_set():
    stream = Stream(WEBCAM, *SIZE, "--control", "brightness=77", "--control", "osd_text_mode=None", "--control", "gain=5")
    stream.flows()
    shown = subprocess.run(
        ["v4l2-ctl", "-d", WEBCAM, "-C", "brightness,osd_text_mode,gain_automatic,gain"], capture_output=True, text=True).stdout
    stream.stop()
    for words in ("brightness: 77", "osd_text_mode: 2", "gain_automatic: 0", "gain: 5"):
        check(words in shown, f"{words}: {shown}")
    control(WEBCAM, "brightness=128", "gain_automatic=1")
    wrong = Program(BIN / "frame-send", "--to", "127.0.0.1:9", "--camera", WEBCAM, "--control", "nonsense=1")
    check(wrong.end() == 1 and wrong.said("no control nonsense"), f"a wrong name is told: {wrong.notes}")


@case("vivid")
def the_commands_of_the_documents():
    root = pathlib.Path(__file__).resolve().parents[2]
    lines = [line for name in ("README.md", "Docs/Python.md") for line in (root / name).read_text().splitlines()]
    commands = [re.sub(r"\s+[#&].*$", "", line) for line in lines if line.startswith("frame-send --camera /dev/video0")]
    check(len(commands) >= 5, f"the documents have commands with a camera: {commands}")
    for command in commands:
        receiver = Program(BIN / "frame-receive", "--listen", "127.0.0.1:0", "--frames", "5", "--json")
        port = until(lambda: receiver.events("listening"), "frame-receive listens")[0]["port"]
        words = re.sub(r"\b\w+:5600", f"127.0.0.1:{port}", command.replace("/dev/video0", WEBCAM)).split()
        sender = Program(BIN / words[0], *words[1:])
        check(receiver.end(60) == 0 and receiver.total()["frames"] >= 5, f"{command}: {sender.notes}")
        check(sender.interrupt() == 0, f"{command}: {sender.notes}")
    control(WEBCAM, "brightness=128")


@case("vivid")
def wrong_paths_and_formats():
    for arguments, words in (
        (["/dev/video77"], "no such camera"), (["/dev/null"], "not a V4L2 device"),
        ([WEBCAM, "--format", "MJPG"], "does not deliver"),
    ):
        program = Program(BIN / "frame-send", "--to", "127.0.0.1:9", "--camera", *arguments)
        check(program.end() == 1 and program.said(words), f"{arguments}: {program.notes}")


@case("vivid")
def a_minute_leaks_nothing():
    stream = Stream(WEBCAM, *SIZE)
    stream.flows(30)

    def memory():
        status = pathlib.Path(f"/proc/{stream.sender.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def mappings():
        return pathlib.Path(f"/proc/{stream.sender.process.pid}/maps").read_text().count(WEBCAM)

    before, mapped = memory(), mappings()
    time.sleep(60)
    after = memory()
    check(after < before + 4096, f"memory grew from {before} to {after} kB")
    check(mappings() == mapped, "the driver's buffers are mapped as often as before")
    sent = stream.stop()
    check(sent["acknowledged"] >= 300, f"pictures flowed for a minute: {sent}")


def fault(setting, *notes, lost=None, after=None):
    def test():
        stream = Stream(WEBCAM, *SIZE)
        stream.flows()
        control(WEBCAM, setting)
        time.sleep(1)
        if after:
            control(WEBCAM, after)
        for words in notes:
            until(lambda: stream.sender.said(words), f"{words} in {stream.sender.notes}", 30)
        stream.flows(10, 40)
        check(lost is None or stream.receiver.said("lost") == lost, f"the receiver heard: {stream.receiver.notes}")
        stream.stop()

    test.__name__ = "fault_" + re.sub(r"\W+", "_", setting)
    return test


CASES["vivid"] += [
    fault("inject_v4l2_buf_flag_error=1", lost=False),
    fault("inject_vidioc_qbuf_error=1", lost=False),
    fault("percentage_of_dropped_buffers=60", lost=False, after="percentage_of_dropped_buffers=0"),
    fault("wrap_sequence_number=1", lost=False, after="wrap_sequence_number=0"),
    fault("wrap_timestamp=1", lost=False, after="wrap_timestamp=0"),
    fault("timestamp_source=1", lost=False),
    fault("inject_fatal_streaming_error=1", "started again", lost=False),
]


@case("vivid")
def a_stall_ends():
    control(WEBCAM, "percentage_of_dropped_buffers=0")
    stream = Stream(WEBCAM, *SIZE)
    stream.flows()
    control(WEBCAM, "percentage_of_dropped_buffers=100")
    until(lambda: stream.receiver.said("source is lost"), "the receiver hears of the loss", 30)
    control(WEBCAM, "percentage_of_dropped_buffers=0")
    until(lambda: stream.sender.said("is back"), f"the camera is back: {stream.sender.notes}", 40)
    stream.flows(10)
    stream.stop()


def refused_at_the_reopening(setting, call):
    """call: what the driver refuses once; the log tells of it, or the fault was never met."""

    def test():
        stream = Stream(WEBCAM, *SIZE)
        stream.flows()
        # A fault that is met when the camera is opened again.
        control(WEBCAM, "percentage_of_dropped_buffers=100")
        until(lambda: stream.sender.said("started again"), "a restart", 30)
        check(not stream.sender.said(call), f"nothing was refused before: {stream.sender.notes}")
        control(WEBCAM, setting)
        until(lambda: stream.logged("info", "stillLost", f"({call})"), f"{call} is refused: {stream.sender.notes}", 30)
        control(WEBCAM, "percentage_of_dropped_buffers=0")
        stream.flows(10, 60)
        refusals = stream.logged("info", "stillLost", f"({call})")
        check(len(refusals) == 1, f"the driver refuses once: {refusals}")
        check(stream.logged("notice", "restored"), f"and is back: {stream.sender.notes}")
        stream.stop()

    test.__name__ = "reopening_with_" + setting.split("=")[0]
    return test


CASES["vivid"] += [
    refused_at_the_reopening("inject_vidioc_reqbufs_error=1", "VIDIOC_REQBUFS"),
    refused_at_the_reopening("inject_vidioc_streamon_error=1", "VIDIOC_STREAMON"),
]


@case("vivid")
def two_cameras_at_once():
    streams = [Stream(WEBCAM, *SIZE), Stream(SECOND, *SIZE, "--format", "NV12")]
    for stream in streams:
        stream.flows(20, 40)
    for stream in streams:
        stream.stop()


@case("vivid")
def a_second_opener_is_told():
    stream = Stream(WEBCAM, *SIZE)
    stream.flows()
    second = Program(BIN / "frame-send", "--to", "127.0.0.1:9", "--camera", WEBCAM, *SIZE)
    check(second.end() == 1 and second.said("another program uses the camera"), f"{second.notes}")
    stream.flows()
    stream.stop()
    # And it is free at once.
    Stream(WEBCAM, *SIZE, "--frames", 5).finish()


@case("vivid")
def a_multi_planar_node():
    for node in (WEBCAM, PLANAR):
        control(node, "osd_text_mode=2", "test_pattern=1", "quantization=2")
    for code in ("YUYV", "NM12", "YM12"):
        Stream(
            PLANAR, *SIZE, "--format", code, "--frames", 6, "--quality", 95, record="planar.y4m",
            receive=["--decode", "i420"]).finish()
        _, *found = last_of_y4m("planar.y4m")
        expected = truth(WEBCAM, "YUYV", 640, 360)
        for name, mine, theirs in zip("YUV", found, expected):
            near(mine, theirs, 3, f"{code} {name}")
        os.remove("planar.y4m")


@case("vivid")
def an_hdmi_input_with_another_signal():
    # VIDIOC_S_DV_TIMINGS in mid-stream is EBUSY: the kernel's documentation says so, and vivid_vid_cap_s_dv_timings looks at
    # vb2_is_busy. So the timings cannot change under a stream; the signal itself does here, and the camera then sets its timings.
    stream = Stream(HDMI, record="hdmi.y4m", receive=["--decode", "i420"])
    stream.flows(3, 60)
    first = stream.sender.notes[0]
    refused = set_timings()
    check(refused.returncode != 0 and "busy" in (refused.stderr + refused.stdout).lower(), f"EBUSY: {refused}")
    stream.flows(3, 60)
    check(not stream.receiver.said("source is lost"), "and nothing happened")
    control(HDMI, "dv_timings_signal_mode=1")
    until(lambda: stream.receiver.said("source is lost"), f"no signal is a loss: {stream.sender.notes}", 30)
    check(stream.sender.said("no signal"), f"{stream.sender.notes}")
    names = subprocess.run(["v4l2-ctl", "-d", HDMI, "-L"], capture_output=True, text=True).stdout
    other = re.search(r"(\d+): (?:CEA-861 )?640x480p?59", names) or re.search(r"(\d+): (\S*)640x480", names)
    check(other, "vivid's list of signals has 640x480")
    control(HDMI, f"dv_timings={other.group(1)}", "dv_timings_signal_mode=4")
    until(lambda: stream.sender.said("is back"), f"the signal is back: {stream.sender.notes}", 40)
    back = [line for line in stream.sender.notes if "is back" in line][-1]
    check("640x480" in back and "640x480" not in first, f"another size: {first} / {back}")
    stream.stop()
    control(HDMI, "dv_timings_signal_mode=0")
    allowed = set_timings()
    check(allowed.returncode == 0, f"the node is free again: {allowed}")


def set_timings():
    """What VIDIOC_S_DV_TIMINGS by another program comes to."""
    return subprocess.run(
        ["v4l2-ctl", "-d", HDMI, "--set-dv-bt-timings", "cvt,width=1024,height=768,fps=60"], capture_output=True,
        text=True)


@case("vivid")
def libv4lconvert_converts_what_is_not_ours():
    control(WEBCAM, "osd_text_mode=2", "test_pattern=1", "quantization=2")
    stream = Stream(
        WEBCAM, *SIZE, "--format", "YVYU", "--frames", 6, "--quality", 95, record="converted.y4m",
        receive=["--decode", "i420"])
    stream.finish()
    check(stream.sender.said("libv4lconvert"), f"it says so: {stream.sender.notes}")
    _, *found = last_of_y4m("converted.y4m")
    for name, mine, theirs in zip("YUV", found, truth(WEBCAM, "YUYV", 640, 360)):
        near(mine, theirs, 3, f"YVYU {name}")
    for code in ("HSV3", "RGB1", "YUV4"):
        program = Program(BIN / "frame-send", "--to", "127.0.0.1:9", "--camera", WEBCAM, "--format", code)
        check(program.end() == 1 and program.said("libv4lconvert does not convert"), f"{code}: {program.notes}")


DRIVER = pathlib.Path("/sys/bus/platform/drivers/vivid")


def module_check(*arguments, before=(), name=None):
    """A check of the camera module itself, in its own process: camera-checks."""

    def test():
        control(WEBCAM, *before)
        program = Program(BIN / "camera-checks", *arguments)
        code = program.end(120)
        check(code == 0, f"{program.lines[-6:]} {program.notes}")

    test.__name__ = f"module_{name or arguments[0]}"
    return test


CASES["vivid"] += [
    module_check("stamps", WEBCAM, "start", before=["timestamp_source=1"], name="stamps_of_the_start_of_exposure"),
    module_check("stamps", WEBCAM, "end", before=["timestamp_source=0"], name="stamps_of_the_end_of_frame"),
    module_check("starve", WEBCAM), module_check("close", WEBCAM), module_check("controls", WEBCAM),
    module_check("replug", WEBCAM, DRIVER, "vivid.0", name="replug_with_pictures_held"),
]


@case("vivid")
def disconnect_in_mid_stream():
    driver = DRIVER
    stream = Stream(SECOND, *SIZE)
    stream.flows()
    control(SECOND, "disconnect=1")
    until(lambda: stream.receiver.said("source is lost"), "the receiver hears of the loss")
    (driver / "unbind").write_text("vivid.0")
    (driver / "bind").write_text("vivid.0")
    until(lambda: stream.sender.said("is back"), f"the camera is back: {stream.sender.notes}", 40)
    stream.flows(10)
    stream.stop()


@case("vivid")
def unbind_and_bind_in_mid_stream():
    driver = DRIVER
    stream = Stream(WEBCAM, *SIZE)
    stream.flows()
    (driver / "unbind").write_text("vivid.0")
    until(lambda: stream.receiver.said("source is lost"), "the receiver hears of the loss")
    check(stream.sender.process.poll() is None, "the sender goes on")
    until(lambda: stream.logged("info", "stillLost", "retry_ms=1000"), f"looked for: {stream.sender.notes}")
    (driver / "bind").write_text("vivid.0")
    until(lambda: stream.sender.said("is back"), f"the camera is back: {stream.sender.notes}", 40)
    stream.flows(10)
    stream.stop()
    lost = stream.logged("error", "lost", "plug it in again", "code=sourceLost", "retry_ms=250")
    check(len(lost) == 1, f"the loss is logged once: {stream.sender.notes}")
    pauses = [int(re.search(r"retry_ms=(\d+)", line).group(1)) for line in stream.logged("info", "stillLost")]
    check(pauses[:2] == [500, 1000] and pauses == sorted(pauses), f"looked for less and less: {pauses}")
    check(len(stream.logged("notice", "opened", "size=640x360")) == 2, f"opened twice: {stream.sender.notes}")
    check(len(stream.logged("notice", "restored", "size=640x360")) == 1, f"restored once: {stream.sender.notes}")
    # Standard output is the reports' alone.
    check(all(line.startswith("{") for line in stream.sender.lines), "JSON and nothing else")


# --- USB ---


class SoftCamera:
    def __init__(self, clip="clip.mjpg"):
        self.program = Program(
            sys.executable, pathlib.Path(__file__).parent / "softcam.py", clip, 640, 480, 30, stdin=subprocess.PIPE)
        until(lambda: "ATTACHED" in self.program.lines, f"the camera is attached: {self.program.notes}")
        self.node = until(self.find, "uvcvideo makes a node", 30)

    @staticmethod
    def find():
        done = subprocess.run([BIN / "frame-cameras", "--json"], capture_output=True, text=True)
        cameras = [camera for camera in map(json.loads, done.stdout.splitlines()) if camera["driver"] == "uvcvideo"]
        return cameras[0]["path"] if cameras else None

    def say(self, words):
        self.program.process.stdin.write(words + "\n")
        self.program.process.stdin.flush()

    def unplug(self):
        self.say("unplug")
        self.program.end()
        until(lambda: not self.find(), "the node goes", 30)


def jpegs(data):
    starts = [m.start() for m in re.finditer(rb"\xff\xd8\xff", data)] + [len(data)]
    return [data[a:b] for a, b in zip(starts, starts[1:])]


@case("usb")
def mjpg_passes_byte_for_byte():
    camera = SoftCamera()
    nodes = glob.glob("/dev/video*")
    check(len(nodes) == 2, f"a webcam has a metadata node beside: {nodes}")
    listed = subprocess.run([BIN / "frame-cameras"], capture_output=True, text=True).stdout
    check(listed.count("/dev/video") == 1, f"which is not listed: {listed}")
    stream = Stream(camera.node, "--frames", 40, record="pass.mjpg", receive=["--decode", "none"])
    stream.finish()
    check(stream.sender.said("MJPG at 30"), f"its best format: {stream.sender.notes}")
    known = {bytes(picture) for picture in jpegs(pathlib.Path("clip.mjpg").read_bytes())}
    seen = jpegs(pathlib.Path("pass.mjpg").read_bytes())
    check(len(seen) >= 20 and all(picture in known for picture in seen), f"{len(seen)} pictures, each the camera's own")
    camera.unplug()


@case("usb")
def truncated_pictures_are_dropped_and_the_stream_goes_on():
    camera = SoftCamera()
    stream = Stream(camera.node, record="cut.mjpg", receive=["--decode", "none"])
    stream.flows()
    camera.say("trunc 5")
    camera.say("error 3")
    stream.flows(20)
    stream.stop()
    check(stream.logged("warning", "damaged", "truncated"), f"cut pictures are logged: {stream.sender.notes}")
    known = {bytes(picture) for picture in jpegs(pathlib.Path("clip.mjpg").read_bytes())}
    seen = jpegs(pathlib.Path("cut.mjpg").read_bytes())
    check(all(picture in known for picture in seen), "no cut picture came through")
    camera.unplug()


@case("usb")
def pictures_without_tables_get_them():
    whole = jpegs(pathlib.Path("clip.mjpg").read_bytes())
    pathlib.Path("bare.mjpg").write_bytes(b"".join(map(without_tables, whole)))
    camera = SoftCamera("bare.mjpg")
    Stream(camera.node, "--frames", 20, record="tables.mjpg", receive=["--decode", "none"]).finish()
    seen = jpegs(pathlib.Path("tables.mjpg").read_bytes())
    check(seen and all(b"\xff\xc4\x01\xa2" in picture for picture in seen), "each has the standard tables")
    camera.unplug()


def without_tables(picture):
    """The JPEG without its DHT segments."""
    place, kept = 2, picture[:2]
    while picture[place + 1] != 0xDA:
        end = place + 2 + struct.unpack_from(">H", picture, place + 2)[0]
        if picture[place + 1] != 0xC4:
            kept += picture[place:end]
        place = end
    return kept + picture[place:]


@case("usb")
def a_stall_is_survived():
    camera = SoftCamera()
    stream = Stream(camera.node)
    stream.flows()
    camera.say("stall 4")
    until(lambda: stream.sender.said("started again"), f"a restart: {stream.sender.notes}", 20)
    stream.flows(10, 40)
    stream.stop()
    camera.unplug()


@case("usb")
def unplug_and_replug():
    camera = SoftCamera()
    stream = Stream(camera.node, "--control", "brightness=7")
    stream.flows()
    until(lambda: "BRIGHTNESS 7" in camera.program.lines, "the control is set")
    # Something else keeps the old number, so the camera comes back under another one.
    keeper = os.open(camera.node, os.O_RDWR)
    camera.say("unplug")
    until(lambda: stream.receiver.said("source is lost"), f"the receiver hears of the loss: {stream.sender.notes}")
    camera.program.end()
    time.sleep(1)
    again = SoftCamera()
    check(again.node != camera.node, f"another number: {again.node}")
    until(lambda: stream.sender.said("is back"), f"the camera is back: {stream.sender.notes}", 40)
    until(lambda: "BRIGHTNESS 7" in again.program.lines, "the control is set again")
    stream.flows(10)
    stream.stop()
    os.close(keeper)
    again.unplug()


def main():
    passed = failed = 0
    chosen = sys.argv[3:]
    for test in CASES[sys.argv[2]]:
        if chosen and not any(word in test.__name__ for word in chosen):
            continue
        start = time.monotonic()
        before = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        try:
            test()
            passed += 1
            word = "ok  "
        except Exception as error:
            failed += 1
            word = "FAIL"
            reason = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
        print(f"{word} {test.__name__} ({time.monotonic() - start:.0f} s)", flush=True)
        if word == "FAIL":
            print(f"     {reason}", flush=True)
            # What the case left running would stand in the next one's way.
            for name in os.listdir("/proc"):
                if name.isdigit() and int(name) not in before:
                    try:
                        if "frame-" in os.readlink(f"/proc/{name}/exe") or "python" in os.readlink(f"/proc/{name}/exe"):
                            os.kill(int(name), signal.SIGKILL)
                    except OSError:
                        pass
            if sys.argv[2] == "vivid" and os.path.exists(WEBCAM):
                subprocess.run(["v4l2-ctl", "-d", WEBCAM, "-c", "percentage_of_dropped_buffers=0"], check=False)
    print(f"RESULT {passed} {failed}", flush=True)
    sys.exit(1 if failed else 0)


main()
