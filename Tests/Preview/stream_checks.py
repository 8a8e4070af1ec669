"""Streams that nobody sees, that are too fast, that are lost and come back; and the server itself."""

import signal

import cv2
import numpy

import pattern
from checks import expect
from camera import Camera
from programs import PATIENCE, Receiver
from sight import RATE, TOLERANCE, canvas, counter, js, on_screen, pattern_to, rgb
from tally import check


def unseen(browser, page, name):
    """Nothing is sent for what nobody sees."""

    def watched():
        return page.evaluate("seen.watches.at(-1).streams")

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
            newest = pattern.number(rgb(receiver.get(receiver.address(name, "jpg"))))
            if drawn is not None and newest is not None:
                ages.append((newest - drawn) / RATE)
        now, left_out = page.evaluate("[seen.pictures.length, seen.pictures.reduce((sum, {skipped}) => sum + skipped, 0)]")
        check("a slow browser is sent fewer", left_out - skipped > now - start, (left_out - skipped, now - start))
        check(
            "the page counts what it was not sent", page.evaluate(f"figure({js(name)}, 'Left out here').replace(',', '') * 1") > 0
        )
        # Two may be under way, each held for 400 ms, and the picture that is drawn stays until the next one. What queued up would be
        # older by four fifths of a second with each second.
        print(f"   ages of what a slow browser shows: median {numpy.median(ages):.2f} s, most {max(ages):.2f} s, of {len(ages)}")
        check(
            "what it shows is fresh",
            len(ages) > 5 and numpy.median(ages) < 1.5 and max(ages) < 3,
            [round(age, 2) for age in ages],
        )
        half = len(ages) // 2
        check(
            "and does not get older", numpy.median(ages[half:]) < numpy.median(ages[:half]) + 0.7, [round(age, 2) for age in ages]
        )
    finally:
        page.call("Emulation.setCPUThrottlingRate", rate=1)
        page.evaluate("seen.delay = 0")
    count = page.evaluate("seen.acks.length")
    expect("it catches up", lambda: page.evaluate("seen.acks.length") > count + 40)


def crowded(browser, receiver):
    """There is room for some viewers, and who comes too late is told."""
    crowd = browser.open(receiver.url)
    crowd.evaluate(
        "window.sockets = Array.from({ length: 40 }, () => new WebSocket(`ws://${location.host}/api/live`)); sockets.length"
    )
    crowd.until("sockets.every(({ readyState }) => readyState === WebSocket.OPEN || readyState === WebSocket.CLOSED)")
    crowd.until("sockets.some(({ readyState }) => readyState === WebSocket.CLOSED)")
    page = browser.open(receiver.url)
    expect(
        "a page that is too many says so",
        lambda: "too many viewers" in page.evaluate("document.getElementById('notice').textContent"),
    )
    crowd.close()
    expect("and gets in when there is room", lambda: page.evaluate("document.getElementById('notice').hidden && tiles.size > 0"))
    page.close()


def lost_and_back(page, receiver, name, sender):
    """kill -9, and the same sender once more."""
    sender.kill()
    sender.wait()
    expect(
        "a killed sender's stream is lost",
        lambda: page.evaluate(f"state({js(name)})") == "Lost",
        lambda: page.evaluate(f"state({js(name)})"),
    )
    reason = receiver.stream(name).get("reason")
    check(
        "the page says why", reason and reason in page.evaluate(f"said({js(name)})"), (reason, page.evaluate(f"said({js(name)})"))
    )
    check("and tells a screen reader", f"{name} is lost" in page.evaluate("news()"), page.evaluate("news()"))
    check("the last picture stays", pattern.off(canvas(page, name))[0] <= TOLERANCE)
    expect(
        "in grey", lambda: page.evaluate(f"getComputedStyle(tile({js(name)}).querySelector('canvas')).filter") == "grayscale(1)"
    )
    count = page.evaluate("seen.acks.length")
    sender = pattern_to(receiver, name)
    expect(
        "it is back",
        lambda: page.evaluate(f"state({js(name)})").startswith("Back after"),
        lambda: page.evaluate(f"state({js(name)})"),
    )
    check("a screen reader hears of it", f"{name} is back" in page.evaluate("news()"), page.evaluate("news()"))
    expect("its pictures are drawn again", lambda: page.evaluate("seen.acks.length") > count + 20)
    check(
        "in its own tile",
        page.evaluate(
            "[...document.querySelectorAll('.tile h2')].filter((title) => title.textContent === " + js(name) + ").length"
        )
        == 1,
    )
    check("in colour", pattern.off(on_screen(page, name))[0] <= TOLERANCE)
    return sender


