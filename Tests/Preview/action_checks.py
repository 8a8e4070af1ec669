"""What a user does on the page: saves, copies, fills the screen, goes from stream to stream, asks what a figure means."""

import glob
import os
import shutil
import subprocess
import tempfile

import cv2
import numpy

import pattern
from camera import Camera
from checks import expect
from programs import PATIENCE, Receiver
from sight import TOLERANCE, js, pattern_to, rgb
from tally import check


def color(blue, green, red):
    image = numpy.zeros((72, 128, 3), "uint8")
    image[:] = (blue, green, red)
    return cv2.imencode(".jpg", image)[1].tobytes()


def actions(browser, binaries, watch):
    empty(browser, binaries)
    receiver, folder = Receiver(binaries), tempfile.mkdtemp(prefix="frame-preview-saved-")
    browser.downloads(folder)
    page = browser.open(receiver.url, before=watch)
    sender = pattern_to(receiver, "b: front/door")
    try:
        cameras = [Camera(receiver.port, name, jpeg, 128, 72) for name, jpeg in [("a", color(200, 40, 40)), ("c", color(40, 40, 200))]]
        page.until("tiles.size === 3 && [...tiles.values()].every((tile) => tile.drawn > 3)")
        saves(page, folder)
        copies(page, receiver)
        focus(page)
        fills(page)
        on_a_phone(page)
        explains(page)
        spike(page)
        freshness(page, receiver, cameras[0])
        elsewhere(browser, receiver)
    finally:
        page.close()
        sender.kill()
        sender.wait()
        receiver.kill()
        shutil.rmtree(folder, ignore_errors=True)


