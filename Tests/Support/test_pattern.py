"""Where the parts of frame-send's test pattern lie (Sources/FrameStreamingFiles/Pattern/PatternLayout.swift, PatternNumber.swift), whatever
kind of picture they are looked for in."""

BARS = [
    (255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)]


def even(number):
    return int(number) & ~1


def strip(width, height):
    """Top, block width and block height of the two rows of 32 blocks that say the number."""
    block = min(64, max(8, even(height // 32)))
    return even(height - 2 * block), even(width // 32), block


def blocks(width, height):
    """Left, top, width and height of each of the 64 blocks, the highest bit first."""
    top, across, down = strip(width, height)
    return [(bit % 32 * across, top + bit // 32 * down, across, down) for bit in range(64)]


def number(bits):
    """The frame's number, from 64 blocks that are light or not; None where they are no number with its check."""
    word = sum(bool(bit) << 63 - place for place, bit in enumerate(bits))
    value = word >> 16
    check = ((value ^ 0x5A5AA5A55A5A) * 0x9E3779B97F4A7C15 & (1 << 64) - 1) >> 48
    return value if check == word & 0xFFFF else None
