#!/usr/bin/env python3
"""Writes the inputs that fuzzing begins with: seeds.py FOLDER. They come from the tests' own: one folder for each target."""

import base64
import pathlib
import re
import struct
import sys

tests = pathlib.Path(__file__).resolve().parents[1]
folder = pathlib.Path(sys.argv[1])

# A baseline picture of 16x16 from libjpeg, grey; and what other pictures differ in.
PICTURE = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/"
    "wAALCAAQABABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVN//2Q==")


def seed(target, name, data):
    path = folder / target
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(data)


def messages():
    golden = {}
    for line in (tests / "FrameStreamingTCPTests/Golden/protocol-1.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, digits = line.split()
            golden[name] = bytes.fromhex(digits)
    for name, data in golden.items():
        seed("messages", name, data)
        seed("handshake", name, data)
    later = [data for name, data in golden.items() if name not in ("HELLO", "WELCOME", "REJECT", "HELLO-REQUESTS")]
    seed("messages", "all", b"".join(later))
    for path in sorted((tests / "FrameStreamingTCPTests/Malformed").glob("*.txt")):
        lines = [line for line in path.read_text().splitlines() if re.fullmatch(r"(?:[0-9a-f]{2})+", line)]
        data = bytes.fromhex("".join(lines))
        if data:
            seed("messages", path.stem, data)
            seed("handshake", path.stem, data)
            seed("text", path.stem, data)


def text():
    seed("text", "one", b"4, \xff\xd8\xff\xd9over")
    seed("text", "oks", b"okokokok")


def pictures():
    comment = b"\xff\xfe" + struct.pack(">H", 6) + b"\xff\xd8ab"
    orientation = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    exif = b"\xff\xe1" + struct.pack(">H", len(orientation) + 2) + orientation
    restart = b"\xff\xdd\0\4\0\1"
    without_tables = re.sub(rb"\xff\xc4\0.{20}|\xff\xc4..", b"", PICTURE, flags=re.S)
    variants = {
        "plain": PICTURE,
        "comment": PICTURE[:2] + comment + PICTURE[2:],
        "exif": PICTURE[:2] + exif + PICTURE[2:],
        "restart": PICTURE[:20] + restart + PICTURE[20:],
        "padded": PICTURE + bytes(40),
        "no-end": PICTURE[:-2],
        "cut": PICTURE[:-8],
        "no-tables": without_tables,
    }
    for name, data in variants.items():
        for target in "jpeg", "camera", "file":
            seed(target, name, data)
        seed("mjpeg", name, data[3:])
        seed("mjpeg", f"{name}-twice", data[3:] + data)
    part = b"\r\n--x\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(PICTURE) + PICTURE
    seed("file", "multipart", part[2:] + part + b"\r\n--x--\r\n")


def y4m():
    for name, line in {
        "plain": b"YUV4MPEG2 W4 H2 F30000:1001 Ip A1:1 C420jpeg",
        "extensions": b"YUV4MPEG2 W17 H13 F25 C444 XCOLORRANGE=LIMITED XCOLORMATRIX=BT709 XYSCSS=444",
        "deep": b"YUV4MPEG2 W2 H2 C420p10 XYSCSS=420P10",
        "extreme": b"YUV4MPEG2 W65535 H65535 F4294967295:4294967295 A9223372036854775807:1 Cmono",
    }.items():
        seed("y4m", name, line)
        seed("file", name + ".y4m", line + b"\nFRAME\n" + bytes(12) + b"FRAME Ip\n" + bytes(12))


def http():
    field = b"Host: localhost:8080\r\n"
    seed("http", "get", b"GET / HTTP/1.1\r\n" + field + b"\r\n")
    seed("http", "two", b"GET /streams/front%20door.jpg?scale=1/2 HTTP/1.1\r\n" + field + b"Connection: keep-alive, x\r\n\r\nHEAD /metrics HTTP/1.0\r\n\r\n")
    seed("http", "absolute", b"GET http://localhost:8080/stream HTTP/1.1\r\n" + field + b"\r\n")
    seed("http", "body", b"POST / HTTP/1.1\r\n" + field + b"Content-Length: 3\r\n\r\nabc")
    seed("http", "chunked", b"GET / HTTP/1.1\r\n" + field + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    seed("http", "upgrade", b"GET /live HTTP/1.1\r\n" + field + upgrade + b"Origin: http://localhost:8080\r\n\r\n")


def masked(opcode, payload, last=True):
    mask = b"\1\2\3\4"
    head = bytes([opcode | (0x80 if last else 0)])
    head += bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
    return head + mask + bytes(byte ^ mask[index & 3] for index, byte in enumerate(payload))


def websocket():
    seed("websocket", "watch", masked(1, b'{"type":"watch","streams":["front door"]}'))
    seed("websocket", "acknowledgement", masked(2, bytes(24)))
    seed("websocket", "long", masked(2, bytes(300)))
    seed("websocket", "fragments", masked(1, b'{"type":', False) + masked(9, b"ping") + masked(0, b'"watch"}') + masked(8, b"\x03\xe8"))


def tls():
    kinds = {"key-client": 0, "certificate-client": 1, "key-server": 2, "certificate-server": 3}
    for line in pathlib.Path(__file__).with_name("tls.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, digits = line.split()
            seed("tls", name, bytes([kinds[name]]) + bytes.fromhex(digits))
    seed("tls", "plain", b"\0GET / HTTP/1.0\r\n\r\n")
    changes = {"flip": b"\0\2\0\1", "insert": b"\4\2\0\1", "leave-out": b"\6\2\0\1", "replay": b"\x08\2\0\x7f", "hold": b"\x0a\2\0\1"}
    for kind in 0, 7:
        seed("records", f"unchanged-{kind}", bytes([kind, 50, 251]))
        for name, change in changes.items():
            seed("records", f"{name}-{kind}", bytes([kind, 200, 200]) + change)
            seed("records", f"{name}-back-{kind}", bytes([kind, 200, 200, change[0] | 1]) + change[1:])


for write in messages, text, pictures, y4m, http, websocket, tls:
    write()
