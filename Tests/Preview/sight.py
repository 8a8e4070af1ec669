"""What is seen: the picture in a canvas and on the screen, as arrays of RGB."""

import base64
import json

import cv2
import numpy

import pattern
from programs import send

WIDTH, HEIGHT, RATE = 640, 480, 30
# The bars' means after a JPEG of quality 80 are off by 1; a wrong matrix or range is off by 15 and more.
TOLERANCE = 4.0


def js(text):
    return json.dumps(text)


def pattern_to(receiver, name):
    return send(receiver, name, "--pattern", "--size", f"{WIDTH}x{HEIGHT}", "--rate", str(RATE))


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
        f"(() => {{ const box = tile({js(name)}).querySelector('canvas').getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; }})()"
    )
    scale = min(width / WIDTH, height / HEIGHT)
    left, top, width, height = (
        left + (width - WIDTH * scale) / 2,
        top + (height - HEIGHT * scale) / 2,
        WIDTH * scale,
        HEIGHT * scale,
    )
    # The buttons and names over the picture would be taken for it.
    page.evaluate("document.querySelectorAll('.tools, .wall .about').forEach((over) => { over.style.visibility = 'hidden'; })")
    shown = rgb(page.screenshot())[round(top) : round(top + height), round(left) : round(left + width)]
    page.evaluate("document.querySelectorAll('.tools, .about').forEach((over) => { over.style.visibility = ''; })")
    return cv2.resize(numpy.ascontiguousarray(shown), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
