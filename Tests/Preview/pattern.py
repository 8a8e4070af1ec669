"""Where the parts of the test pattern lie (Sources/FrameStreamingFiles/PatternLayout.swift), and how its number is read from pixels.

Pictures are numpy arrays of rows of RGB.
"""

import numpy

BARS = [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)]


def even(number):
    return int(number) & ~1


def strip(width, height):
    """Top, block width and block height of the two rows of 32 blocks that say the number."""
    block = min(64, max(8, even(height // 32)))
    return even(height - 2 * block), even(width // 32), block


def number(picture):
    """The frame number in a picture; None where it cannot be read."""
    height, width = picture.shape[:2]
    top, across, down = strip(width, height)
    word = 0
    for bit in range(64):
        left, upper = bit % 32 * across + across // 4, top + bit // 32 * down + down // 4
        block = picture[upper : upper + max(1, down // 2), left : left + max(1, across // 2)]
        word = word << 1 | int(block.mean() >= 126)
    value = word >> 16
    check = ((value ^ 0x5A5AA5A55A5A) * 0x9E3779B97F4A7C15 & (1 << 64) - 1) >> 48
    return value if check == word & 0xFFFF else None


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
