"""A sender that says what a camera's owner would: lost, back, goodbye. By Docs/WireProtocol.md, with no code of the package."""

import select
import socket
import struct
import threading
import time


class Camera:
    """Sends one JPEG over and over, every `pause` seconds at most and as credit allows, from a thread of its own. `behind`: how
    many seconds ago each was captured; None: it does not say."""

    def __init__(self, port, name, jpeg, width, height, pause=0.05, behind=None):
        self.pause, self.behind = pause, behind
        self.jpeg, self.width, self.height = jpeg, width, height
        self.orders, self.lock, self.is_lost = [], threading.Lock(), False
        self.link = socket.create_connection(("127.0.0.1", port))
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        offset = time.time_ns() - time.monotonic_ns()
        hello = struct.pack(">4sHHB3xIIIQQQq16x", b"FSTR", 1, 1, 1, 0, 0, 0, 0, 0, 0, offset)
        self.say(0x81, hello, struct.pack(">H", len(name.encode())) + name.encode() + bytes(2))
        kind, welcome, _ = self.hear()
        if kind != 0x82:
            raise RuntimeError(f"no WELCOME but {kind:#x}")
        self.credit = struct.unpack_from(">Q", welcome, 40)[0]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def unplug(self, reason):
        self.order(lambda: self.say(0x8A, b"", reason.encode(), flags=0), lost=True)

    def plug_in(self):
        self.order(lambda: self.say(0x8B, b"", flags=0), lost=False)

    def fall_silent(self):
        self.order(lambda: None, lost=True)

    def speak_again(self):
        self.order(lambda: None, lost=False)

    def goodbye(self, reason):
        self.order(lambda: self.say(0x88, bytes(4), reason.encode()), lost=True)

    def order(self, action, lost):
        with self.lock:
            self.orders.append((action, lost))

    def say(self, kind, header, payload=b"", flags=1):
        self.link.sendall(struct.pack(">BBHI", kind, flags, len(header), len(payload)) + header + payload)

    def take(self, count):
        data = b""
        while len(data) < count:
            some = self.link.recv(count - len(data))
            if not some:
                raise ConnectionError("the receiver closed")
            data += some
        return data

    def hear(self):
        kind, _, header, payload = struct.unpack(">BBHI", self.take(8))
        return kind, self.take(header), self.take(payload)

    def run(self):
        sequence = 1
        try:
            while True:
                with self.lock:
                    orders, self.orders = self.orders, []
                for action, self.is_lost in orders:
                    action()
                if not self.is_lost and sequence <= self.credit:
                    now = time.monotonic_ns()
                    self.say(
                        0x84,
                        struct.pack(
                            ">QQqqqqIII4s6B2xI",
                            sequence,
                            sequence,
                            now - round((self.behind or 0) * 1e9),
                            now,
                            -1,
                            -1,
                            0,
                            self.width,
                            self.height,
                            b"JPEG",
                            self.behind is not None,
                            0,
                            0,
                            2,
                            0,
                            0,
                            0,
                        ),
                        self.jpeg,
                    )
                    sequence += 1
                due = time.monotonic() + self.pause
                while (left := due - time.monotonic()) > 0:
                    if not select.select([self.link], [], [], left)[0]:
                        continue
                    kind, header, _ = self.hear()
                    if kind == 0x85:
                        self.credit = struct.unpack_from(">Q", header, 16)[0]
                    elif kind == 0x86:
                        now = time.monotonic_ns()
                        self.say(0x87, header[:16] + struct.pack(">qq", now, now), flags=0)
                    elif kind == 0x88:
                        self.say(0x89, bytes(8))
        except (ConnectionError, OSError):
            self.link.close()
