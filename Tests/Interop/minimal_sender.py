"""Sends JPEG files: minimal_sender.py HOST PORT WIDTH HEIGHT FILE... No clocks, no sessions, no names."""
import select, socket, struct, sys, time

host, port, width, height, *files = sys.argv[1:]
link = socket.create_connection((host, int(port)))
link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

def say(kind, header, payload=b"", flags=1):
    link.sendall(struct.pack(">BBHI", kind, flags, len(header), len(payload)) + header + payload)

def take(count):
    data = b""
    while len(data) < count:
        data += (some := link.recv(count - len(data)))
        if not some: sys.exit("the connection ended too early")
    return data

def hear():
    kind, flags, header, payload = struct.unpack(">BBHI", take(8))
    header, payload, now = take(header), take(payload), time.monotonic_ns()
    if kind == 0x83: sys.exit("rejected: " + payload.decode(errors="replace"))
    if kind == 0x86: say(0x87, header[:16] + struct.pack(">qq", now, now), flags=0)  # PING: PONG
    if kind == 0x88: say(0x89, bytes(8)); sys.exit("the receiver ended: " + payload.decode(errors="replace"))
    if kind not in (0x82, 0x85, 0x89) and flags & 1: sys.exit(f"unknown message {kind:#x}")
    return kind, header

offset = time.time_ns() - time.monotonic_ns()
say(0x81, struct.pack(">4sHHB3xIIIQQQq16x", b"FSTR", 1, 1, 1, 0, 0, 0, 0, 0, 0, offset), bytes(4))
kind, welcome = hear()
if kind != 0x82 or welcome[:9] != b"FSTR\0\1" + welcome[6:8] + b"\2": sys.exit("no WELCOME from a receiver")
limit, credit, acknowledged = *struct.unpack_from(">I", welcome, 20), *struct.unpack_from(">Q", welcome, 40), 0

def hear_acknowledgement():
    global credit, acknowledged
    kind, header = hear()
    if kind == 0x85: acknowledged, credit = struct.unpack_from(">Q8xQ", header)

for sequence, name in enumerate(files, 1):
    while sequence > credit or select.select([link], [], [], 0)[0]: hear_acknowledgement()
    image = open(name, "rb").read()
    if len(image) > limit: sys.exit(f"{name}: the receiver takes at most {limit} bytes")
    say(0x84, struct.pack(">QQqqqqIII4s6B2xI", sequence, sequence, 0, time.monotonic_ns(), -1, -1, 0,
                          int(width), int(height), b"JPEG", 0, 0, 0, 2, 0, 0, 0), image)
while acknowledged < len(files): hear_acknowledgement()
say(0x88, bytes(4), b"end of files")
while hear()[0] != 0x89: pass
link.shutdown(socket.SHUT_WR)
while link.recv(4096): pass
print(f"sent {len(files)}")
