#!/usr/bin/env python3
"""Checks frame-view on a screen that nobody sees: colours, keys, sizes, breaks. Needs Xvfb, openbox and xdotool, and of
Python the standard library.

Every wait is for a condition, and has a limit. Exits with 1 where anything failed.
"""
import argparse
import glob
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Support"))
import json_schema
import tally
from pattern import BARS, has_bars, near, number
from screen import PATIENCE, Screen, wait
from tally import check

SIZE = (640, 480)
# What a window makes of the last picture when the stream is not live.
dimmed = [tuple(round(value * 95 / 255) for value in colour) for colour in BARS]


class Program:
    """A program whose lines of --json are collected as they come."""
    running = []
    # The events of all windows.
    seen = set()

    def __init__(self, name, *arguments, environment=None):
        self.process = subprocess.Popen(
            [os.path.join(options.view if name == "frame-view" else options.binaries, name), *map(str, arguments),
             "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment or screen.environment, cwd=folder)
        self.lines, self.complaints = [], []
        self.readers = [
            threading.Thread(target=lambda: self.lines.extend(map(json.loads, self.process.stdout))),
            threading.Thread(target=lambda: self.complaints.extend(self.process.stderr))]
        for reader in self.readers:
            reader.start()
        Program.running.append(self)

    def event(self, name, count=1):
        def found():
            lines = [line for line in self.lines if line["event"] == name]
            return lines[count - 1] if len(lines) >= count else None

        return wait(f"{name} of {self.process.args}: {self.complaints}", found)

    def finish(self):
        status = self.process.wait(PATIENCE)
        for reader in self.readers:
            reader.join()
        Program.running.remove(self)
        if self.process.args[0].endswith("frame-view"):
            self.check_lines()
        return status

    def check_lines(self):
        """Whether each line is what Docs/JSON.schema.json says, and the last one the total."""
        for line in self.lines:
            Program.seen.add(line["event"])
            faults = json_schema.faults(line)
            if faults:
                check("a line is what the schema says", False, f"{faults} in {line}")
        # A window that was killed has no last words.
        if self.process.returncode >= 0 and any(line["event"] == "listening" for line in self.lines):
            last = self.lines[-1]
            check("the total comes last", last["event"] == "summary" and last["scope"] == "total", last)

    def expect(self, status, what):
        found = self.finish()
        check(f"{what} ends with status {status}", found == status, f"{found} {self.complaints}")

    def summaries(self):
        return [line for line in self.lines if line["event"] == "summary" and line["scope"] == "connection"]

    def acknowledged(self):
        return sum(line["acknowledged"] for line in self.lines if line["event"] == "progress")


class View(Program):
    """frame-view, listening unless told otherwise, with its window."""

    def __init__(self, *arguments, environment=None, listens=True):
        super().__init__(
            "frame-view", *(["--listen", "127.0.0.1:0"] if listens else []), *arguments, environment=environment)
        if listens:
            self.port = self.event("listening")["port"]
        self.window = wait("a window", lambda: screen.windows("^frame-view"))[0]
        # So that keys are its own.
        wait("an active window", lambda: screen.xdotool("windowactivate", "--sync", self.window).returncode == 0)

    @property
    def area(self):
        return screen.area(self.window)

    @property
    def title(self):
        return screen.xdotool("getwindowname", self.window).stdout.strip()

    def key(self, *keys):
        screen.xdotool("key", "--clearmodifiers", *keys)

    def wait_for(self, what, condition):
        """Waits for what is on the screen, given as `condition(picture, area)`."""
        return wait(what, lambda: condition(screen.picture(), self.area))

    def wait_for_bars(self, size=SIZE, colours=BARS):
        self.wait_for(f"bars of {size}", lambda picture, area: has_bars(picture, area, size, colours))

    def wait_for_number(self, above=-1, size=SIZE):
        def found(picture, area):
            value = number(picture, area, size)
            return None if value is None or value <= above else [value]

        return self.wait_for(f"a number above {above}", found)[0]

    def quit(self):
        self.key("q")
        self.expect(0, "frame-view after Q")


def sender(port, *arguments):
    return Program("frame-send", "--to", f"127.0.0.1:{port}", *arguments)


def pattern(port, *arguments, size=SIZE):
    return sender(port, "--pattern", "--size", f"{size[0]}x{size[1]}", "--no-reconnect", *arguments)


def quit_both(view, source):
    view.quit()
    source.expect(0, "the sender")
    ends = [(line["end"], line["goodbye"]) for line in source.summaries()]
    check("the sender is told why", ends == [("bye", "window closed")], ends)


def record(name, size, frames):
    """JPEGs of the pattern, as frame-receive records them: what a sender that plays them sends, byte by byte."""
    kept = os.path.join(folder, name)
    receiver = Program("frame-receive", "--listen", "127.0.0.1:0", "--record", kept + "/", "--once")
    source = pattern(
        receiver.event("listening")["port"], "--frames", frames, "--pace", "max", "--policy", "reliable", size=size)
    source.expect(0, "frame-send")
    receiver.expect(0, "frame-receive")
    return [open(path, "rb").read() for path in sorted(glob.glob(kept + "/*.jpg"))]


def film(name, pictures):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(b"".join(pictures))
    return path


def has_words(picture, area):
    """Whether white letters stand in the middle of the window's lower edge."""
    x, y, width, height = area
    white = sum(
        near(picture[column, row], (255, 255, 255), 2) for row in range(y + height - 40, y + height - 6)
        for column in range(x + width // 2 - 60, x + width // 2 + 60))
    return 60 < white < 2500


def colours():
    """The bars of each kind of JPEG, by both ways of drawing."""
    gray = [(round(0.299 * r + 0.587 * g + 0.114 * b),) * 3 for r, g, b in BARS]
    for driver, sampling in [
            ("opengl", "4:2:0"), ("software", "4:2:0"), ("opengl", "4:2:2"), ("opengl", "4:4:4"), ("opengl", "gray")]:
        view = View(environment=dict(screen.environment, SDL_RENDER_DRIVER=driver))
        source = pattern(view.port, "--subsampling", sampling, "--stream", "bars")
        view.wait_for_bars(colours=gray if sampling == "gray" else BARS)
        first = view.wait_for_number()
        view.wait_for_number(first + 10)
        check("the title names the stream", view.title.startswith("frame-view: bars ("), view.title)
        check("the window has the picture's size", view.area[2:] == SIZE, view.area)
        quit_both(view, source)


def one_colour(name, size, samples, form):
    """A headerless file of one picture of one colour, in full range."""
    path = os.path.join(folder, name)
    width, height = size
    chroma = ((width + 1) // 2) * ((height + 1) // 2)
    with open(path, "wb") as file:
        file.write(bytes([samples[0]]) * (width * height))
        for value in samples[1:]:
            file.write(bytes([value]) * chroma)
    return [
        "--input", path, "--size", f"{width}x{height}", "--format", form, "--range", "full", "--loop", "--quality", 95]


def is_filled(picture, area, inner, colour):
    """Whether each pixel of `inner` in the window has the colour, and all around it are black."""
    x, y, width, height = inner
    for row in range(area[3]):
        line = picture.rows[area[1] + row][3 * area[0]:3 * (area[0] + area[2])]
        pixels = list(zip(line[0::3], line[1::3], line[2::3]))
        filled = pixels[x:x + width] if y <= row < y + height else []
        empty = pixels[:x] + pixels[x + width:] if filled else pixels
        if not all(near(pixel, colour, 4) for pixel in set(filled)):
            return False
        if not all(near(pixel, (0, 0, 0), 1) for pixel in set(empty)):
            return False
    return True


def grey_and_odd_sizes():
    """Full range is full range, and no size has an edge of another colour."""
    # Full range and BT.601 (ITU-T T.871): what a JPEG has.
    y, u, v = 120, 90, 170
    colour = (round(y + 1.402 * (v - 128)), round(y - 0.344136 * (u - 128) - 0.714136 * (v - 128)),
              round(y + 1.772 * (u - 128)))
    for name, size, samples, form, expected, inner in [
            ("grey", (320, 240), [40], "GRAY8", (40, 40, 40), (0, 0, 320, 240)),
            ("grey-420", (320, 240), [40, 128, 128], "I420", (40, 40, 40), (0, 0, 320, 240)),
            ("odd", (17, 13), [y, u, v], "I420", colour, (3, 0, 314, 240)),
            ("one", (1, 1), [y, u, v], "I420", colour, (40, 0, 240, 240)),
            ("large", (1366, 768), [y, u, v], "I420", colour, None)]:
        for driver in ["opengl", "software"]:
            view = View(environment=dict(screen.environment, SDL_RENDER_DRIVER=driver))
            source = sender(view.port, *one_colour(name, size, samples, form))
            if not inner:
                # As large as the screen allows, with its own shape, within a pixel.
                area = wait("a large window", lambda: view.area[2] > 1000 and view.area)
                check("the window has the picture's shape", abs(area[3] - area[2] * size[1] / size[0]) <= 1, area)
            view.wait_for(f"{name} in {driver}, {expected}", lambda picture, area: is_filled(
                picture, area, inner or (0, 0, *area[2:]), expected))
            quit_both(view, source)


def keys():
    """The overlay, snapshots, the whole screen, and the end, each by its key."""
    size = (640, 360)
    pictures = record("pictures", size, 150)
    check("150 pictures", len(set(pictures)) == 150, len(pictures))
    snapshots = os.path.join(folder, "snapshots")
    os.makedirs(snapshots)
    view = View("--snapshots", snapshots)
    view.key("s")
    view.wait_for("a word on the missing picture", has_words)
    check("no snapshot without a picture", os.listdir(snapshots) == [])
    source = sender(view.port, "--input", film("film.mjpg", pictures), "--rate", 30, "--loop")
    view.wait_for_bars(size)

    # Its box is dark over the white bar.
    def overlay(picture, area):
        return any(near(picture[area[0] + x, area[1] + 8], (95, 95, 95), 8) for x in range(8, 60))

    view.wait_for("no overlay", lambda *screen: not overlay(*screen))
    view.key("i")
    view.wait_for("an overlay", overlay)
    view.key("i")
    view.wait_for("no overlay", lambda *screen: not overlay(*screen))

    before = view.wait_for_number(size=size)
    view.key("s")
    first = view.event("snapshot")["path"]
    after = view.wait_for_number(size=size)
    content = open(first, "rb").read()
    check("a snapshot is a JPEG as it was sent", content in pictures, first)
    shown = pictures.index(content) if content in pictures else -1
    # The film starts again at its end.
    check(
        "it is the picture that was shown", (shown - before) % 150 <= (after - before) % 150 + 1,
        (before, shown, after))
    view.wait_for("a word on the snapshot", has_words)
    view.key("s", "s", "s")
    view.event("snapshot", 4)
    names = [line["path"] for line in view.lines if line["event"] == "snapshot"]
    check("none was overwritten", len(set(names)) == 4 and len(os.listdir(snapshots)) == 4, names)
    check("the first is as it was", open(first, "rb").read() == content)

    window, inner = view.area, (0, 96, 1024, 576)
    for on, off in [("f", "f"), ("F11", "Escape")]:
        view.key(on)
        wait("a full screen", lambda: view.area == (0, 0, 1024, 768))
        view.wait_for("bars on the whole screen", lambda picture, _: has_bars(picture, inner, size))
        view.wait_for("black above and below", lambda picture, _: all(
            near(picture[x, y], (0, 0, 0), 1) for x in range(0, 1024, 16) for y in (0, 95, 672, 700)))
        first = view.wait_for("a number", lambda picture, _: number(picture, inner, size))
        view.wait_for("another number", lambda picture, _: number(picture, inner, size) not in (None, first))
        view.key(off)
        wait("the window as it was", lambda: view.area == window)
    view.wait_for_bars(size)
    quit_both(view, source)
    latency = view.summaries()[0]["latency_ms"]
    print(f"delay from capture to the screen: median {latency['p50']:.1f} ms, p99 {latency['p99']:.1f}")


def resizing():
    """Another size of the window, another size of the pictures, and a window that nobody sees for a while."""
    view = View("--scale-quality", "nearest")
    source = pattern(view.port)
    view.wait_for_bars()
    screen.xdotool("windowmove", view.window, 40, 40, "windowsize", view.window, 500, 600)
    wait("the new size", lambda: view.area[2:] == (500, 600) and view.area[0] < 60)

    def inside(area):
        return area[0], area[1] + 112, 500, 375

    view.wait_for("bars in the new window", lambda picture, area: has_bars(picture, inside(area), SIZE))
    view.wait_for("black around it", lambda picture, area: all(
        near(picture[area[0] + x, area[1] + y], (0, 0, 0), 1) for x in range(0, 500, 20) for y in (0, 111, 488, 599)))
    shown = view.wait_for("a number", lambda picture, area: number(picture, inside(area), SIZE))
    screen.xdotool("windowminimize", view.window)
    wait("no window", lambda: not screen.windows("^frame-view"))
    before = source.acknowledged()
    wait("pictures that nobody sees are taken all the same", lambda: source.acknowledged() > before + 60)
    screen.xdotool("windowmap", view.window, "windowactivate", view.window)
    view.wait_for("a fresh picture", lambda picture, area: (number(picture, inside(area), SIZE) or 0) > shown + 60)
    quit_both(view, source)

    # Two sizes in one stream, in turn.
    view = View()
    pictures = record("wide", (320, 240), 5) + record("tall", (160, 320), 5)
    source = sender(view.port, "--input", film("sizes.mjpg", pictures), "--rate", 5, "--loop")
    for _ in range(2):
        view.wait_for("the wide one", lambda picture, area: has_bars(picture, area, (320, 240)))
        view.wait_for("the tall one", lambda picture, area: has_bars(
            picture, (area[0] + 100, area[1], 120, 240), (160, 320)))
    check("the window keeps its size", view.area[2:] == (320, 240), view.area)
    quit_both(view, source)


def ends():
    """Whatever way a sender ends, the window says so, keeps the last picture dimmed, and shows the next sender."""
    view = View()
    check("the window says whom it waits for", "waiting for a sender" in view.title, view.title)
    source = pattern(view.port)
    view.wait_for_bars()

    source.process.send_signal(signal.SIGSTOP)
    view.wait_for("a word on the silence", has_words)
    source.process.send_signal(signal.SIGCONT)
    view.wait_for("no word any more", lambda *screen: not has_words(*screen))

    source.process.kill()
    source.finish()
    wait("the loss in the title", lambda: "connection lost" in view.title)
    view.wait_for_bars(colours=dimmed)
    view.wait_for("the loss in the window", has_words)

    source = pattern(view.port, "--frames", 40, "--stream", "short")
    view.wait_for_bars()
    source.expect(0, "a sender whose pictures are over")
    wait("the end in the title", lambda: "ended: end of stream" in view.title)
    view.wait_for_bars(colours=dimmed)

    # Rubbish is no reason to go.
    with socket.create_connection(("127.0.0.1", view.port), PATIENCE) as rubbish:
        rubbish.sendall(b"GET / HTTP/1.1\r\n\r\n")
        try:
            rubbish.recv(1024)
        except ConnectionResetError:
            pass
    # The next one waits for its turn, and a third is told that there is no room.
    first = pattern(view.port, "--stream", "first")
    wait("the first", lambda: "first" in view.title)
    second = pattern(view.port, "--stream", "second")
    second.event("connected")
    third = pattern(view.port, "--stream", "third")
    third.expect(1, "a third sender")
    check("it is told why", any("are the limit here" in line for line in third.complaints), third.complaints)
    check("the first is still shown", "first" in view.title, view.title)
    first.process.send_signal(signal.SIGINT)
    first.expect(0, "the first")
    wait("the second", lambda: "second" in view.title)
    view.wait_for_bars()

    # Closed as a desktop closes windows.
    view.key("alt+F4")
    view.expect(0, "frame-view whose window was closed")
    second.expect(0, "the second")
    check("it is told why", second.summaries()[0]["goodbye"] == "window closed", second.summaries())
    check("each connection has a summary", len(view.summaries()) == 4, view.summaries())


def tutorial():
    """The tutorial's client, twice without a pause, and frame-send's own words of it."""
    pictures = record("tutorial", SIZE, 30)
    view = View()

    def client():
        with socket.create_connection(("127.0.0.1", view.port), timeout=PATIENCE) as connection:
            for picture in pictures:
                for part in [f"{len(picture)}, ".encode(), picture]:
                    connection.sendall(part)
                    if connection.recv(1024) != b"ok":
                        return False
            connection.sendall(b"over")
            return True

    check("a client of the tutorial is served", client())
    check("and the next at once", client())
    wait("two summaries", lambda: len(view.summaries()) == 2)
    check("all were consumed", [line["frames"] for line in view.summaries()] == [30, 30], view.summaries())
    check("they ended with over", [line["end"] for line in view.summaries()] == ["over", "over"], view.summaries())
    view.wait_for_bars(colours=dimmed)
    source = pattern(view.port, "--handshake", "text")
    view.wait_for_number(40)
    view.wait_for_bars()
    view.quit()
    source.finish()


def connecting():
    """A window that connects may be there first, and shows the next stream after a break."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    view = View("--from", f"127.0.0.1:{port}", "--overlay", listens=False)
    check("it says whom it waits for", view.event("waiting")["address"] == f"127.0.0.1:{port}")
    wait("the title says so, too", lambda: f"waiting for 127.0.0.1:{port}" in view.title)
    for _ in range(2):
        source = Program("frame-send", "--pattern", "--stream", "", "--listen", f"127.0.0.1:{port}")
        wait("a live stream", lambda: view.title == f"frame-view: 127.0.0.1:{port}")
        view.wait_for_number(5)
        source.process.kill()
        source.finish()
        wait("the loss in the title", lambda: "connection lost" in view.title)
    source = Program("frame-send", "--pattern", "--stream", "", "--listen", f"127.0.0.1:{port}")
    wait("a live stream", lambda: view.title == f"frame-view: 127.0.0.1:{port}")
    # Ctrl-C in the terminal.
    view.process.send_signal(signal.SIGINT)
    view.expect(0, "frame-view after Ctrl-C")
    source.process.send_signal(signal.SIGINT)
    source.expect(0, "the sender")
    reasons = [line["goodbye"] for line in source.summaries()]
    check("the sender is told of Ctrl-C", "viewer interrupted" in reasons, reasons)


class Link:
    """A way to a port that can be cut while both ends live."""

    def __init__(self, port):
        self.target, self.open = port, []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            ends = self.server.accept()[0], socket.create_connection(("127.0.0.1", self.target))
            self.open += ends
            for source, target in (ends, ends[::-1]):
                threading.Thread(target=self.carry, args=(source, target), daemon=True).start()

    @staticmethod
    def carry(source, target):
        try:
            while piece := source.recv(65_536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        for end in self.open:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # The peer has closed this connection already.
        self.open = []


def staying_away():
    """The only stream broke: it may come back for a while, and then the window closes."""
    view = View("--once", "--return-within", "600")
    link = Link(view.port)
    source = Program("frame-send", "--pattern", "--to", f"127.0.0.1:{link.port}")
    before = view.wait_for_number(5)
    link.cut()
    view.event("connected", 2)
    view.wait_for_number(before)
    source.process.send_signal(signal.SIGINT)
    source.expect(0, "the sender")
    view.expect(0, "frame-view after the stream's end")

    view = View("--once", "--return-within", "1")
    source = pattern(view.port)
    view.wait_for_number(5)
    source.process.kill()
    source.finish()
    view.expect(1, "frame-view whose stream stays away")
    said = "".join(view.complaints)
    check("it says why", "has not come back within 1 s" in said and "--return-within" in said, said)


def strangers():
    """Connections of other programs change nothing: --once waits for a stream."""
    for more in [[], ["--no-reconnect"]]:
        view = View("--once", *more)
        title = view.title
        digits = [] if more else [b"99999999999", b"99999999, "]
        for opening in digits + [b"", b"1", b"o", b"40, ", b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\0\x09"]:
            with socket.create_connection(("127.0.0.1", view.port), PATIENCE) as stranger:
                stranger.sendall(opening)
                stranger.shutdown(socket.SHUT_WR)
                try:
                    while stranger.recv(1024):
                        pass
                except ConnectionResetError:
                    pass
        wait("the title as it was", lambda: view.title == title)
        source = pattern(view.port, "--frames", 20, "--policy", "reliable")
        source.expect(0, "a sender after strangers")
        view.expect(0, "frame-view after its only stream")
        check("the stream is the only one", len(view.summaries()) == 1, view.summaries())
        check("it was shown", view.lines[-1]["frames"] > 0 and view.lines[-1]["end"] == "bye", view.lines[-1])
        check("strangers are reported", any(line["event"] == "error" for line in view.lines), view.lines)


def signals():
    """SIGTERM, and the keys of `connected`, which are those of frame-receive."""
    view = View()
    source = pattern(view.port, "--frames", 10, "--stream", "first")
    source.expect(0, "a sender")
    connected = view.event("connected")
    check("connected has a url", connected["url"] is None and connected["stream"] == "first", connected)
    view.process.send_signal(signal.SIGTERM)
    view.expect(0, "frame-view after SIGTERM")
    check("it says that it stops", any(line["event"] == "stopping" for line in view.lines), view.lines)
    check("the total is that of an interrupted run", view.lines[-1]["end"] == "cancelled", view.lines[-1])


def without_a_window():
    """No display, no address, no port: an error that says what to do."""
    bare = {name: value for name, value in screen.environment.items() if name != "DISPLAY"}

    def run(*arguments, environment=bare):
        return subprocess.run(
            [os.path.join(options.view, "frame-view"), *arguments], env=environment, capture_output=True, text=True,
            timeout=PATIENCE)

    outcome = run("--listen", "0")
    check("no display is an error", outcome.returncode == 1, outcome)
    check("it says what to do", "no display: set DISPLAY" in outcome.stderr, outcome.stderr)
    for wrong in [[], ["--listen", "x"], ["--from", "host"], ["--listen", "0", "--from", "a:1"],
                  ["--listen", "0", "--no-reconnect"], ["--listen", "0", "--return-within", "5"],
                  ["--listen", "0", "--scale-quality", "much"], ["--listen", "0", "--minimum-rate=-1"]]:
        outcome = run(*wrong)
        check(f"{wrong} is no command line", outcome.returncode == 64, outcome)
    for wrong, words in [
            (["--listen", "0", "--fulscreen"], "Unknown option '--fulscreen'. Did you mean '--fullscreen'?"),
            (["--listen", "0", "--return-within", "soon"], "0 to 86400 seconds"), ([], "  frame-view --from sender:5600")]:
        outcome = run(*wrong)
        check(f"{wrong}: {words}", outcome.returncode == 64 and words in outcome.stderr and not outcome.stdout, outcome)
    outcome = run("--help")
    check("help has examples", all(f"{group}:" in outcome.stdout for group in ["Connection", "Window", "Security", "Output"]), outcome)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = run("--listen", str(taken.getsockname()[1]), environment=screen.environment)
        check("a port that is taken is an error", outcome.returncode == 1 and "another port" in outcome.stderr, outcome)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        outcome = run("--from", f"127.0.0.1:{free.getsockname()[1]}", "--no-reconnect", environment=screen.environment)
    check("nobody there is an error", outcome.returncode == 1 and "no program listens" in outcome.stderr, outcome)
    # A window that nobody sees takes everything all the same.
    blind = Program("frame-view", "--listen", "127.0.0.1:0", "--once", environment=dict(bare, SDL_VIDEODRIVER="dummy"))
    source = pattern(blind.event("listening")["port"], "--frames", 20, "--policy", "reliable")
    source.expect(0, "the sender")
    blind.expect(0, "frame-view without a display")
    check("every picture was consumed", source.summaries()[0]["acknowledged"] == 20, source.summaries())


def documentation_picture():
    """A window as Docs/View.md shows it, with its frame."""
    view = View("--overlay")
    source = pattern(view.port, "--stream", "front door")
    view.wait_for_number(100)
    view.wait_for_bars()
    x, y, width, height = view.area
    picture = screen.picture().cropped(x - 1, y - 20, width + 2, height + 21).png()
    with open(options.picture, "wb") as file:
        file.write(picture)
    check("the picture is small", len(picture) < 150_000, len(picture))
    quit_both(view, source)


def main():
    parts = [
        colours, grey_and_odd_sizes, keys, resizing, ends, tutorial, connecting, staying_away, strangers, signals,
        without_a_window]
    if options.picture:
        parts = [documentation_picture]
    for part in parts:
        if options.only not in (None, part.__name__):
            continue
        try:
            part()
        except Exception as error:  # The other parts are run all the same.
            check(part.__name__, False, repr(error))
            with open(os.path.join(start, ".build", "view-failure.png"), "wb") as file:
                file.write(screen.picture().png())
        for program in list(Program.running):
            program.process.kill()
            program.finish()
    if not options.only and not options.picture:
        expected = {"listening", "waiting", "connected", "disconnected", "snapshot", "error", "stopping", "summary"}
        check("every event of a window occurred", expected <= Program.seen, expected - Program.seen)
    return tally.conclude()


parser = argparse.ArgumentParser()
parser.add_argument("binaries", help="the folder with frame-send and frame-receive")
parser.add_argument("view", help="the folder with frame-view")
parser.add_argument("--picture", type=os.path.abspath, help="make the picture of Docs/View.md here, and nothing else")
parser.add_argument("--only", help="one part")
options = parser.parse_args()
options.binaries, options.view = map(os.path.abspath, [options.binaries, options.view])
start = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
with tempfile.TemporaryDirectory(prefix="frame-view-") as folder:
    screen = Screen(folder)
    try:
        status = main()
    finally:
        screen.close()
sys.exit(status)
