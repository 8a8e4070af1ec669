"""How the test pattern is found again in a picture.

Pictures are numpy arrays of rows of RGB.
"""

import numpy

import test_pattern
from test_pattern import BARS, even, strip


def number(picture):
    """The frame number in a picture; None where it cannot be read."""

    def is_light(left, top, width, height):
        inner = picture[top + height // 4 :, left + width // 4 :][: max(1, height // 2), : max(1, width // 2)]
        return inner.mean() >= 126

    height, width = picture.shape[:2]
    return test_pattern.number(is_light(*block) for block in test_pattern.blocks(width, height))


def square(frame, width, height):
    """Left, top and side of the square that moves."""
    free = strip(width, height)[0]
    side = max(2, even(min(width, free) // 8))

    def place(length, step):
        way = frame % (2 * length) * step % (2 * length)
        return even(min(way, 2 * length - way))

    return place(width - side, 4), place(free - side, 2), side


def off(picture, margin=10):
    """By how much the worst bar's mean is off in any channel, and a frame number. What is drawn over the bars, and a margin about it
    and at the bars' edges, is left out."""
    height, width = picture.shape[:2]
    found = number(picture)
    if found is None:
        return 255.0, None
    bare = numpy.ones((height, width), bool)
    bare[strip(width, height)[0] - margin :] = False
    dot = max(2, even(min(width // 2 // 73, strip(width, height)[0] // 3 // 17)))
    left, top = (width - 73 * dot) // 2, (strip(width, height)[0] - 17 * dot) // 2
    bare[max(0, top - margin) : top + 17 * dot + margin, max(0, left - margin) : left + 73 * dot + margin] = False
    left, top, side = square(found, width, height)
    bare[max(0, top - margin) : top + side + margin, max(0, left - margin) : left + side + margin] = False
    worst = 0.0
    for index, colour in enumerate(BARS):
        first, last = width * index // 8 + margin, width * (index + 1) // 8 - margin
        seen = picture[:, first:last][bare[:, first:last]]
        if len(seen) < 500:
            return 255.0, found
        worst = max(worst, float(numpy.abs(seen.mean(axis=0) - colour).max()))
    return worst, found