def empty(browser, binaries):
    """The page without a stream has the command that makes one, and it works."""
    receiver = Receiver(binaries)
    page, sender = browser.open(receiver.url), None
    try:
        page.until("document.querySelector('.command').checkVisibility()")
        command = page.evaluate("document.querySelector('.command code').textContent")
        check("the empty page has the real address", command == f"frame-send --pattern --to 127.0.0.1:{receiver.port}", command)
        page.click("document.querySelector('.command button')")
        expect("a click copies it", lambda: page.evaluate("document.getElementById('toast').textContent") == f"Copied {command}")
        program, *words = command.split()
        sender = subprocess.Popen([os.path.join(binaries, program), *words, "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        expect("and the command brings a stream", lambda: page.evaluate("tiles.size === 1 && [...tiles.values()][0].drawn > 3"))
        check("the command is away then", not page.evaluate("document.querySelector('.command').checkVisibility()"))
    finally:
        page.close()
        for process in [sender, receiver.process]:
            if process:
                process.kill()
                process.wait()


def saved(folder, before):
    """The file that is new and whole."""
    new = sorted(set(glob.glob(os.path.join(folder, "*.jpg"))) - before)
    return new[0] if new and not glob.glob(os.path.join(folder, "*.crdownload")) else None


def saves(page, folder):
    for how in ["by its button", "with S"]:
        before = set(glob.glob(os.path.join(folder, "*")))
        page.point(0, 0)
        if how == "with S":
            page.evaluate("tiles.get('b: front/door').link.focus()")
            page.key("s", 83, "s")
        else:
            page.click("tiles.get('b: front/door').snapshot")
        expect(f"a picture is saved {how}", lambda: saved(folder, before), lambda: os.listdir(folder))
        path = saved(folder, before)
        if path:
            check("under the stream's name, and a time", os.path.basename(path).startswith("b- front-door 20"), path)
            with open(path, "rb") as file:
                worst, number = pattern.off(rgb(file.read()))
            check("it is the stream's picture", worst <= TOLERANCE and number is not None, worst)
            os.remove(path)
    check("the link has its own address again", page.evaluate("tiles.get('a').snapshot.getAttribute('href')") == "/streams/a.jpg")
    check("nobody leaves the page for it", page.evaluate("location.hash") == "")


def copies(page, receiver):
    address = receiver.address("b: front/door", "mjpg")
    page.evaluate("(() => { window.copied = []; navigator.clipboard.writeText = async (text) => { copied.push(text); }; })()")
    page.click("tiles.get('b: front/door').tools.querySelector('.copy')")
    expect("the stream's address is copied", lambda: page.evaluate("copied") == [address], lambda: page.evaluate("copied"))
    expect("the page says so", lambda: page.evaluate("boxes('#toast').length") == 1 and address in page.evaluate("document.getElementById('toast').textContent"))
    check("a screen reader hears of it", f"Copied {address}" in page.evaluate("news()"), page.evaluate("news()"))
    check("it is an address of the stream", receiver.get(address.replace(".mjpg", ".jpg"))[:2] == b"\xff\xd8")
    # A page over plain HTTP from another machine has no clipboard, and copies what is selected.
    page.evaluate("(() => { delete navigator.clipboard.writeText; Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true });"
                  " document.addEventListener('copy', () => copied.push(document.activeElement.value)); })()")
    page.click("tiles.get('a').tools.querySelector('.copy')")
    expect("without a clipboard, too", lambda: page.evaluate("copied.at(-1)") == receiver.address("a", "mjpg"), lambda: page.evaluate("copied"))
    check("nothing is left of it", page.evaluate("document.querySelectorAll('textarea').length") == 0)


def focus(page):
    """The arrow keys go from tile to tile, in order."""
    def named():
        return page.evaluate("document.activeElement.closest('.tile')?.dataset.stream ?? null")

    order = page.evaluate("[...document.querySelectorAll('.tile')].map((tile) => tile.dataset.stream)")
    page.evaluate("document.activeElement.blur()")
    page.key("ArrowRight", 39)
    check("an arrow gets to the first tile", named() == order[0], named())
    page.key("ArrowRight", 39)
    check("and to the next", named() == order[1], named())
    page.key("ArrowLeft", 37)
    page.key("ArrowLeft", 37)
    check("and no further than the first", named() == order[0], named())
    page.size(width=390, height=844)
    page.until("columns === 1")
    page.key("ArrowDown", 40)
    check("down is the next row", named() == order[1], named())
    page.key("ArrowUp", 38)
    check("up is the row before", named() == order[0], named())
    page.evaluate("document.activeElement.blur()")
    page.key("ArrowDown", 40)
    check("in one column, down gets to the first tile", named() == order[0], named())
    page.key("ArrowDown", 40)
    check("and to the next", named() == order[1], named())
    page.size()
    page.until("columns > 1")


def filling(page):
    return page.evaluate("document.querySelector('.filling')?.dataset.stream ?? null")


def fills(page):
    """F fills the screen, the arrows change the stream, Esc goes back to where one was."""
    order = page.evaluate("[...document.querySelectorAll('.tile')].map((tile) => tile.dataset.stream)")
    page.evaluate(f"tiles.get({js(order[0])}).link.focus()")
    page.key("f", 70, "f")
    expect("F fills the screen", lambda: filling(page) == order[0])
    expect("the browser's too", lambda: page.evaluate("Boolean(document.fullscreenElement)"))
    check("nothing else is seen", page.evaluate("boxes('.filling')[0].join() === [0, 0, innerWidth, innerHeight].join()"), page.evaluate("boxes('.filling')"))
    page.key("ArrowRight", 39)
    expect("an arrow shows the next", lambda: filling(page) == order[1])
    check("and the screen stays filled", page.evaluate("Boolean(document.fullscreenElement)"))
    drawn = page.evaluate(f"tiles.get({js(order[1])}).drawn")
    expect("its pictures are drawn", lambda: page.evaluate(f"tiles.get({js(order[1])}).drawn") > drawn + 3)
    page.key("ArrowLeft", 37)
    page.key("ArrowLeft", 37)
    expect("left of the first is the last", lambda: filling(page) == order[-1])
    page.key("f", 70, "f")
    expect("F leaves it", lambda: filling(page) is None and page.evaluate("location.hash === '' && !document.fullscreenElement"))
    page.click(f"tiles.get({js(order[0])}).tools.querySelector('.full')")
    expect("the button fills it", lambda: filling(page) == order[0])
    page.click("document.querySelector('.filling .close')")
    expect("and leaves it", lambda: filling(page) is None and page.evaluate("location.hash === ''"))
    page.evaluate(f"location.hash = address({js(order[1])})")
    page.until("document.body.matches('.single')")
    page.key("ArrowRight", 39)
    expect("an arrow changes a large stream", lambda: page.evaluate("document.querySelector('.chosen').dataset.stream") == order[2])
    page.key("f", 70, "f")
    expect("F fills the screen with it", lambda: filling(page) == order[2])
    page.evaluate("document.exitFullscreen()")
    expect("Esc, by which the browser leaves its full screen, leaves ours", lambda: filling(page) is None)
    check("and it is large as before", page.evaluate("document.querySelector('.large')?.dataset.stream") == order[2])
    page.escape()
    expect("Esc goes back to all", lambda: page.evaluate("!document.body.matches('.single')"))


def on_a_phone(page):
    """Where the browser cannot fill the screen, as on an iPhone, the page fills the window."""
    page.size(width=390, height=844, mobile=True)
    page.evaluate("Element.prototype.requestFullscreen = undefined")
    order = page.evaluate("[...document.querySelectorAll('.tile')].map((tile) => tile.dataset.stream)")
    page.evaluate(f"tiles.get({js(order[0])}).tools.querySelector('.full').click()")
    expect("a phone fills its window", lambda: page.evaluate("boxes('.filling').join() === [0, 0, innerWidth, innerHeight].join()"))
    check("the buttons are within it", page.evaluate("boxes('.filling .tool').every(([x, y, width, height]) => x >= 0 && y >= 0 && x + width <= innerWidth && y + height <= innerHeight && width >= 40)"))
    page.touch((300, 400), (200, 405), (100, 400))
    expect("a finger goes to the next", lambda: filling(page) == order[1])
    page.touch((100, 400), (200, 395), (300, 400))
    expect("and back", lambda: filling(page) == order[0])
    page.evaluate("history.back()")
    expect("the way back leaves it, and not the page", lambda: filling(page) is None and page.evaluate("tiles.size > 0 && location.hash === ''"))
    page.size()


def explains(page):
    page.evaluate("location.hash = address('a')")
    page.until("document.body.matches('.single')")
    check("each figure has an explanation at hand", page.evaluate("[...document.querySelectorAll('.chosen dl div')].every((row) => row.title.length > 20)"))
    check("which is not in the way", page.evaluate("boxes('.chosen .why').length") == 0)
    page.click("document.querySelector('.chosen .explain')")
    expect("a click shows them all", lambda: page.evaluate("boxes('.chosen .why').length === figures.length"))
    check("each is a sentence", page.evaluate("[...document.querySelectorAll('.chosen .why')].every((why) => /^[A-Z0-9].*[.]$/.test(why.textContent))"))
    page.click("document.querySelector('.chosen .explain')")
    expect("and hides them", lambda: page.evaluate("boxes('.chosen .why').length === 0"))


def spike(page):
    """One picture that was very late does not flatten the rest of the plot."""
    for what, history, limit in [
        ("one spike", [[60 - n, 8 + n % 3, 11 + n % 5] if n != 20 else [40, 9, 2400] for n in range(60)], 20),
        ("the first picture's", [[2, 900, 900], [1, 9, 10], [0, 9, 10]], 20),
        ("a stream that is slow", [[60 - n, 700, 900] for n in range(60)], 1000),
        ("half of the minute", [[60 - n, 8, 9] if n < 30 else [60 - n, 700, 900] for n in range(60)], 1000),
        ("fast ones", [[60 - n, 0.2, 0.4] for n in range(60)], 1),
        ("none", [], 1),
        ("unknown ones", [[1, None, None]], 1),
    ]:
        found = page.evaluate(f"plotLimit({js(history)})")
        check(f"the plot's scale: {what}", found == limit, found)
    history = [[60 - n, 8, 11] if n != 20 else [40, 9, 2400] for n in range(60)]
    page.evaluate(f"plot(tiles.get('a').plot, {js(history)}, null)")
    within = page.evaluate("(() => { const { plot } = tiles.get('a'); const all = plot.getBoundingClientRect(); return [...plot.querySelectorAll('path, text')].every((part) => { const box = part.getBoundingClientRect(); return box.top >= all.top - 6 && box.bottom <= all.bottom + 6; }); })()")
    check("what is beyond the scale stays in the plot", within)
    check("and has its value at it", page.evaluate("[...tiles.get('a').plot.querySelectorAll('text.beyond')].map((text) => text.textContent)") == ["2400 ms"])
    check("a screen reader hears the largest", "at most 2400 ms" in page.evaluate("tiles.get('a').plot.getAttribute('aria-label')"))
    page.escape()
    page.until("!document.body.matches('.single')")


def freshness(page, receiver, camera):
    """The colour is that of the picture's age, and not only of the connection."""
    def tone(name):
        return page.evaluate(f"getComputedStyle(tile({js(name)}).querySelector('.state')).color")

    def graded(name):
        return page.evaluate(f"[tiles.get({js(name)})?.grade, state({js(name)})]")

    expect("a stream that keeps up is live", lambda: graded("a")[0] == "live", lambda: graded("a"))
    fresh = tone("a")
    camera.fall_silent()
    expect("one that stops is late first", lambda: graded("a")[0] == "late", lambda: graded("a"))
    expect("and silent then", lambda: graded("a")[0] == "silent" and graded("a")[1].startswith("Silent "), lambda: graded("a"))
    check("in another colour", tone("a") != fresh, (tone("a"), fresh))
    expect("its picture pales", lambda: page.evaluate("getComputedStyle(tile('a').querySelector('canvas')).filter").startswith("saturate(0.25)"))
    check("the page counts it", "1 silent" in page.evaluate("document.getElementById('summary').textContent"), page.evaluate("document.getElementById('summary').textContent"))
    camera.speak_again()
    expect("until it goes on", lambda: graded("a")[0] == "live" and tone("a") == fresh, lambda: graded("a"))
    expect("in full colour", lambda: page.evaluate("getComputedStyle(tile('a').querySelector('canvas')).filter") == "none")
    Camera(receiver.port, "delayed", color(90, 90, 90), 128, 72, behind=4)
    expect("one whose pictures come old is late", lambda: graded("delayed")[0] == "late", lambda: graded("delayed"))
    expect("by how much it says", lambda: graded("delayed")[1].startswith("4.") and graded("delayed")[1].endswith(" s late"), lambda: graded("delayed"))
    check("in the colour of what is late", tone("delayed") != fresh)
    # One picture in two seconds is what this one sends, and no delay.
    Camera(receiver.port, "time lapse", color(90, 200, 90), 128, 72, pause=2)
    page.until("tiles.get('time lapse')?.drawn > 3", limit=PATIENCE)
    check("a stream of few pictures is not late", graded("time lapse")[0] == "live", graded("time lapse"))


def elsewhere(browser, receiver):
    """A complete name, with its dot at the end, is the same machine."""
    page = browser.open(receiver.url.replace("127.0.0.1", "localhost."))
    expect("localhost. shows the streams", lambda: page.evaluate("tiles.size > 0 && [...tiles.values()].some((tile) => tile.drawn > 3)"))
    check("and complains of nothing", page.errors == [], page.errors)
    page.close()
