"""A screen that nobody sees: Xvfb with a window manager, its pixels, and the windows on it. Needs xdotool beside them."""
import ctypes
import mmap
import os
import struct
import subprocess
import time
import zlib

PATIENCE = 30


def wait(what, condition, patience=PATIENCE):
    """What `condition` gives as soon as that is something; an error after `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience} s in vain: {what}")
        time.sleep(0.02)


class Picture:
    """Pixels of a moment: rows of red, green and blue."""

    def __init__(self, width, height, rows):
        self.width, self.height, self.rows = width, height, rows

    def __getitem__(self, place):
        x, y = place
        if not (0 <= x < self.width and 0 <= y < self.height):
            # A window that is being moved may reach beyond the screen: no colour that anybody waits for.
            return (-255,) * 3
        return tuple(self.rows[y][3 * x:3 * x + 3])

    def cropped(self, x, y, width, height):
        return Picture(width, height, [row[3 * x:3 * (x + width)] for row in self.rows[y:y + height]])

    def png(self):
        def chunk(kind, content):
            return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        lines = zlib.compress(b"".join(b"\0" + bytes(row) for row in self.rows), 9)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


class Screen:
    def __init__(self, folder, width=1024, height=768):
        self.width, self.height = width, height
        reading, writing = os.pipe()
        # Xvfb chooses a display number that is free, and keeps its pixels in a file: a screenshot is reading that.
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24", "-fbdir", folder, "-nolisten",
             "tcp"], pass_fds=[writing], stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as file:
            number = file.readline().strip()
        assert number, "Xvfb did not start"
        self.environment = dict(os.environ, DISPLAY=f":{number}", XDG_RUNTIME_DIR=folder)
        self.environment.pop("WAYLAND_DISPLAY", None)
        self.manager = subprocess.Popen(
            ["openbox"], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        file = open(os.path.join(folder, "Xvfb_screen0"), "rb")
        self.memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        # The header of xwd(1): its own size, and the numbers of bytes in a line and of colours in a table behind it.
        header = struct.unpack(">25I", self.memory[:100])
        self.start, self.stride = header[0] + 12 * header[19], header[12]
        self.x11 = ctypes.CDLL("libX11.so.6")
        self.x11.XOpenDisplay.restype = ctypes.c_void_p
        self.display = ctypes.c_void_p(self.x11.XOpenDisplay(self.environment["DISPLAY"].encode()))
        self.x11.XDefaultRootWindow.restype = ctypes.c_ulong
        wait("a window manager", lambda: self.xdotool("get_num_desktops").returncode == 0)
        # Out of the pictures: it is drawn over them.
        self.xdotool("mousemove", width - 1, height - 1)

    def close(self):
        for process in [self.manager, self.server]:
            process.terminate()
            process.wait(PATIENCE)

    def picture(self):
        rows = []
        for y in range(self.height):
            line = self.memory[self.start + y * self.stride:self.start + y * self.stride + 4 * self.width]
            row = bytearray(3 * self.width)
            row[0::3], row[1::3], row[2::3] = line[2::4], line[1::4], line[0::4]
            rows.append(row)
        return Picture(self.width, self.height, rows)

    def xdotool(self, *words):
        return subprocess.run(
            ["xdotool", *map(str, words)], env=self.environment, capture_output=True, text=True, timeout=PATIENCE)

    def windows(self, name):
        return [int(word) for word in self.xdotool("search", "--onlyvisible", "--name", name).stdout.split()]

    def area(self, window):
        """Where a window's content lies: (x, y, width, height). xdotool's own answer counts the frame around it twice."""
        root, x, y = ctypes.c_ulong(), ctypes.c_int(), ctypes.c_int()
        width, height, border, depth = (ctypes.c_uint() for _ in range(4))
        handle = ctypes.c_ulong(window)
        if not self.x11.XGetGeometry(
                self.display, handle, *map(ctypes.byref, [root, x, y, width, height, border, depth])):
            return None
        child = ctypes.c_ulong()
        self.x11.XTranslateCoordinates(
            self.display, handle, root, 0, 0, ctypes.byref(x), ctypes.byref(y), ctypes.byref(child))
        return x.value, y.value, width.value, height.value
