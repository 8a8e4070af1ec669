"""The page itself: what it shows, to whom, and what it forbids."""

import http.server
import os
import re
import signal
import threading

import cv2
import numpy

import pattern
from camera import Camera
from checks import expect
from programs import PATIENCE
from sight import HEIGHT, RATE, TOLERANCE, WIDTH, canvas, counter, js, on_screen, pattern_to, rgb
from tally import check

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Sources/FrameStreamingPreview/Page")
HOSTILE = "<img src=x onerror=\"document.title='owned'\">'&/ä"


def shows(page, receiver, name):
    """The colours and the figures, in a tile."""
    page.until(f"window.tile && tile({js(name)}) && figure({js(name)}, 'Frames') > 0", f"{name} is shown")
    page.until("seen.acks.length > 3")
    check("it is live", page.evaluate(f"state({js(name)})") == "Live")
    worst, number = pattern.off(canvas(page, name))
    check("the bars are right in the canvas", worst <= TOLERANCE and number is not None, f"off by {worst:.1f}")
    worst, number = pattern.off(on_screen(page, name))
    check("the bars are right in a screenshot", worst <= TOLERANCE and number is not None, f"off by {worst:.1f}")
    numbers = []
    expect(
        "the counter in the picture advances",
        lambda: numbers.append(counter(page, name)) or None not in numbers and numbers[-1] - numbers[0] >= 60,
        lambda: numbers,
    )
    check("it never goes back", None not in numbers and numbers == sorted(numbers), numbers)
    check("many pictures on its way are seen", len(set(numbers)) >= 10, numbers)
    for label, holds in {
        "Rate": lambda text: RATE - 8 <= float(text.removesuffix(" fps")) <= RATE + 8,
        "Delay p50": lambda text: 0 < float(text.removesuffix(" ms")) < 1000,
        "Delay p99": lambda text: 0 < float(text.removesuffix(" ms")) < 1000,
        "Data": lambda text: text.endswith("kB/s"),
        "Size": lambda text: text == f"{WIDTH}×{HEIGHT}",
        "Quality": lambda text: text == "80",
        "Dropped": lambda text: text.isdigit(),
        "From": lambda text: "127.0.0.1" in text,
    }.items():
        expect(
            f"the figure {label}",
            lambda: readable(holds, page.evaluate(f"figure({js(name)}, {js(label)})")),
            lambda: page.evaluate(f"figure({js(name)}, {js(label)})"),
        )
    window = receiver.stream(name)["window"]
    check(
        "the figure Window",
        page.evaluate(f"figure({js(name)}, 'Window')") == ("–" if window is None else str(window))
        or receiver.stream(name)["window"] != window,
        window,
    )
    expect(
        "the delay is plotted",
        lambda: page.evaluate(f"tile({js(name)}).querySelector('.plot path:not(.p99)').getAttribute('d').length > 20"),
    )
    text = page.evaluate(f"tile({js(name)}).querySelector('.plot').textContent")
    check("the plot's axes have units", "ms" in text and "60 s ago" in text, text)
    # One that is under way now is received and not yet drawn.
    acks, pictures = page.evaluate("[seen.acks.map(({sequence}) => sequence), seen.pictures.map(({sequence}) => sequence)]")
    check(
        "each picture is acknowledged once, in order",
        acks == pictures[: len(acks)] and len(pictures) - len(acks) <= 2,
        (acks[-5:], pictures[-5:]),
    )
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


