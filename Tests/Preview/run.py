#!/usr/bin/env python3
"""Checks `frame-receive --preview` as people see it: in headless Chromium, and by ffmpeg and OpenCV on its motion JPEG.

Needs chromium, ffmpeg, and Python with OpenCV and numpy (run.sh makes an environment with them). The executables are those in the
folder that is named. Every wait is for a condition and has a limit. Exits with 1 where anything failed.
"""
import argparse
import base64
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

import cv2
import numpy

import pattern
from browser import Browser
from camera import Camera
from programs import PATIENCE, Receiver, send

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Sources/FrameStreamingPreview/Page/index.html")
WIDTH, HEIGHT, RATE = 640, 480, 30
HOSTILE = "<img src=x onerror=\"document.title='owned'\">'&/ä"
# The bars' means after a JPEG of quality 80 are off by 1; a wrong matrix or range is off by 15 and more.
TOLERANCE = 4.0

# What the page says to the server and hears from it; an ack can be held back, as a slow machine would.
WATCH = """
window.seen = { pictures: [], acks: [], watches: [], delay: 0, draws: 0 };
const { drawImage } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.drawImage = function (...all) { seen.draws += 1; drawImage.apply(this, all); };
window.WebSocket = class extends WebSocket {
    constructor(...all) {
        super(...all);
        this.addEventListener("message", ({ data }) => {
            if (typeof data === "string") return;
            const length = new DataView(data).getUint32(0);
            seen.pictures.push({ ...JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length))), draws: seen.draws });
        });
    }
    send(text) {
        const message = JSON.parse(text);
        (message.type === "ack" ? seen.acks : seen.watches).push({ ...message, draws: seen.draws });
        if (message.type === "ack" && seen.delay > 0) setTimeout(() => super.send(text), seen.delay);
        else super.send(text);
    }
};
window.pixels = (name, top = 0) => {
    const canvas = tile(name).querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, top, canvas.width, canvas.height - top);
    let text = "";
    for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
    return [canvas.width, btoa(text)];
};
window.tile = (name) => document.querySelector(`[data-stream="${CSS.escape(name)}"]`);
window.figure = (name, label) => [...tile(name).querySelectorAll("dt")].find((term) => term.textContent === label).nextSibling.textContent;
window.said = (name) => [...tile(name).querySelectorAll(".veil, .note")].filter((words) => words.checkVisibility()).map((words) => words.textContent).join(" ");
window.state = (name) => tile(name)?.querySelector(".state").textContent;
window.news = () => document.getElementById("news").textContent;
"""

passed, failed = 0, 0


def check(what, holds, detail=""):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
    print(f"{'ok' if holds else 'FAILED'}: {what}" + ("" if holds else f": {detail}"), flush=True)


def expect(what, condition, detail=lambda: "", limit=PATIENCE):
    """A check that a condition comes true in time."""
    deadline = time.monotonic() + limit
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(0.03)
    check(what, holds, f"not within {limit} s; {detail()}")
    return holds


def js(text): return json.dumps(text)


def pattern_to(receiver, name):
    return send(options.binaries, receiver, name, "--pattern", "--size", f"{WIDTH}x{HEIGHT}", "--rate", str(RATE))


def rgb(data):
    return cv2.imdecode(numpy.frombuffer(data, "uint8"), cv2.IMREAD_COLOR)[:, :, ::-1]


def canvas(page, name):
    """What is drawn, as JavaScript reads it back."""
    width, data = page.evaluate(f"pixels({js(name)})")
    return numpy.frombuffer(base64.b64decode(data), "uint8").reshape(-1, width, 4)[:, :, :3]


def counter(page, name):
    """The number in the picture that is drawn. A slow page has only the blocks to hand over."""
    top = pattern.strip(WIDTH, HEIGHT)[0]
    picture = numpy.zeros((HEIGHT, WIDTH, 3), "uint8")
    width, data = page.evaluate(f"pixels({js(name)}, {top})")
    picture[top:] = numpy.frombuffer(base64.b64decode(data), "uint8").reshape(-1, width, 4)[:, :, :3]
    return pattern.number(picture)


