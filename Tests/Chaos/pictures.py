"""JPEGs that carry their number, and the numbers that a recording has.

A picture begins with a comment segment: its number, its whole length, and a check of the rest. So a recording shows which
pictures it has, in which order, and whether each is whole, without decoding one.
"""
import os
import struct
import zlib

# In ASCII: a reader that mends damaged streams may take FF D8 for the beginning of a picture.
_NOTE = "chaos {:012d} {:08d} {:08x} "
_NOTE_LENGTH = len(_NOTE.format(0, 0, 0))
_SEGMENT_MAXIMUM = 65_533


def _segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


# A gray picture of 8x8: one table each, a DC difference of 0, an end of block, and ones to the byte's end.
_PICTURE = (
    _segment(0xDB, b"\0" + b"\1" * 64) + _segment(0xC0, bytes([8, 0, 8, 0, 8, 1, 1, 0x11, 0]))
    + _segment(0xC4, b"\x00" + b"\1" + bytes(15) + b"\0") + _segment(0xC4, b"\x10" + b"\1" + bytes(15) + b"\0")
    + _segment(0xDA, bytes([1, 1, 0, 0, 63, 0])) + b"\x3F\xFF\xD9")


def picture(number, size):
    """A JPEG with this number; about as many bytes as asked, all of them the same for the same number."""
    padding = b""
    while size - len(padding) > len(_PICTURE) + 40:
        count = min(_SEGMENT_MAXIMUM, size - len(padding) - len(_PICTURE) - 36)
        padding += _segment(0xFE, bytes([number * 31 % 251]) * count)
    rest = padding + _PICTURE
    length = 2 + 4 + _NOTE_LENGTH + len(rest)
    return b"\xFF\xD8" + _segment(0xFE, _NOTE.format(number, length, zlib.crc32(rest)).encode()) + rest


def clip(path, count, sizes, first=1):
    """Writes pictures one behind the other; sizes is called for each."""
    with open(path, "wb") as file:
        for number in range(first, first + count):
            file.write(picture(number, sizes()))


def walk(data):
    """The numbers of pictures one behind the other, and what follows the last whole one."""
    numbers, place, head = [], 0, 6 + _NOTE_LENGTH
    while place + head <= len(data):
        words = data[place + 6:place + head].split()
        if data[place:place + 4] != b"\xFF\xD8\xFF\xFE" or len(words) != 4 or words[0] != b"chaos":
            break
        number, length, check = int(words[1]), int(words[2]), int(words[3], 16)
        if place + length > len(data) or zlib.crc32(data[place + head:place + length]) != check:
            break
        numbers.append(number)
        place += length
    return numbers, data[place:]


def recorded(path):
    """The numbers of one recording, a file or a directory, and how many bytes at its end are no whole picture."""
    if not os.path.exists(path):
        return [], 0
    if not os.path.isdir(path):
        with open(path, "rb") as file:
            numbers, rest = walk(file.read())
        return numbers, len(rest)
    numbers, over = [], 0
    for name in sorted(name for name in os.listdir(path) if name.endswith(".jpg")):
        one, rest = recorded(os.path.join(path, name))
        numbers, over = numbers + one, over + rest + (len(one) != 1)
    return numbers, over


def recordings(path):
    """All recordings of one command line, in their order: NAME, NAME-2, NAME-3, ..."""
    stem, ending = os.path.splitext(path)
    found, index = [], 1
    while index < 1_000:
        name = path if index == 1 else f"{stem}-{index}{ending}"
        # The first may be gone: a case has removed it.
        if not os.path.exists(name) and index > 1:
            break
        found.append(name)
        index += 1
    return found
