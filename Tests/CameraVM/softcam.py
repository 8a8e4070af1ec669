#!/usr/bin/env python3
"""A USB webcam in software: the kernel's own uvcvideo driver binds to it through vhci-hcd (USB over a socket).

softcam.py CLIP.mjpg WIDTH HEIGHT RATE

Delivers the JPEGs of CLIP over and over as MJPG on a bulk endpoint (USB Video Class 1.0). Commands, a line each on standard input:
    trunc N     the next N pictures are cut to a third
    error N     the next N pictures have the error bit
    stall S     nothing for S seconds
    unplug      the cable is pulled
Says ATTACHED, COMMIT (streaming was agreed) and UNPLUGGED on standard output.
"""

import re
import socket
import struct
import sys
import threading
import time

WIDTH, HEIGHT, RATE = map(int, sys.argv[2:5])
INTERVAL = 10_000_000 // RATE  # in 100 ns, as UVC counts
LARGEST = WIDTH * HEIGHT * 2
TRANSFER = 16384  # dwMaxPayloadTransferSize
BULK_IN = 0x81
BRIGHTNESS = {0x81: 0, 0x82: -10, 0x83: 10, 0x84: 1, 0x87: 0}  # GET_CUR, MIN, MAX, RES, DEF


def pictures(path):
    data = open(path, "rb").read()
    starts = [m.start() for m in re.finditer(rb"\xff\xd8\xff", data)] + [len(data)]
    return [data[a:b] for a, b in zip(starts, starts[1:])]


# --- Descriptors (USB 2.0 chapter 9; UVC 1.0, 3.6 to 3.9) ---


def descriptor(*parts):
    body = b"".join(bytes([p]) if isinstance(p, int) else p for p in parts)
    return bytes([len(body) + 1]) + body


def u16(value):
    return struct.pack("<H", value)


def u32(value):
    return struct.pack("<I", value)


