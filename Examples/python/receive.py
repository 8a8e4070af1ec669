#!/usr/bin/env python3
"""Receives live pictures by FrameStreaming's binary protocol, version 1 (Docs/WireProtocol.md). Python 3.9 or later.

    from receive import FrameReceiver
    for frame in FrameReceiver(listen="0.0.0.0:5600"):      # one sender, to its end
        print(frame.image.shape, frame.latency)             # BGR, as OpenCV has it; seconds

A frame is acknowledged when the loop asks for the next, so a slow loop gets fewer pictures and not older ones. Pixels
need OpenCV or simplejpeg, with numpy; the JPEGs as they came (decode=False, --raw, --save) need the standard library alone.
"""
from __future__ import annotations
import argparse, collections, contextlib, dataclasses, importlib.util, json, os, queue, selectors, signal, socket, struct, sys, threading, time, typing

HELLO, WELCOME, REJECT, FRAME, ACK, PING, PONG, BYE, BYE_ACK, SOURCE_LOST, SOURCE_RESTORED, REQUEST = range(0x81, 0x8D)
HEADERS = dict(zip(range(0x81, 0x8D), (72, 72, 4, 76, 56, 16, 32, 4, 8, 0, 0, 8)))  # bytes in version 1
COMPLETE, STOPPED, FAILED = range(3)  # what BYE says; a code of a later version is COMPLETE
UNSUPPORTED = 1  # the reason behind FAILED: no pixel format suits both sides
HELLO_FIELDS, FRAME_FIELDS = ">4sHHB3xIIIQQQq16s", ">QQqqqqIII4s6B2xI"
CONSUMED, SKIPPED, UNDECODABLE, REFUSED = 1, 2, 3, 4  # outcomes
TLS_RECORDS = b"\x15\x03", b"\x16\x03"
ENCRYPTS = "the peer encrypts its connections by TLS, and this side does not: give it the peer's key, or a certificate, as well"


class StreamError(Exception):
    """The stream is over, and not in good order. `code` is that of REJECT, where there is one."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class ConnectionLost(StreamError):
    """The connection broke, or could not be made: another attempt may succeed."""


class Unsupported(StreamError):
    """The frames have a pixel format that this program does not decode. The sender is told so."""


class SenderFailed(StreamError):
    """The sender said that it failed, behind its last frame."""


@dataclasses.dataclass
class Frame:
    """A picture. Times are ns of this machine's CLOCK_MONOTONIC, that of time.monotonic_ns(); None: not known."""
    jpeg: bytes
    stream: str  # the sender's name, with escapes where it does not print
    sequence: int  # on this connection, from 1, without gaps
    source_sequence: int  # the source's own number
    skipped: int  # pictures that the sender left out since the frame before
    width: int  # pixels
    height: int
    metadata: bytes
    arrival_time: int
    capture_time: int | None
    image: typing.Any = None  # numpy, height x width x 3, uint8, BGR; None with decode=False
    latency: float | None = None  # seconds from capture until the loop got the frame


Hello = collections.namedtuple(  # HELLO or WELCOME, field by field, and the stream's name
    "Hello", "magic version lowest role optional critical largest session consumed credit realtime_offset boot stream")


