"""The page at the sizes of a phone and of two screens, with no stream, one, four, nine and thirty."""

import cv2
import numpy

from camera import Camera
from checks import expect
from programs import Receiver
from sight import js
from tally import check

SIZES = [(390, 844, True), (1280, 800, False), (1920, 1080, False)]
COUNTS = [0, 1, 4, 9, 30]
# As people sort them: by number, and whatever the case.
NAMES = ["cam 1", "cam 2", "Cam 3", "cam 9", "cam 10", "cam 11", "door", "Garden", "yard"] + [f"yard {n}" for n in range(2, 23)]
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3

# The colours of a text and of what is behind it, each over the next one.
CONTRAST = """(element) => {
    const channels = (text) => { const [r, g, b, a = 1] = text.match(/[0-9.]+/g).map(Number); return [r, g, b, a]; };
    const over = (front, back) => front.slice(0, 3).map((value, index) => value * front[3] + back[index] * (1 - front[3]));
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.unshift(channels(getComputedStyle(at).backgroundColor));
    // A picture may be as bright as can be.
    const ground = element.closest(".wall .about, .filling .about") ? over(layers.at(-1)[3] ? layers.at(-1) : channels(getComputedStyle(element.closest(".about")).backgroundColor), [255, 255, 255])
        : layers.reduce((back, front) => over(front, back), [255, 255, 255]);
    const light = (color) => color.map((value) => value / 255).map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
        .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
    const [a, b] = [light(over(channels(getComputedStyle(element).color), ground)), light(ground)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


def grids(browser, binaries, watch):
    receiver = Receiver(binaries, "127.0.0.1:0", "--maximum-connections", "40")
    page, cameras = browser.open(receiver.url, before=watch), []
    # Gray, and of the shape of most cameras.
    jpeg = cv2.imencode(".jpg", numpy.full((72, 128, 3), 160, "uint8"))[1].tobytes()
    try:
        for count in COUNTS:
            # In another order than that of their names.
            for name in sorted(NAMES[len(cameras) : count], key=lambda name: name[::-1]):
                cameras.append(Camera(receiver.port, name, jpeg, 128, 72, pause=0.5))
            for width, height, mobile in SIZES:
                page.size(width=width, height=height, mobile=mobile)
                page.point(0, 0)
                drawn = "[...tiles.values()].filter((tile) => tile.inView).every((tile) => tile.drawn > 0)"
                page.until(f"tiles.size === {count} && (tiles.size === 0 || [...tiles.values()].some((tile) => tile.inView)) && {drawn}", limit=60)
                page.evaluate("layOut()")
                fits(page, f"{count} at {width}x{height}", count, width, height, mobile)
        figures_at_will(page)
    finally:
        page.close()
        receiver.kill()


def fits(page, what, count, width, height, mobile):
    check(f"{what}: no scrolling sideways", page.evaluate("document.documentElement.scrollWidth") <= width)
    if count == 0:
        left, top, right, bottom = box(page.evaluate("boxes('#empty')")[0])
        check(f"{what}: the words are in view", left >= 0 and top >= 0 and right <= width and bottom <= height, (left, top, right, bottom))
        return
    names = page.evaluate("[...document.querySelectorAll('.tile')].map((tile) => tile.dataset.stream)")
    check(f"{what}: by name", names == NAMES[:count], names)
    tiles = [box(found) for found in page.evaluate("boxes('.tile')")]
    pictures = [box(found) for found in page.evaluate("boxes('.picture')")]
    check(f"{what}: all are there", len(tiles) == count, len(tiles))
    check(f"{what}: none is cut at a side", all(left >= 0 and right <= width for left, _, right, _ in tiles), tiles)
    overlaps = [(a, b) for i, a in enumerate(tiles) for b in tiles[:i] if min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 1]
    check(f"{what}: none covers another", overlaps == [], overlaps[:3])
    check(f"{what}: all have one size", max(right - left for left, _, right, _ in tiles) - min(right - left for left, _, right, _ in tiles) < 1)
    rows = sorted({round(top) for _, top, _, _ in tiles})
    check(f"{what}: they stand in rows", len(rows) == -(-count // page.evaluate("columns")), rows)
    if count <= 9 and not (mobile and count == 1) or count == 30 and not mobile:
        check(f"{what}: they fit on the screen", max(bottom for _, _, _, bottom in tiles) <= height, tiles[-1])
        check(f"{what}: nothing scrolls", page.evaluate("document.documentElement.scrollHeight") <= height, page.evaluate("document.documentElement.scrollHeight"))
    area = sum((right - left) * (bottom - top) for left, top, right, bottom in pictures) / (width * height)
    least = {1: 0.2 if mobile else 0.4, 4: 0.3, 9: 0.3, 30: 0}[count]
    check(f"{what}: the pictures have the room", area >= least, f"{area:.2f}")
    figures = page.evaluate("boxes('.tile dl').length")
    check(f"{what}: figures where there is room for them", figures == count if count == 1 else figures in (0, count) and (count < 30 or figures == 0), figures)
    names_seen = page.evaluate("boxes('.tile h2').length")
    check(f"{what}: each has its name", names_seen == count, names_seen)
    if mobile:
        fingers(page, what)
    for scheme in ["light", "dark"]:
        page.appearance(scheme, motion="reduce")
        texts = "#summary, h1, .tile h2 a, .tile .state, .tile dt, .tile dd, .tool, button"
        worst = page.evaluate(
            f"(() => {{ const contrast = {CONTRAST}; return [...document.querySelectorAll({js(texts)})].filter((one) => one.checkVisibility() && one.textContent)"
            ".map((one) => [contrast(one), one.className || one.tagName, one.textContent.slice(0, 30)]).sort(([a], [b]) => a - b)[0]; })()"
        )
        check(f"{what}, {scheme}: text can be read", worst[0] >= LEAST_CONTRAST, worst)


def fingers(page, what):
    """What a finger has to hit is large enough, and within the tile."""
    small = page.evaluate("boxes('.tool, header button, header a, .explain').filter(([, , width, height]) => width < 40 || height < 40)")
    check(f"{what}: a finger hits each button", small == [], small)
    there = page.evaluate(
        "[...tiles.values()].every(({ element, tools }) => { const [a, b] = [element, tools].map((one) => one.getBoundingClientRect());"
        " return b.width > 0 && b.left >= a.left - 1 && b.right <= a.right + 1 && b.top >= a.top - 1 && b.bottom <= a.bottom + 1; })"
    )
    check(f"{what}: each tile has its buttons", there)


def figures_at_will(page):
    """The figures of a wall can be had, and are remembered."""
    page.size(width=1280, height=800)
    check("thirty are a wall", page.evaluate("document.getElementById('streams').className") == "wall")
    page.click("document.getElementById('figures')")
    expect("a click brings the figures", lambda: page.evaluate("boxes('.tile dl').length") == 30)
    check("without scrolling sideways", page.evaluate("document.documentElement.scrollWidth") <= 1280)
    page.call("Page.reload")
    page.until("document.readyState === 'complete' && tiles.size === 30")
    expect("the page remembers it", lambda: page.evaluate("boxes('.tile dl').length") == 30)
    page.click("document.getElementById('figures')")
    expect("and they go again", lambda: page.evaluate("boxes('.tile dl').length") == 0)
    page.evaluate("localStorage.clear()")


def box(found):
    x, y, width, height = found
    return x, y, x + width, y + height