def configuration():
    terminal_in = descriptor(0x24, 2, 1, u16(0x0201), 0, 0, bytes(6), 3, bytes(3))  # a camera sensor
    processing = descriptor(0x24, 5, 3, 1, u16(0), 2, u16(1), 0)  # brightness
    terminal_out = descriptor(0x24, 3, 2, u16(0x0101), 0, 3, 0)
    units = terminal_in + processing + terminal_out
    header = descriptor(0x24, 1, u16(0x0100), u16(13 + len(units)), u32(48_000_000), 1, 1)
    bits = LARGEST * 8 * RATE
    frame = descriptor(
        0x24, 7, 1, 0, u16(WIDTH), u16(HEIGHT), u32(bits // 4), u32(bits), u32(LARGEST), u32(INTERVAL),
        2, u32(INTERVAL), u32(INTERVAL * 2))
    formats = descriptor(0x24, 6, 1, 1, 1, 1, 0, 0, 0, 0) + frame
    input_header = descriptor(0x24, 1, 1, u16(14 + len(formats)), BULK_IN, 0, 2, 0, 0, 0, 1, 0)
    body = (
        descriptor(11, 0, 2, 14, 3, 0, 0)  # interface association: video
        + descriptor(4, 0, 0, 0, 14, 1, 0, 0) + header + units  # video control
        + descriptor(4, 1, 0, 1, 14, 2, 0, 0) + input_header + formats  # video streaming
        + descriptor(5, BULK_IN, 2, u16(512), 0))
    return descriptor(2, u16(9 + len(body)), 2, 1, 0, 0x80, 250) + body


DEVICE = descriptor(1, u16(0x0200), 0xEF, 2, 1, 64, u16(0x1D6B), u16(0x0102), u16(0x0100), 1, 2, 3, 1)
CONFIGURATION = configuration()
NAMES = {1: "FrameStreaming", 2: "Software Webcam", 3: "0001"}


def string(index):
    if index == 0:
        return descriptor(3, u16(0x0409))
    return descriptor(3, NAMES[index].encode("utf-16-le")) if index in NAMES else None


def streaming_state(interval=INTERVAL):
    """A UVC 1.0 probe and commit control."""
    return struct.pack("<HBBIHHHHHII", 1, 1, 1, interval, 0, 0, 0, 0, 0, LARGEST, TRANSFER)


class Camera:
    def __init__(self, clip):
        self.clip = clip
        self.ours, self.kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sending = threading.Lock()
        self.changed = threading.Condition()
        self.waiting = []  # bulk transfers that the driver has asked for: (sequence, length)
        self.state = streaming_state()
        self.brightness = 0
        self.faults = {"trunc": 0, "error": 0, "stall": 0.0}

    def attach(self):
        with open("/sys/devices/platform/vhci_hcd.0/attach", "w") as attach:
            attach.write(f"0 {self.kernels.fileno()} 65537 3")  # port, socket, bus 1 device 1, high speed

    # --- USB/IP (Documentation/usb/usbip_protocol.rst) ---

    def answer(self, sequence, status, data=b"", length=None):
        head = struct.pack(
            ">IIIIIiiiiiQ", 3, sequence, 0, 0, 0, status, len(data) if length is None else length, 0, 0, 0, 0)
        with self.sending:
            self.ours.sendall(head + data)

    def receive(self, count):
        data = b""
        while len(data) < count:
            part = self.ours.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def serve(self):
        try:
            while True:
                head = self.receive(48)
                command, sequence, _, direction, endpoint = struct.unpack_from(">IIIII", head)
                if command == 1:  # USBIP_CMD_SUBMIT
                    (length,) = struct.unpack_from(">I", head, 24)
                    data = self.receive(length) if direction == 0 else b""
                    if endpoint == 0:
                        self.control(sequence, head[40:48], data)
                    else:
                        with self.changed:
                            self.waiting.append((sequence, length))
                            self.changed.notify_all()
                elif command == 2:  # USBIP_CMD_UNLINK
                    (victim,) = struct.unpack_from(">I", head, 20)
                    with self.changed:
                        found = [entry for entry in self.waiting if entry[0] == victim]
                        self.waiting = [entry for entry in self.waiting if entry[0] != victim]
                        with self.sending:
                            self.ours.sendall(struct.pack(">IIIIIi24x", 4, sequence, 0, 0, 0, -104 if found else 0))
        except (EOFError, OSError):
            pass

    def control(self, sequence, setup, data):
        kind, request, value, index, length = struct.unpack("<BBHHH", setup)
        reply = None
        if (kind, request) == (0x80, 6):  # GET_DESCRIPTOR
            what, number = value >> 8, value & 255
            reply = {1: DEVICE, 2: CONFIGURATION}.get(what) or (string(number) if what == 3 else None)
        elif kind & 0x60 == 0 and request == 0:  # GET_STATUS
            reply = b"\0\0"
        elif (kind, request) == (0x81, 10):  # GET_INTERFACE
            reply = b"\0"
        elif kind & 0x60 == 0 and request in (1, 3, 5, 9, 11):  # CLEAR/SET_FEATURE, SET_ADDRESS/CONFIGURATION/INTERFACE
            self.answer(sequence, 0)
            return
        elif kind == 0xA1 and index == 1:  # video streaming, GET_*
            reply = {0x81: self.state, 0x85: u16(26), 0x86: b"\3"}.get(
                request, streaming_state() if request in (0x82, 0x83, 0x87) else None)
        elif kind == 0x21 and index == 1:  # video streaming, SET_CUR
            (interval,) = struct.unpack_from("<I", data, 4)
            self.state = streaming_state(interval or INTERVAL)
            if value >> 8 == 2:
                print("COMMIT", flush=True)
            self.answer(sequence, 0, length=len(data))
            return
        elif kind == 0xA1 and index == 0x0300:  # the processing unit's brightness
            if request in BRIGHTNESS:
                reply = struct.pack("<h", self.brightness if request == 0x81 else BRIGHTNESS[request])
            else:
                reply = {0x85: u16(2), 0x86: b"\3"}.get(request)
        elif kind == 0x21 and index == 0x0300:
            (self.brightness,) = struct.unpack("<h", data)
            print(f"BRIGHTNESS {self.brightness}", flush=True)
            self.answer(sequence, 0, length=len(data))
            return
        if reply is None:
            self.answer(sequence, -32)  # stall: not known
        else:
            self.answer(sequence, 0, reply[:length])

    # --- Pictures (UVC 1.0, 2.4.3: each payload begins with a header of two bytes) ---

    def take_transfer(self, patience):
        with self.changed:
            if not self.changed.wait_for(lambda: self.waiting, patience):
                return None
            return self.waiting.pop(0)

    def stream(self):
        number, due = 0, time.monotonic()
        try:
            while True:
                with self.changed:
                    self.changed.wait_for(lambda: self.waiting)
                (interval,) = struct.unpack_from("<I", self.state, 4)
                due = max(due + interval / 1e7, time.monotonic() - interval / 1e7)
                time.sleep(max(0.0, due - time.monotonic()))
                if self.faults["stall"]:
                    time.sleep(self.faults["stall"])
                    self.faults["stall"] = 0.0
                self.send(number, self.clip[number % len(self.clip)])
                number += 1
        except OSError:
            pass

    def send(self, number, picture):
        flags = 0x80 | (number & 1)  # end of header, frame id
        if self.faults["trunc"]:
            self.faults["trunc"] -= 1
            picture = picture[: len(picture) // 3]
        if self.faults["error"]:
            self.faults["error"] -= 1
            flags |= 0x40
        sent = 0
        while sent < len(picture):
            transfer = self.take_transfer(1.0)
            if transfer is None:
                return  # the driver stopped in the middle of a picture
            sequence, length = transfer
            piece = picture[sent : sent + min(length, TRANSFER) - 2]
            sent += len(piece)
            last = 2 if sent == len(picture) else 0
            self.answer(sequence, 0, bytes([2, flags | last]) + piece)


def main():
    camera = Camera(pictures(sys.argv[1]))
    for work in (camera.serve, camera.stream):
        threading.Thread(target=work, daemon=True).start()
    camera.attach()
    print("ATTACHED", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words and words[0] in camera.faults:
            camera.faults[words[0]] = float(words[1]) if words[0] == "stall" else int(words[1])
        elif words and words[0] == "unplug":
            break
    camera.ours.shutdown(socket.SHUT_RDWR)
    camera.ours.close()
    print("UNPLUGGED", flush=True)


main()