class Link:
    """Messages over one connection. One thread reads; any may write."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.socket, self._writing, self._selector = connection, threading.Lock(), selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ)
        self._wait: typing.Callable[[float], typing.Any] = self._selector.select

    def secure(self, security: typing.Any, host: str | None) -> None:
        """Encrypts the connection from here on. host: whom this side connected to; None: the peer connected."""
        self.socket = security.begin(self.socket, host, StreamError)
        self._wait = self.socket.readable

    def objection(self, role: str, stream: str) -> str | None:
        """Why a peer that connected may not be that; None: it may."""
        key = getattr(self.socket, "key", None)
        return key and key.objection(role, stream)

    def write(self, kind: int, header: bytes, payload: bytes = b"") -> None:
        critical = kind not in (PING, PONG)
        with self._writing:
            self.socket.sendall(struct.pack(">BBHI", kind, critical, len(header), len(payload)) + header + payload)

    def readable(self, seconds: float) -> bool:
        return bool(self._wait(max(0.0, seconds)))

    def read(self, largest_image: int = 0, seconds: float = 30) -> tuple[int, bytes, bytes] | None:
        """Type, header and payload of the next message, complete within `seconds`; None at the end of the stream."""
        deadline = time.monotonic() + seconds
        prefix = self._take(8, deadline, may_end=True)
        if not prefix:
            return None
        kind, flags, header, payload = struct.unpack(">BBHI", prefix)
        if prefix.startswith(TLS_RECORDS):
            raise StreamError(ENCRYPTS)
        if kind < 0x80 or kind not in HEADERS and flags & 1:
            raise StreamError(f"message {kind:#04x} is none of this version of the binary protocol")
        if payload > (65_536 + largest_image if kind == FRAME or kind not in HEADERS else 4_096):
            raise StreamError(f"message {kind:#x} with a payload of {payload} bytes is beyond the limit")
        if header < HEADERS.get(kind, 0):
            raise StreamError(f"message {kind:#x} has a header of {header} bytes: too short")
        return kind, self._take(header, deadline), self._take(payload, deadline)

    def _take(self, count: int, deadline: float, may_end: bool = False) -> bytes:
        data = bytearray()  # grows with what comes, not with what was announced
        while len(data) < count:
            if not self.readable(deadline - time.monotonic()):
                raise StreamError("a message was not complete in time")
            some = self.socket.recv(min(count - len(data), 1 << 18))
            if not some and may_end and not data:
                break
            if not some and may_end and data.startswith(TLS_RECORDS):
                raise StreamError(ENCRYPTS)
            if not some:
                raise ConnectionLost("the connection ended within a message")
            data += some
        return bytes(data)

    def refuse(self, code: int, text: str) -> None:
        try:
            self.write(REJECT, struct.pack(">H2x", code), text.encode())
        except OSError:
            pass  # then it is not told
        self.drain(1)
        self.close()

    def drain(self, seconds: float) -> None:
        """Shuts down writing and reads to the end: to close with something unread would take back what was written."""
        deadline = time.monotonic() + seconds
        try:
            self.socket.shutdown(socket.SHUT_WR)
            while self.readable(deadline - time.monotonic()) and self.socket.recv(1 << 16):
                pass
        except OSError:
            pass  # it is broken

    def close(self) -> None:
        self._selector.close()
        self.socket.close()

    def say_hello(self, kind: int, session: int, consumed: int, credit: int, largest_image: int) -> None:
        offset = time.time_ns() - time.monotonic_ns()
        fields = (b"FSTR", 1, 1, 2, 0, 0, largest_image, session, consumed, credit, offset, boot_id())
        self.write(kind, struct.pack(HELLO_FIELDS, *fields), struct.pack(">HH4s", 0, 1, b"JPEG"))

    def hear_hello(self, kind: int) -> Hello:
        """HELLO or WELCOME from a sender. Errors have the code that REJECT is to have, or had."""
        message = self.read(seconds=5)
        if message is None:
            raise ConnectionLost("the connection ended before the handshake")
        if kind == WELCOME and message[0] == REJECT:
            code, = struct.unpack_from(">H", message[1])
            error = ConnectionLost if code == 1 else StreamError  # 1: busy
            raise error(f"the sender rejects us: {printable(message[2])}", code)
        if message[0] != kind or message[1][:4] != b"FSTR":
            raise StreamError("no handshake of the binary protocol", 5)
        hello, payload = Hello(*struct.unpack_from(HELLO_FIELDS, message[1]), ""), message[2]
        if not hello.lowest <= 1 <= hello.version or kind == WELCOME and hello.version != 1:
            raise StreamError(f"the peer speaks versions {hello.lowest} to {hello.version}, this program version 1", 2)
        if hello.role != 1:
            raise StreamError("the peer does not send frames, and this program only receives", 3)
        if hello.critical:
            raise StreamError("the peer asks for what version 1 does not have", 4)
        name = int.from_bytes(payload[:2], "big")
        formats = int.from_bytes(payload[2 + name:4 + name], "big")
        if name > 255 or formats > 256 or len(payload) < 4 + name + 4 * formats:
            raise StreamError("name or formats of the handshake are longer than its payload", 5)
        return hello._replace(stream=printable(payload[2:2 + name], 2_550))


class Clock:
    """The sender's CLOCK_MONOTONIC minus this machine's, in ns, by the answer to PING that is least wrong by now."""

    def __init__(self, same: bool) -> None:
        self.same, self._answers = same, collections.deque([(0, 0, 0)] if same else [], maxlen=8)

    def add(self, t1: int, t2: int, t3: int, t4: int) -> None:
        offset, error = ((t2 - t1) + (t3 - t4)) // 2, ((t4 - t1) - (t3 - t2)) // 2
        if any(abs(offset - other) > error + wrong + (t4 - at) // 10_000 for other, wrong, at in list(self._answers)):
            self._answers.clear()  # a clock stood still in between
        self._answers.append((offset, error, t4))

    def offset(self) -> int | None:
        answers = list(self._answers)
        return min(answers, key=lambda answer: answer[1] - answer[2] // 10_000)[0] if answers else None


class Connection:
    """One sender after its handshake. A thread reads all the time, and answers what is not for the loop."""

    def __init__(self, link: Link, peer: Hello, window: int, largest: int, others: tuple[socket.socket, typing.Any] | None) -> None:
        self.link, self.peer, self.largest, self.others = link, peer, largest, others
        self.clock = Clock(any(peer.boot) and peer.boot == boot_id())
        # None: BYE. A queue.Queue that Ctrl-C interrupts may have no lock to release, and says so instead.
        self.frames: queue.SimpleQueue[Frame | StreamError | None] = queue.SimpleQueue()
        self.window = self.credit = window
        self.received = self.acknowledged = self.unconsumed = 0
        self.leaving, self.goodbye = False, queue.SimpleQueue()  # with one item or more when it is answered
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def acknowledge(self, frame: Frame, outcome: int) -> None:
        self.acknowledged, self.credit = frame.sequence, frame.sequence + self.window
        self.unconsumed += outcome != CONSUMED
        try:
            self.link.write(ACK, struct.pack(
                ">QQQqqQIB3x", frame.sequence, self.received, self.credit, frame.arrival_time, time.monotonic_ns(),
                self.unconsumed, self.received - frame.sequence, outcome))
        except OSError:
            pass  # what is here is consumed all the same, and then the reading thread tells why

    def end(self, goodbye: tuple[int, str] | None, reason: int = 0) -> None:
        """With BYE where there is one to say; then shuts down writing, reads to the end for at most 2 s, and closes."""
        self.leaving = goodbye is not None
        patience = 0.4 if goodbye and goodbye[0] == STOPPED else 2
        try:
            if goodbye:
                self.link.write(BYE, struct.pack(">HH", goodbye[0], reason), goodbye[1].encode()[:1024])
                with contextlib.suppress(queue.Empty):
                    self.goodbye.get(timeout=patience)
            if reason:
                self.link.drain(patience)  # nobody reads any more
            self.link.socket.shutdown(socket.SHUT_WR)
            self.thread.join(patience)
            self.link.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is broken or over
        self.thread.join()
        self.link.close()

    def _read(self) -> None:
        pings, next_ping, ended = 0, 0.0, False
        try:
            while True:
                if not self.clock.same and time.monotonic() >= next_ping:
                    self.link.write(PING, struct.pack(">Qq", pings, time.monotonic_ns()))
                    pings, next_ping = pings + 1, time.monotonic() + (0.1 if pings < 7 else 1)
                if self.others and not ended:
                    turn_away(*self.others)
                if not self.link.readable(0.1 if 0 < pings < 8 else 0.5):
                    continue
                message, now = self.link.read(self.largest), time.monotonic_ns()
                if message is None:
                    break
                kind, header, payload = message
                if kind == FRAME and not ended:
                    self.frames.put(self._frame(header, payload, now))
                elif kind == PING:
                    self.link.write(PONG, header[:16] + struct.pack(">qq", now, time.monotonic_ns()))
                elif kind == PONG:
                    self.clock.add(*struct.unpack_from(">qqq", header, 8), now)
                elif kind == BYE and not ended:
                    ended = True
                    failed = int.from_bytes(header[:2], "big") == FAILED
                    self.frames.put(SenderFailed(f"the sender failed: {printable(payload)}") if failed else None)
                    if self.leaving:
                        self.link.write(BYE_ACK, struct.pack(">Q", self.acknowledged))
                elif kind == BYE_ACK and self.leaving:
                    self.goodbye.put(None)
                elif kind in HEADERS and kind not in (SOURCE_LOST, SOURCE_RESTORED):
                    raise StreamError(f"message {kind:#x} has no place here")
            if not ended:
                self.frames.put(ConnectionLost("the connection ended without BYE: frames may be missing"))
        except OSError as error:
            self.frames.put(ConnectionLost(f"the connection broke: {error}"))
        except StreamError as error:
            self.frames.put(error)
        self.goodbye.put(None)

    def _frame(self, header: bytes, payload: bytes, now: int) -> Frame:
        (sequence, source, captured, _, _, _, skipped, width, height, form, clock, _, _, _, _, _, metadata
         ) = struct.unpack_from(FRAME_FIELDS, header)
        if sequence != self.received + 1 or sequence > self.credit:
            raise StreamError(f"frame {sequence} follows frame {self.received}, with credit through {self.credit}")
        if not (0 < width < 65_536 and 0 < height < 65_536) or metadata > 65_536 or metadata >= len(payload):
            raise StreamError(f"frame {sequence}: {width}x{height} and {metadata} of {len(payload)} bytes cannot be")
        relays = header[84] if len(header) >= 92 else 0
        if relays > 16 or relays and len(header) < 92 + 8 * relays:
            raise StreamError(f"frame {sequence} passed through {relays} relays, and its header has no room for them")
        if form != b"JPEG":
            raise Unsupported(f"the frames are {printable(form)}, and this receiver takes JPEG only")
        if len(payload) - metadata > self.largest:
            raise StreamError(f"frame {sequence} is not what was asked for, a JPEG of at most {self.largest} bytes")
        self.received = sequence
        captured -= self.peer.realtime_offset if clock == 2 else 0  # on the sender's CLOCK_MONOTONIC, as of here
        return Frame(payload[metadata:], self.peer.stream, sequence, source, skipped, width, height, payload[:metadata],
                     now, captured if clock in (1, 2) else None)


class FrameReceiver:
    """The frames of one sender after another: each `for` over it takes a connection, and ends with the sender's BYE.

    listen, connect: HOST:PORT, one of the two. window: frames that may be under way. newest: leaves out what is not the
    newest. largest_image: bytes. security: a `Security` of security.py, for encrypted connections. An error is a StreamError, after the frames that came before it; the next `for` takes the
    next connection. Whoever leaves the loop ends the stream in good order, and has consumed the frame at hand, unless
    `fail` says otherwise. For one thread.
    """

    def __init__(self, *, listen: str | None = None, connect: str | None = None, decode: bool = True, window: int = 4,
                 newest: bool = False, largest_image: int = 64 << 20, security: typing.Any = None) -> None:
        if (listen is None) == (connect is None) or window < 1:
            raise ValueError("either listen or connect, and a window of at least 1")
        self._decode, self._window = decoder() if decode else None, window
        self._newest, self._largest = newest, largest_image
        self._goodbye: tuple[int, str] | None = None
        self.undecodable = 0  # frames, of all connections
        self._address, self._sessions, self._session = host_and_port(listen or connect), collections.OrderedDict(), 0
        self._listener, self.port, self._security = None, None, security
        if security:
            security.check("receiver", "", listen is not None)
        if listen is not None:
            family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
            self._listener = socket.create_server(self._address, family=family)
            self.port = self._listener.getsockname()[1]  # of a listener for port 0, too

    def __iter__(self) -> typing.Iterator[Frame]:
        connection = self._connection()
        frame = in_hand = goodbye = failed = None
        try:
            while (frame := connection.frames.get()) is not None:
                if isinstance(frame, SenderFailed):
                    failed = frame
                    break
                if isinstance(frame, Unsupported):
                    goodbye = (FAILED, str(frame))
                if isinstance(frame, StreamError):
                    raise frame
                outcome = SKIPPED if self._newest and connection.received > frame.sequence else CONSUMED
                try:
                    frame.image = self._decode(frame.jpeg) if self._decode and outcome == CONSUMED else None
                except Exception:  # each decoder has its own
                    outcome, self.undecodable = UNDECODABLE, self.undecodable + 1
                if outcome == CONSUMED:
                    offset = connection.clock.offset()
                    frame.capture_time = None if None in (offset, frame.capture_time) else frame.capture_time - offset
                    if frame.capture_time is not None:
                        frame.latency = (time.monotonic_ns() - frame.capture_time) / 1e9
                    in_hand = frame
                    yield frame
                    in_hand = None
                self._done(connection, frame, outcome)
            connection.link.write(BYE_ACK, struct.pack(">Q", connection.acknowledged))
        except OSError:
            pass  # the sender is gone since its BYE; all frames are here
        except (GeneratorExit, KeyboardInterrupt) as error:
            goodbye = self._goodbye or (
                (STOPPED, "receiver stopped") if isinstance(error, KeyboardInterrupt) else
                (COMPLETE, "the receiver has what it wanted"))
            if in_hand and goodbye[0] != STOPPED:  # without an answer it comes again
                self._done(connection, in_hand, CONSUMED if goodbye[0] == COMPLETE else REFUSED)
            raise
        finally:
            connection.end(goodbye, UNSUPPORTED if isinstance(frame, Unsupported) else 0)
        if failed:
            raise failed

    def fail(self, reason: str, code: int = FAILED) -> None:
        """Before leaving the loop: the frame at hand was not consumed, and the sender is told why.

        FAILED: this side cannot go on. STOPPED: it may be started again, and a sender of files waits for it.
        """
        self._goodbye = code, reason

    def _done(self, connection: Connection, frame: Frame, outcome: int) -> None:
        connection.acknowledge(frame, outcome)
        self._session = session = connection.peer.session
        self._sessions[session] = connection.peer.consumed + frame.sequence if session else 0
        self._sessions.move_to_end(session)
        if len(self._sessions) > 64:
            self._sessions.popitem(last=False)

    def __enter__(self) -> FrameReceiver:
        return self

    def __exit__(self, *error: object) -> None:
        if self._listener:
            self._listener.close()

    def _connection(self) -> Connection:
        link = None
        try:
            if self._listener:
                self._listener.settimeout(None)
                link = Link(self._listener.accept()[0])
                self._listener.settimeout(0)
                if self._security:
                    link.secure(self._security, None)
                peer = link.hear_hello(HELLO)
                if objection := link.objection("sender", peer.stream):
                    raise StreamError(objection, 7)
                peer = peer._replace(consumed=self._sessions.get(peer.session, 0))
                link.say_hello(WELCOME, peer.session, peer.consumed, self._window, self._largest)
            else:
                link = connected(self._address, "sender", self._security)
                link.say_hello(HELLO, self._session, self._sessions.get(self._session, 0), self._window, self._largest)
                peer = link.hear_hello(WELCOME)
            others = (self._listener, self._security) if self._listener else None
            return Connection(link, peer, self._window, self._largest, others)
        except (OSError, StreamError) as error:
            if link and self._listener and getattr(error, "code", None):
                link.refuse(error.code, str(error))
            elif link:
                link.close()
            raise error if isinstance(error, StreamError) else ConnectionLost(f"no connection: {error}") from error


def connected(address: tuple[str, int], peer: str, security: typing.Any) -> Link:
    try:
        link = Link(socket.create_connection(address, 10))
    except OSError as error:
        where = "%s:%d" % address
        raise ConnectionLost(f"no connection to {where}: {error}; start the {peer} first, or check the port") from error

    if security:
        try:
            link.secure(security, address[0])
        except BaseException:
            link.close()
            raise
    return link


def turn_away(listener: socket.socket, security: typing.Any) -> None:
    try:
        link = Link(listener.accept()[0])
    except OSError:
        return  # nobody there

    def refuse() -> None:
        try:
            if security:
                link.secure(security, None)
        except (OSError, StreamError):
            link.close()  # a stranger is told nothing
            return
        link.refuse(1, "one sender at a time")
    threading.Thread(target=refuse, daemon=True).start()


def printable(text: str | bytes, limit: int = 200) -> str:
    """A peer's text as it may be printed: on its line, without what moves a terminal's cursor, cut to a limit."""
    text = text if isinstance(text, str) else text.decode(errors="replace")
    pieces = [c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:limit + 1]]
    while sum(map(len, pieces)) > limit:
        while sum(map(len, pieces)) >= limit:
            pieces.pop()
        pieces.append("…")
    return "".join(pieces)


class Log:
    """Lines on standard error: 200 at once, then 10 a second, and a count of the rest, for a peer can cause any number."""

    def __init__(self, program: str) -> None:
        self._program, self._full, self._left, self._since = program, 0.0, 0, 0.0

    def write(self, text: object) -> None:
        now = time.monotonic()
        if self._left and now - self._since >= 10:
            self.flush()
        if self._full > now + 199 * 0.1:
            self._left, self._since = self._left + 1, self._since if self._left else now
        else:
            self._full = max(self._full, now) + 0.1
            print(f"{self._program}: {printable(str(text), 1000)}", file=sys.stderr, flush=True)

    def flush(self) -> None:
        if self._left:
            seconds = time.monotonic() - self._since
            text = f"... and {self._left:,} more like it in {seconds:.0f} s"
            print(f"{self._program}: {text}", file=sys.stderr, flush=True)
        self._left = 0


LOG = Log("receive.py")


def boot_id() -> bytes:
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return bytes.fromhex(file.read().replace("-", ""))
    except OSError:
        return bytes(16)


def host_and_port(address: str) -> tuple[str, int]:
    """Of [HOST:]PORT or tcp://HOST:PORT; loopback where there is no host."""
    scheme, separator, place = address.rpartition("://")
    host, _, port = place.removesuffix("/").rpartition(":")
    if separator and scheme.lower() != "tcp":
        raise StreamError(f"{address}: the only scheme is tcp, as in tcp://{place or 'HOST:PORT'}")
    if not port.isdecimal() or not port.isascii() or int(port) > 65_535:
        raise StreamError(f"{address} is not HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


class Parser(argparse.ArgumentParser):
    """Ends the program with 64, as the programs in Swift do (Docs/ExitStatus.md), and not with 2."""

    def error(self, message: str) -> typing.NoReturn:
        self.print_usage(sys.stderr)
        self.exit(64, f"{self.prog}: error: {message}\n")


def within(kind: typing.Callable[[str], typing.Any], least: float, most: float = float("inf")) -> typing.Callable[[str], typing.Any]:
    """An argument that is a number in a range."""
    def number(text: str) -> typing.Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not {least} " + ("or more" if most == float("inf") else f"to {most}"))
        return value
    return number


def address(text: str) -> str:
    """An argument that is an address."""
    try:
        host_and_port(text)
    except StreamError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def add_security(parser: argparse.ArgumentParser) -> None:
    """The options of the programs in Swift (Docs/Security.md)."""
    parser.add_argument("--key-file", action="append", default=[], metavar="FILE",
                        help="encrypt by a key of frame-key, and let nobody else in; one for each peer of a side that listens; "
                        "SIGHUP reads them again; needs Python 3.13")
    parser.add_argument("--tls-cert", metavar="FILE.pem", help="the same by certificates: this side's own")
    parser.add_argument("--tls-key", metavar="FILE.pem", help="the private key of --tls-cert, which only its owner may read")
    parser.add_argument("--tls-ca", metavar="FILE.pem", help="who must have signed the peers' certificates")
    parser.add_argument("--insecure", action="store_true", help="go beyond this machine without a key: anybody on the way can "
                        "read and change the pictures, and whoever reaches an open port is let in")


def security_of(options: argparse.Namespace, parser: Parser, connect: str | None) -> typing.Any:
    """The credentials that the options name, or None; refuses what would be open to everybody."""
    has_certificates = bool(options.tls_cert or options.tls_key or options.tls_ca)
    if options.key_file and has_certificates:
        parser.error("give --key-file, or certificates by --tls-cert, --tls-key and --tls-ca, and not both")
    if bool(options.tls_cert) != bool(options.tls_key):
        parser.error("--tls-cert and --tls-key belong together: give both")
    if connect and len(options.key_file) > 1:
        parser.error("a side that connects uses one key: give --key-file once")
    if options.listen and not (options.key_file or options.tls_ca or options.insecure or is_of_this_machine(options.listen)):
        parser.error(f"{options.listen}: beyond this machine everybody who reaches the port would be let in, and nothing is "
                     "encrypted: give --key-file FILE (frame-key generate FILE makes one), or --tls-ca FILE as well as a "
                     "certificate, or --insecure if you mean it")
    if not options.key_file and not has_certificates:
        if connect and not options.insecure and not is_of_this_machine(connect):
            LOG.write(f"{connect}: without --key-file anybody on the way can read and change the pictures (--insecure: do not say so)")
        return None
    try:
        import security
    except ImportError as error:
        raise StreamError(f"keys and certificates need security.py beside this program, and Python's ssl: {error}") from None
    return security.of_options(options, parser.prog, printable)


def is_of_this_machine(address: str) -> bool:
    host = host_and_port(address)[0]
    parts = host.split(".")
    return host in ("localhost", "::1") or len(parts) == 4 and parts[0] == "127" and all(
        part.isdecimal() and part.isascii() and int(part) < 256 for part in parts)


class Interruption:
    """Ctrl-C and SIGTERM: the first is a KeyboardInterrupt, and one more ends the program at once, with the status of one that died
    of it. What comes within 0.2 s of the first is part of it: `timeout` and `make` signal a process and its group."""

    def __init__(self, program: str) -> None:
        self._program, self._since = program, 0.0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    def _handle(self, number: int, _: object) -> None:
        now = time.monotonic()
        if self._since and now - self._since > 0.2:
            os._exit(128 + number)
        if not self._since:
            self._since = now
            if number == signal.SIGINT:  # not by print, in which it may have come
                os.write(2, f"{self._program}: stopping; once more to quit now\n".encode())
            raise KeyboardInterrupt


def decoder() -> typing.Callable[[bytes], typing.Any]:
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 26))  # a few bytes may claim any size
    try:
        import numpy  # which OpenCV needs, and would ask for on standard output
        import cv2

        def decode(jpeg: bytes) -> numpy.ndarray:
            image = cv2.imdecode(numpy.frombuffer(jpeg, "uint8"), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
            if image is None:
                raise ValueError("no JPEG")
            return image
        return decode
    except Exception as error:  # a package that is broken, or built for another numpy, raises anything
        absent = [name for name in ("cv2", "numpy") if importlib.util.find_spec(name) is None]
        reason = f"without {' and '.join(absent)}" if absent else f"where they do not load ({error})"
    try:
        import simplejpeg
        return lambda jpeg: simplejpeg.decode_jpeg(jpeg, colorspace="BGR")
    except Exception:  # what is told is how to get the first
        raise StreamError("pixels need OpenCV and numpy, or simplejpeg, and this runs on a Python " + reason + ": pip install "
                          "opencv-python-headless brings both; --raw and --save need neither") from None


def none_was_shown(count: int, receiver: FrameReceiver) -> bool:
    """Whether all pictures that arrived were undecodable, which is a failure however the program ends."""
    if count or not receiver.undecodable:
        return False
    LOG.write(f"none of the {receiver.undecodable} pictures that arrived could be decoded; --raw and --save keep them as they are")
    return True


def main() -> int:
    parser = Parser(description="Receives live pictures, by FrameStreaming's binary protocol.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--listen", type=address, metavar="[HOST:]PORT",
                       help="wait for senders; loopback without a host")
    where.add_argument("--from", dest="connect", type=address, metavar="HOST:PORT", help="connect to a sender, again after a break")
    parser.add_argument("--frames", type=within(int, 1), metavar="N", help="end after so many")
    parser.add_argument("--once", action="store_true", help="end with the first stream, in whatever way it ends")
    parser.add_argument("--raw", action="store_true", help="do not decode: nothing but Python is needed")
    parser.add_argument("--save", metavar="DIR", help="write the JPEGs as they came, numbered; implies --raw")
    parser.add_argument("--window", type=within(int, 1), default=4, help="frames that may be under way (4)")
    parser.add_argument("--newest", action="store_true", help="leave out all but the newest of those that are here")
    parser.add_argument("--json", action="store_true", help="one object a frame")
    add_security(parser)
    options = parser.parse_args()
    Interruption("receive.py")
    count, before, receiver = 0, "", None
    try:
        security = security_of(options, parser, options.connect)
        if options.save:
            os.makedirs(options.save, exist_ok=True)
        receiver = FrameReceiver(listen=options.listen, connect=options.connect, window=options.window,
                                 newest=options.newest, decode=not options.raw and not options.save, security=security)
        if receiver.port:
            print(f"listening on port {receiver.port}", file=sys.stderr, flush=True)
        while True:
            failed: StreamError | None = None
            had = count, receiver.undecodable
            frames = iter(receiver)  # kept, so that it is told why the loop was left
            try:
                for frame in frames:
                    count += 1
                    if options.save:
                        with open(os.path.join(options.save, f"{count:08}.jpg"), "wb") as file:
                            file.write(frame.jpeg)
                    milliseconds = None if frame.latency is None else round(frame.latency * 1e3, 3)
                    words = dict(stream=frame.stream, sequence=frame.sequence, source_sequence=frame.source_sequence,
                                 bytes=len(frame.jpeg), width=frame.width, height=frame.height, latency_ms=milliseconds)
                    text = " ".join(f"{key}={printable(str(words[key]))}" for key in words)
                    print(json.dumps(words) if options.json else text, flush=True)
                    if count == options.frames:
                        return 0
            except StreamError as error:
                failed = error
                if options.listen or str(error) != before:
                    LOG.write(error)
            except KeyboardInterrupt:
                receiver.fail("receiver stopped", STOPPED)
                raise
            except OSError as error:
                receiver.fail(str(error))
                raise
            finally:
                frames.close()
            before = str(failed)
            # What brings neither a picture nor a goodbye, such as a port scanner's connection, is no stream.
            is_stray = options.listen and failed and had == (count, receiver.undecodable) and not isinstance(
                failed, (SenderFailed, Unsupported))
            if options.once and not is_stray or options.connect and not isinstance(failed, ConnectionLost):
                return 1 if failed or none_was_shown(count, receiver) else 0
            if options.connect:
                time.sleep(1)  # and connects again
    except KeyboardInterrupt:
        return 1 if receiver and none_was_shown(count, receiver) else 0
    except (StreamError, OSError, ValueError) as error:
        print(f"receive.py: {printable(str(error), 1000)}", file=sys.stderr)
        return 1
    finally:
        LOG.flush()


if __name__ == "__main__":
    result = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(result)  # a signal that comes where Python ends would print a traceback