def on_screen(page, name):
    """The picture cut from a screenshot, in its own size: the browser keeps its shape in the canvas's box."""
    left, top, width, height = page.evaluate(
        f"(() => {{ const box = tile({js(name)}).querySelector('canvas').getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; }})()")
    scale = min(width / WIDTH, height / HEIGHT)
    left, top, width, height = (
        left + (width - WIDTH * scale) / 2, top + (height - HEIGHT * scale) / 2, WIDTH * scale, HEIGHT * scale)
    shown = rgb(page.screenshot())[round(top):round(top + height), round(left):round(left + width)]
    return cv2.resize(numpy.ascontiguousarray(shown), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


def shows(page, receiver, name):
    """The colours and the figures, in a tile."""
    page.until(f"window.tile && tile({js(name)}) && figure({js(name)}, 'Frames') > 0", f"{name} is shown")
    page.until(f"seen.acks.length > 3")
    check("it is live", page.evaluate(f"state({js(name)})") == "Live")
    worst, number = pattern.off(canvas(page, name))
    check("the bars are right in the canvas", worst <= TOLERANCE and number is not None, f"off by {worst:.1f}")
    worst, number = pattern.off(on_screen(page, name))
    check("the bars are right in a screenshot", worst <= TOLERANCE and number is not None, f"off by {worst:.1f}")
    numbers = []
    expect("the counter in the picture advances",
           lambda: numbers.append(counter(page, name)) or None not in numbers and numbers[-1] - numbers[0] >= 60,
           lambda: numbers)
    check("it never goes back", None not in numbers and numbers == sorted(numbers), numbers)
    check("many pictures on its way are seen", len(set(numbers)) >= 10, numbers)
    for label, holds in {
            "Rate": lambda text: RATE - 8 <= float(text.removesuffix(" fps")) <= RATE + 8,
            "Delay p50": lambda text: 0 < float(text.removesuffix(" ms")) < 1000,
            "Delay p99": lambda text: 0 < float(text.removesuffix(" ms")) < 1000,
            "Data": lambda text: text.endswith("kB/s"), "Size": lambda text: text == f"{WIDTH}×{HEIGHT}",
            "Quality": lambda text: text == "80", "Dropped": lambda text: text.isdigit(),
            "From": lambda text: "127.0.0.1" in text}.items():
        expect(f"the figure {label}", lambda: readable(holds, page.evaluate(f"figure({js(name)}, {js(label)})")),
               lambda: page.evaluate(f"figure({js(name)}, {js(label)})"))
    window = receiver.stream(name)["window"]
    check("the figure Window", page.evaluate(f"figure({js(name)}, 'Window')") == ("–" if window is None else str(window))
          or receiver.stream(name)["window"] != window, window)
    expect("the delay is plotted", lambda: page.evaluate(f"tile({js(name)}).querySelector('path:not(.p99)').getAttribute('d').length > 20"))
    text = page.evaluate(f"tile({js(name)}).querySelector('svg').textContent")
    check("the plot's axes have units", "ms" in text and "60 s ago" in text, text)
    # One that is under way now is received and not yet drawn.
    acks, pictures = page.evaluate("[seen.acks.map(({sequence}) => sequence), seen.pictures.map(({sequence}) => sequence)]")
    check("each picture is acknowledged once, in order", acks == pictures[:len(acks)] and len(pictures) - len(acks) <= 2, (acks[-5:], pictures[-5:]))
    before, after = page.evaluate("[seen.pictures.map(({draws}) => draws), seen.acks.map(({draws}) => draws)]")
    late = sum(drawn > had for had, drawn in zip(before, after))
    # Where two came at once the older one was of no use.
    check("and when it is drawn", late > 0.8 * len(after), (late, len(after)))
    check("figures are not read out", page.evaluate("news()") == "", page.evaluate("news()"))


def readable(holds, text):
    try:
        return holds(text)
    except ValueError:
        return False


def keyboard(page, name):
    """Enter for one large, Esc back; with an address."""
    focus = f"document.activeElement === tile({js(name)}).querySelector('h2 a')"
    for _ in range(10):
        page.tab()
        if page.evaluate(focus):
            break
    check("Tab gets to a tile", page.evaluate(focus))
    check("the focus is seen", page.evaluate("document.activeElement.matches(':focus-visible')"))
    small = page.evaluate(f"tile({js(name)}).querySelector('canvas').getBoundingClientRect().width")
    page.enter()
    expect("Enter makes it large", lambda: page.evaluate(f"tile({js(name)}).querySelector('canvas').getBoundingClientRect().width") > 1.5 * small)
    check("it has an address", page.evaluate("decodeURIComponent(location.hash)") == f"#stream={name}", page.evaluate("location.hash"))
    check("the other tiles are away", page.evaluate("[...document.querySelectorAll('.tile')].filter((tile) => tile.offsetWidth > 0).length") == 1)
    before = page.evaluate("seen.acks.length")
    expect("it goes on", lambda: page.evaluate("seen.acks.length") > before + 5)
    worst, _ = pattern.off(on_screen(page, name))
    check("the bars are right in a screenshot of it", worst <= TOLERANCE, f"off by {worst:.1f}")
    page.escape()
    expect("Esc goes back", lambda: page.evaluate("location.hash") == "" and not page.evaluate("document.body.matches('.single')"))
    check("the focus is where it was", page.evaluate(focus), page.evaluate("document.activeElement.outerHTML.slice(0, 80)"))
    page.evaluate("history.forward()")
    expect("the browser's own history works", lambda: page.evaluate("document.body.matches('.single')"))
    page.evaluate("document.getElementById('back').click()")
    expect("so does the way back", lambda: not page.evaluate("document.body.matches('.single')"))


def accessible(page, name):
    """What a screen reader is told."""
    nodes = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in page.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
    roles = [role for role, _ in nodes]
    check("there are landmarks", {"banner", "main"} <= set(roles), set(roles))
    check("the picture has a name", ("image", f"Live picture of {name}") in nodes or ("img", f"Live picture of {name}") in nodes,
          [node for node in nodes if node[0] in ("image", "img")])
    check("the plot says its figures", any("Delay over the last minute, at most" in label for _, label in nodes))
    check("the stream is a heading and a link", ("heading", name) in nodes and ("link", name) in nodes)
    check("news are told politely", page.evaluate("document.getElementById('news').getAttribute('aria-live')") == "polite" and "status" in roles)


def hostile(page, receiver):
    """A name that tries to be markup."""
    sender = pattern_to(receiver, HOSTILE)
    try:
        expect("a name of markup is listed", lambda: page.evaluate(f"Boolean(tile({js(HOSTILE)}))"))
        check("it is text", page.evaluate(f"tile({js(HOSTILE)}).querySelector('h2').textContent") == HOSTILE)
        check("and nothing else", page.evaluate("document.images.length") == 0 and page.evaluate("document.title") != "owned")
        page.evaluate(f"tile({js(HOSTILE)}).querySelector('h2 a').click()")
        expect("it has an address, too", lambda: page.evaluate("document.querySelector('.chosen')?.dataset.stream") == HOSTILE)
        check("the title is text", page.evaluate("document.title") == HOSTILE, page.evaluate("document.title"))
        link = page.evaluate(f"[...tile({js(HOSTILE)}).querySelectorAll('.links a')][0].href")
        expect("its newest picture is where the page says",
               lambda: pattern.off(rgb(receiver.get(link)))[0] <= TOLERANCE)
        expect("it is drawn", lambda: pattern.off(canvas(page, HOSTILE))[0] <= TOLERANCE)
        page.escape()
        for width, what in [(360, "a phone"), (320, "a small phone"), (768, "a tablet")]:
            page.size(width=width, height=740, mobile=True)
            # A phone makes its window as wide as what it shows, so that the window is no measure.
            check(f"{what} does not scroll sideways", page.evaluate("document.documentElement.scrollWidth") <= width)
            page.evaluate(f"tile({js(HOSTILE)}).querySelector('h2 a').click()")
            page.until("document.body.matches('.single')")
            check(f"{what} does not with a large one", page.evaluate("document.documentElement.scrollWidth") <= width)
            page.evaluate("document.getElementById('back').click()")
            page.until("!document.body.matches('.single')")
    finally:
        page.size()
        sender.send_signal(signal.SIGINT)
        sender.wait(PATIENCE)
    expect("a stream that said goodbye has ended", lambda: page.evaluate(f"state({js(HOSTILE)})") == "Ended")


def policies(browser, receiver):
    """What the page forbids itself, and the look that was asked for."""
    body = receiver.get("/").decode()
    with open(PAGE) as file:
        # The server marks the script as its own.
        check("the page is the one in Sources", re.sub(' nonce="[^"]*"', "", body) == file.read())
    page = browser.open(receiver.url)
    page.evaluate("(() => { const script = document.createElement('script'); script.textContent = 'window.owned = 1'; document.body.append(script); })()")
    check("a script that got in would not run", page.evaluate("window.owned === undefined"))
    grounds = []
    for scheme in ["light", "dark"]:
        page.appearance(scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number).reduce((a, b) => a + b)"))
    check("there is a light and a dark look", grounds[0] > 600 and grounds[1] < 150, grounds)
    page.appearance("light", motion="reduce")
    check("less motion where that is asked for", page.evaluate(
        "[...document.querySelectorAll('canvas')].every((canvas) => getComputedStyle(canvas).transitionDuration === '0s')"))
    page.close()
    # A page of some other site, in the same browser.
    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title>")

        def log_message(self, *_): pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as elsewhere:
        threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
        page = browser.open(f"http://127.0.0.1:{elsewhere.server_port}/")
        socket = js(receiver.url.replace("http", "ws") + "api/live")
        check("a page of another site gets no pictures", page.evaluate(
            f"new Promise((done) => {{ const socket = new WebSocket({socket}); socket.onopen = () => done('open'); socket.onerror = () => done('refused'); }})")
            == "refused")
        check("nor the list of streams", page.evaluate(f"fetch({js(receiver.url)} + 'api/streams').then(() => 'read', () => 'refused')") == "refused")
        page.close()
        elsewhere.shutdown()


def unseen(browser, page, name):
    """Nothing is sent for what nobody sees."""
    def watched(): return page.evaluate("seen.watches.at(-1).streams")
    check("it watches what is shown", name in watched(), watched())
    other = browser.open("about:blank", loads=False)
    other.show()
    expect("a hidden tab watches nothing", lambda: page.evaluate("document.hidden") and watched() == [], watched)
    expect("what was under way is given back", lambda: page.evaluate("seen.acks.length === seen.pictures.length"))
    before = page.evaluate("seen.pictures.length")
    # Several of the server's words, once a second, show that time has passed.
    frames = page.evaluate(f"figure({js(name)}, 'Frames').replace(',', '') * 1")
    expect("its figures go on", lambda: page.evaluate(f"figure({js(name)}, 'Frames').replace(',', '') * 1") > frames + 1.5 * RATE)
    check("and no picture comes", page.evaluate("seen.pictures.length") == before)
    page.show()
    expect("it goes on when it is seen again", lambda: page.evaluate("seen.pictures.length") > before + 10)
    other.close()
    page.size(height=200)
    page.evaluate("document.body.style.paddingTop = '1200px'")
    expect("a tile out of view is not watched", lambda: watched() == [], watched)
    page.evaluate("document.body.style.paddingTop = ''")
    page.size()
    expect("one in view is", lambda: name in watched(), watched)


def slow(page, receiver, name):
    """A browser that does not keep up gets fewer pictures, and fresh ones."""
    start, skipped = page.evaluate("[seen.pictures.length, seen.pictures.reduce((sum, {skipped}) => sum + skipped, 0)]")
    page.call("Emulation.setCPUThrottlingRate", rate=4)
    page.evaluate("seen.delay = 400")
    try:
        page.until(f"seen.pictures.length >= {start} + 4")
        ages = []
        while page.evaluate("seen.pictures.length") < start + 24:
            drawn = counter(page, name)
            newest = pattern.number(rgb(receiver.get(receiver.address(name, 'jpg'))))
            if drawn is not None and newest is not None:
                ages.append((newest - drawn) / RATE)
        now, left_out = page.evaluate("[seen.pictures.length, seen.pictures.reduce((sum, {skipped}) => sum + skipped, 0)]")
        check("a slow browser is sent fewer", left_out - skipped > now - start, (left_out - skipped, now - start))
        check("the page counts what it was not sent", page.evaluate(f"figure({js(name)}, 'Left out here').replace(',', '') * 1") > 0)
        # Two may be under way, each held for 400 ms, and the picture that is drawn stays until the next one. What queued up would be
        # older by four fifths of a second with each second.
        print(f"   ages of what a slow browser shows: median {numpy.median(ages):.2f} s, most {max(ages):.2f} s, of {len(ages)}")
        check("what it shows is fresh", len(ages) > 5 and numpy.median(ages) < 1.5 and max(ages) < 3, [round(age, 2) for age in ages])
        half = len(ages) // 2
        check("and does not get older", numpy.median(ages[half:]) < numpy.median(ages[:half]) + 0.7, [round(age, 2) for age in ages])
    finally:
        page.call("Emulation.setCPUThrottlingRate", rate=1)
        page.evaluate("seen.delay = 0")
    count = page.evaluate("seen.acks.length")
    expect("it catches up", lambda: page.evaluate("seen.acks.length") > count + 40)


def lost_and_back(page, receiver, name, sender):
    """kill -9, and the same sender once more."""
    sender.kill()
    sender.wait()
    expect("a killed sender's stream is lost", lambda: page.evaluate(f"state({js(name)})") == "Lost", lambda: page.evaluate(f"state({js(name)})"))
    reason = receiver.stream(name).get("reason")
    check("the page says why", reason and reason in page.evaluate(f"said({js(name)})"), (reason, page.evaluate(f"said({js(name)})")))
    check("and tells a screen reader", f"{name} is lost" in page.evaluate("news()"), page.evaluate("news()"))
    check("the last picture stays", pattern.off(canvas(page, name))[0] <= TOLERANCE)
    expect("in grey", lambda: page.evaluate(f"getComputedStyle(tile({js(name)}).querySelector('canvas')).filter") == "grayscale(1)")
    count = page.evaluate("seen.acks.length")
    sender = pattern_to(receiver, name)
    expect("it is back", lambda: page.evaluate(f"state({js(name)})").startswith("Back after"), lambda: page.evaluate(f"state({js(name)})"))
    check("a screen reader hears of it", f"{name} is back" in page.evaluate("news()"), page.evaluate("news()"))
    expect("its pictures are drawn again", lambda: page.evaluate("seen.acks.length") > count + 20)
    check("in its own tile", page.evaluate("[...document.querySelectorAll('.tile h2')].filter((title) => title.textContent === " + js(name) + ").length") == 1)
    check("in colour", pattern.off(on_screen(page, name))[0] <= TOLERANCE)
    return sender


def unplugged(page, receiver):
    """A camera whose plug is pulled and put back: the connection stays."""
    image = numpy.zeros((48, 64, 3), "uint8")
    image[:] = (40, 160, 80)  # BGR
    name = "a camera"
    camera = Camera(receiver.port, name, cv2.imencode(".jpg", image)[1].tobytes(), 64, 48)
    expect("a camera is shown", lambda: page.evaluate(f"state({js(name)})") == "Live")
    expect("with its picture", lambda: page.evaluate(f"tile({js(name)}).querySelector('canvas').width") == 64
           and abs(canvas(page, name).reshape(-1, 3).mean(axis=0) - (80, 160, 40)).max() < 3)
    check("no delay is made up for one without a clock", page.evaluate(f"figure({js(name)}, 'Delay p50')") == "–",
          page.evaluate(f"figure({js(name)}, 'Delay p50')"))
    camera.unplug("camera unplugged: /dev/video7")
    expect("an unplugged camera is lost", lambda: page.evaluate(f"state({js(name)})") == "Lost")
    text = page.evaluate(f"said({js(name)})")
    check("with the camera's own words", "camera unplugged: /dev/video7" in text, text)
    check("told to a screen reader", f"{name} is lost: camera unplugged" in page.evaluate("news()"), page.evaluate("news()"))
    camera.plug_in()
    count = page.evaluate(f"seen.pictures.filter(({{stream}}) => stream === {js(name)}).length")
    expect("a camera plugged in again is back", lambda: page.evaluate(f"state({js(name)})").startswith("Back after"))
    expect("and so are its pictures", lambda: page.evaluate(f"seen.pictures.filter(({{stream}}) => stream === {js(name)}).length") > count + 5)
    check("nothing covers them", page.evaluate(f"said({js(name)})") == "", page.evaluate(f"said({js(name)})"))
    camera.goodbye("going home")
    expect("a camera that says goodbye has ended", lambda: page.evaluate(f"state({js(name)})") == "Ended")


def by_others(receiver, name):
    """ffmpeg and OpenCV read the motion JPEG: every frame is whole and newer than the one before."""
    address = receiver.address(name, "mjpg")
    count = 60
    done = subprocess.run(
        ["ffmpeg", "-v", "warning", "-xerror", "-f", "mpjpeg", "-i", address, "-frames:v", str(count), "-fps_mode", "passthrough", "-f", "rawvideo",
         "-pix_fmt", "rgb24", "-"], capture_output=True, timeout=PATIENCE)
    check("ffmpeg reads it without a complaint", done.returncode == 0 and not complaints(done.stderr), done.stderr[-500:])
    frames = numpy.frombuffer(done.stdout, "uint8")
    check(f"it gets {count} frames", len(frames) == count * HEIGHT * WIDTH * 3, len(frames))
    whole("ffmpeg", frames[:len(frames) // (HEIGHT * WIDTH * 3) * HEIGHT * WIDTH * 3].reshape(-1, HEIGHT, WIDTH, 3))
    capture = cv2.VideoCapture(address)
    frames = [frame[:, :, ::-1] for there, frame in (capture.read() for _ in range(count)) if there]
    capture.release()
    check(f"OpenCV gets {count} frames", len(frames) == count, len(frames))
    whole("OpenCV", frames)


def complaints(text):
    """Of ffmpeg, without its remark on what JPEG's full range is called."""
    return [line for line in text.decode().splitlines() if line and "deprecated pixel format" not in line]


def whole(who, frames):
    found = [pattern.off(frame) for frame in frames]
    numbers = [number for _, number in found]
    check(f"{who}: each picture's number is newer", None not in numbers and all(a < b for a, b in zip(numbers, numbers[1:])), numbers)
    check(f"{who}: each picture's bars are right", found and max(worst for worst, _ in found) <= TOLERANCE, found)


def in_an_image(browser, receiver, name):
    """The motion JPEG and the picture, as a page of one's own shows them in <img>."""
    page = browser.open(receiver.address(name, "mjpg"), loads=False, width=WIDTH, height=HEIGHT)
    expect("Chromium shows the motion JPEG by itself", lambda: pattern.off(rgb(page.screenshot()))[0] <= TOLERANCE)
    first = pattern.number(rgb(page.screenshot()))
    expect("and it moves", lambda: (pattern.number(rgb(page.screenshot())) or 0) > (first or 0) + RATE)
    page.close()
    half = receiver.get(receiver.address(name, "jpg") + "?scale=1/2")
    check("a picture at half the size", rgb(half).shape[:2] == (HEIGHT // 2, WIDTH // 2))


def receiver_gone(page, receiver, name):
    """The page outlives its server, and comes back by itself."""
    receiver.kill()
    expect("the page says that the receiver is gone", lambda: page.evaluate("!document.getElementById('notice').hidden"))
    check("and that it tries again", "rying again" in page.evaluate("document.querySelector('#notice p').textContent"))
    expect("no stream is called live", lambda: page.evaluate(f"state({js(name)})") == "Not connected")
    check("the last picture stays", pattern.off(canvas(page, name))[0] <= TOLERANCE)
    expect("in grey too", lambda: page.evaluate(f"getComputedStyle(tile({js(name)}).querySelector('canvas')).filter") == "grayscale(1)")
    check("it is told", "The connection to the receiver is lost" in page.evaluate("news()"), page.evaluate("news()"))
    again = Receiver(options.binaries, receiver.url.removeprefix("http://").rstrip("/"))
    check("it is the same address", again.url == receiver.url, again.url)
    sender = pattern_to(again, name)
    expect("the page is connected again", lambda: page.evaluate("document.getElementById('notice').hidden"))
    count = page.evaluate("seen.acks.length")
    expect("and shows what there is", lambda: page.evaluate(f"state({js(name)})") == "Live" and page.evaluate("seen.acks.length") > count + 10)
    sender.send_signal(signal.SIGINT)
    sender.wait(PATIENCE)
    check("frame-receive ends with status 0", again.finish() == 0)


def main():
    started = time.monotonic()
    name = "front door"
    receiver, browser = Receiver(options.binaries), Browser(PATIENCE)
    sender = pattern_to(receiver, name)
    try:
        page = browser.open(receiver.url, before=WATCH)

        def lose():
            nonlocal sender
            sender = lost_and_back(page, receiver, name, sender)

        def quiet():
            check("no error in the console", page.errors == [], page.errors)
            foreign = [address for address in page.requests if urllib.parse.urlsplit(address).netloc != urllib.parse.urlsplit(receiver.url).netloc
                       and not address.startswith("data:")]
            check("the page asks nobody but the server", page.requests and foreign == [], foreign)

        for part in [
                lambda: shows(page, receiver, name), lambda: keyboard(page, name), lambda: accessible(page, name),
                lambda: policies(browser, receiver), lambda: by_others(receiver, name), lambda: in_an_image(browser, receiver, name),
                lambda: hostile(page, receiver), lambda: unseen(browser, page, name), lambda: slow(page, receiver, name), lose,
                lambda: unplugged(page, receiver), quiet, lambda: receiver_gone(page, receiver, name)]:
            try:
                page.show()
                part()
            except Exception as error:  # The other parts are run all the same.
                check("a part runs to its end", False, f"{part.__code__.co_names[0]}: {error!r}")
    finally:
        for process in [sender, receiver.process]:
            process.kill()
            process.wait()
        browser.close()
    print(f"{passed} passed, {failed} failed in {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


parser = argparse.ArgumentParser()
parser.add_argument("binaries", help="the folder with frame-send and frame-receive")
options = parser.parse_args()
sys.exit(main())