def keyboard(page, receiver, name):
    """Enter for one large of two, Esc back; with an address."""
    image = numpy.full((48, 64, 3), 120, "uint8")
    other = Camera(receiver.port, "another", cv2.imencode(".jpg", image)[1].tobytes(), 64, 48)
    page.until("tiles.get('another')?.drawn > 0 && document.querySelector('#streams').className !== ''")
    focus = f"document.activeElement === tile({js(name)}).querySelector('h2 a')"
    for _ in range(10):
        page.tab()
        if page.evaluate(focus):
            break
    check("Tab gets to a tile", page.evaluate(focus))
    check("the focus is seen", page.evaluate("document.activeElement.matches(':focus-visible')"))
    small = page.evaluate(f"tile({js(name)}).querySelector('canvas').getBoundingClientRect().width")
    page.enter()
    expect(
        "Enter makes it large",
        lambda: page.evaluate(f"tile({js(name)}).querySelector('canvas').getBoundingClientRect().width") > 1.2 * small,
    )
    check(
        "it has an address",
        page.evaluate("decodeURIComponent(location.hash)") == f"#stream={name}",
        page.evaluate("location.hash"),
    )
    check(
        "the other tiles are away",
        page.evaluate("[...document.querySelectorAll('.tile')].filter((tile) => tile.offsetWidth > 0).length") == 1,
    )
    before = page.evaluate("seen.acks.length")
    expect("it goes on", lambda: page.evaluate("seen.acks.length") > before + 5)
    worst, _ = pattern.off(on_screen(page, name))
    check("the bars are right in a screenshot of it", worst <= TOLERANCE, f"off by {worst:.1f}")
    page.escape()
    expect(
        "Esc goes back", lambda: page.evaluate("location.hash") == "" and not page.evaluate("document.body.matches('.single')")
    )
    check("the focus is where it was", page.evaluate(focus), page.evaluate("document.activeElement.outerHTML.slice(0, 80)"))
    page.evaluate("history.forward()")
    expect("the browser's own history works", lambda: page.evaluate("document.body.matches('.single')"))
    page.evaluate("document.getElementById('back').click()")
    expect("so does the way back", lambda: not page.evaluate("document.body.matches('.single')"))
    other.goodbye("that is all")
    expect("the other has ended", lambda: page.evaluate("state('another')") == "Ended")


def accessible(page, name):
    """What a screen reader is told."""
    nodes = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in page.call("Accessibility.getFullAXTree")["nodes"]
        if not node["ignored"]
    ]
    roles = [role for role, _ in nodes]
    check("there are landmarks", {"banner", "main"} <= set(roles), set(roles))
    check(
        "the picture has a name",
        ("image", f"Live picture of {name}") in nodes or ("img", f"Live picture of {name}") in nodes,
        [node for node in nodes if node[0] in ("image", "img")],
    )
    check("the plot says its figures", any("Delay over the last minute, at most" in label for _, label in nodes))
    check("the stream is a heading and a link", ("heading", name) in nodes and ("link", name) in nodes)
    check(
        "news are told politely",
        page.evaluate("document.getElementById('news').getAttribute('aria-live')") == "polite" and "status" in roles,
    )


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
        link = page.evaluate(f"tile({js(HOSTILE)}).querySelector('.tools a').href")
        expect("its newest picture is where the page says", lambda: pattern.off(rgb(receiver.get(link)))[0] <= TOLERANCE)
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

    def source(name):
        with open(os.path.join(PAGE, name)) as file:
            return file.read()

    # The server puts the style and the scripts into the page, and marks the scripts as its own.
    whole = re.sub('<link rel="stylesheet" href="(.*?)">', lambda link: f"<style>\n{source(link[1])}</style>", source("index.html"))
    whole = re.sub('<script src="(.*?)"></script>', lambda link: f"<script>\n{source(link[1])}</script>", whole)
    check("the page is the one in Sources", re.sub(' nonce="[^"]*"', "", body) == whole)
    page = browser.open(receiver.url)
    page.evaluate(
        "(() => { const script = document.createElement('script'); script.textContent = 'window.owned = 1'; document.body.append(script); })()"
    )
    check("a script that got in would not run", page.evaluate("window.owned === undefined"))
    grounds = []
    for scheme in ["light", "dark"]:
        page.appearance(scheme)
        grounds.append(
            page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number).reduce((a, b) => a + b)")
        )
    check("there is a light and a dark look", grounds[0] > 600 and grounds[1] < 150, grounds)
    page.appearance("light", motion="reduce")
    check(
        "less motion where that is asked for",
        page.evaluate(
            "[...document.querySelectorAll('canvas')].every((canvas) => getComputedStyle(canvas).transitionDuration === '0s')"
        ),
    )
    page.close()

    # A page of some other site, in the same browser.
    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title>")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as elsewhere:
        threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
        page = browser.open(f"http://127.0.0.1:{elsewhere.server_port}/")
        socket = js(receiver.url.replace("http", "ws") + "api/live")
        check(
            "a page of another site gets no pictures",
            page.evaluate(
                f"new Promise((done) => {{ const socket = new WebSocket({socket}); socket.onopen = () => done('open'); socket.onerror = () => done('refused'); }})"
            )
            == "refused",
        )
        check(
            "nor the list of streams",
            page.evaluate(f"fetch({js(receiver.url)} + 'api/streams').then(() => 'read', () => 'refused')") == "refused",
        )
        page.close()
        elsewhere.shutdown()
