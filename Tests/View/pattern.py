"""The test pattern of frame-send --pattern, as it is found again in a picture of it."""

import test_pattern
from test_pattern import BARS


def near(one, other, tolerance=6):
    return all(abs(a - b) <= tolerance for a, b in zip(one, other))


def place(area, size, x, y):
    """The pixel of the screen that shows a place in the picture, which fills `area`."""
    return area[0] + int((x + 0.5) * area[2] / size[0]), area[1] + int((y + 0.5) * area[3] / size[1])


def has_bars(screen, area, size, colours=BARS):
    """Whether each bar has its colour, at three of five places: the square that moves hides one, and words another."""
    width, height = size
    for index, colour in enumerate(colours):
        x = (2 * index + 1) * width // 16
        found = [screen[place(area, size, x, sixteenth * height // 16)] for sixteenth in (1, 3, 5, 12, 14)]
        if sum(near(pixel, colour) for pixel in found) < 3:
            return False
    return True


def number(screen, area, size):
    """The frame's number, from the blocks at the lower edge; None where they are none."""
    brightness = [
        sum(screen[place(area, size, left + width // 2, top + height // 2)])
        for left, top, width, height in test_pattern.blocks(*size)]
    # Half of white, dimmed or not.
    return test_pattern.number(value > max(brightness) // 2 for value in brightness)