def unplugged(page, receiver):
    """A camera whose plug is pulled and put back: the connection stays."""
    image = numpy.zeros((48, 64, 3), "uint8")
    image[:] = (40, 160, 80)  # BGR
    name = "a camera"
    camera = Camera(receiver.port, name, cv2.imencode(".jpg", image)[1].tobytes(), 64, 48)
    expect("a camera is shown", lambda: page.evaluate(f"state({js(name)})") == "Live")
    expect(
        "with its picture",
        lambda: page.evaluate(f"tile({js(name)}).querySelector('canvas').width") == 64
        and abs(canvas(page, name).reshape(-1, 3).mean(axis=0) - (80, 160, 40)).max() < 3,
    )
    check(
        "no delay is made up for one without a clock",
        page.evaluate(f"figure({js(name)}, 'Delay p50')") == "–",
        page.evaluate(f"figure({js(name)}, 'Delay p50')"),
    )
    camera.fall_silent()
    expect("the page says when no picture comes", lambda: "No new picture for" in page.evaluate(f"said({js(name)})"))
    camera.speak_again()
    expect("until one does", lambda: page.evaluate(f"said({js(name)})") == "")
    camera.unplug("camera unplugged: /dev/video7")
    expect("an unplugged camera is lost", lambda: page.evaluate(f"state({js(name)})") == "Lost")
    text = page.evaluate(f"said({js(name)})")
    check("with the camera's own words", "camera unplugged: /dev/video7" in text, text)
    check("told to a screen reader", f"{name} is lost: camera unplugged" in page.evaluate("news()"), page.evaluate("news()"))
    camera.plug_in()
    count = page.evaluate(f"seen.pictures.filter(({{stream}}) => stream === {js(name)}).length")
    expect("a camera plugged in again is back", lambda: page.evaluate(f"state({js(name)})").startswith("Back after"))
    expect(
        "and so are its pictures",
        lambda: page.evaluate(f"seen.pictures.filter(({{stream}}) => stream === {js(name)}).length") > count + 5,
    )
    check("nothing covers them", page.evaluate(f"said({js(name)})") == "", page.evaluate(f"said({js(name)})"))
    camera.goodbye("going home")
    expect("a camera that says goodbye has ended", lambda: page.evaluate(f"state({js(name)})") == "Ended")


def receiver_gone(page, receiver, name):
    """The page outlives its server, and comes back by itself."""
    receiver.kill()
    expect("the page says that the receiver is gone", lambda: page.evaluate("!document.getElementById('notice').hidden"))
    check("and that it tries again", "rying again" in page.evaluate("document.querySelector('#notice p').textContent"))
    expect("no stream is called live", lambda: page.evaluate(f"state({js(name)})") == "Not connected")
    check("the last picture stays", pattern.off(canvas(page, name))[0] <= TOLERANCE)
    expect(
        "in grey too",
        lambda: page.evaluate(f"getComputedStyle(tile({js(name)}).querySelector('canvas')).filter") == "grayscale(1)",
    )
    check("it is told", "The connection to the receiver is lost" in page.evaluate("news()"), page.evaluate("news()"))
    again = Receiver(receiver.binaries, receiver.url.removeprefix("http://").rstrip("/"))
    check("it is the same address", again.url == receiver.url, again.url)
    sender = pattern_to(again, name)
    expect("the page is connected again", lambda: page.evaluate("document.getElementById('notice').hidden"))
    count = page.evaluate("seen.acks.length")
    expect(
        "and shows what there is",
        lambda: page.evaluate(f"state({js(name)})") == "Live" and page.evaluate("seen.acks.length") > count + 10,
    )
    sender.send_signal(signal.SIGINT)
    sender.wait(PATIENCE)
    check("frame-receive ends with status 0", again.finish() == 0)
