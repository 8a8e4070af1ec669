"""The test pattern of frame-send --pattern, as it is found again in a picture of it."""

BARS = [
    (255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)]


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
    width, height = size
    block_height, block_width = min(64, max(8, height // 32 & ~1)), width // 32 & ~1
    top = (height - 2 * block_height) & ~1
    brightness = []
    for bit in range(64):
        row, column = divmod(bit, 32)
        x, y = column * block_width + block_width // 2, top + row * block_height + block_height // 2
        brightness.append(sum(screen[place(area, size, x, y)]))
    # Half of white, dimmed or not.
    word = sum((value > max(brightness) // 2) << 63 - bit for bit, value in enumerate(brightness))
    value = word >> 16
    check = ((value ^ 0x5A5AA5A55A5A) * 0x9E3779B97F4A7C15 & (1 << 64) - 1) >> 48
    return value if check == word & 0xFFFF else None
