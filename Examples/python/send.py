#!/usr/bin/env python3
"""Sends pictures by FrameStreaming's binary protocol, version 1 (Docs/WireProtocol.md). Python 3.9 or later.

    from send import FrameSender, encode
    sender = FrameSender(connect="receiver:5600", stream="front")
    sender.send(encode(image), time.monotonic_ns())         # waits for credit; image: BGR, as OpenCV has it
    sender.close()                                          # waits until all are acknowledged

Nothing is sent without the receiver's credit. A broken connection is made again, and every frame that was not
acknowledged is sent again. JPEGs need the standard library alone; videos, cameras, addresses of streams and other
pictures need OpenCV and numpy.
"""
from __future__ import annotations
import argparse, collections, importlib.util, os, re, secrets, selectors, signal, socket, stat, struct, sys, threading, time, typing

HELLO, WELCOME, REJECT, FRAME, ACK, PING, PONG, BYE, BYE_ACK, SOURCE_LOST, SOURCE_RESTORED, REQUEST = range(0x81, 0x8D)
HEADERS = dict(zip(range(0x81, 0x8D), (72, 72, 4, 76, 56, 16, 32, 4, 8, 0, 0, 8)))  # bytes in version 1
COMPLETE, STOPPED, FAILED = range(3)  # what BYE says; a code of a later version is COMPLETE
MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
CONSUMED, SKIPPED, UNDECODABLE, REFUSED = 1, 2, 3, 4  # outcomes
TLS_RECORDS = b"\x15\x03", b"\x16\x03"
ENCRYPTS = "the peer encrypts its connections by TLS, and this side does not: give it the peer's key, or a certificate, as well"
HELLO_FIELDS, FRAME_FIELDS = ">4sHHB3xIIIQQQq16s", ">QQqqqqIII4s6B2xI"


class StreamError(Exception):
    """The stream is over, and not in good order. `code` is that of REJECT, where there is one."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class ConnectionLost(StreamError):
    """The connection broke, or could not be made: another attempt may succeed."""


class ReceiverEnded(StreamError):
    """The receiver said BYE: it wants no more, or it failed, then `code` is FAILED."""


Hello = collections.namedtuple(  # HELLO or WELCOME, field by field
    "Hello", "magic version lowest role optional critical largest session consumed credit realtime_offset boot")


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

    def say_hello(self, kind: int, session: int, consumed: int, stream: str) -> None:
        name = stream.encode()[:255].decode(errors="ignore").encode()
        offset = time.time_ns() - time.monotonic_ns()
        self.write(kind, struct.pack(HELLO_FIELDS, b"FSTR", 1, 1, 1, 0, 0, 0, session, consumed, 0, offset, boot_id()),
                   struct.pack(">H", len(name)) + name + bytes(2))

    def hear_hello(self, kind: int) -> Hello:
        """HELLO or WELCOME from a receiver of JPEGs. Errors have the code that REJECT is to have, or had."""
        message = self.read(seconds=5)
        if message is None:
            raise ConnectionLost("the connection ended before the handshake")
        if kind == WELCOME and message[0] == REJECT:
            code, = struct.unpack_from(">H", message[1])
            error = ConnectionLost if code == 1 else StreamError  # 1: busy
            raise error(f"the receiver rejects us: {printable(message[2])}", code)
        if message[0] != kind or message[1][:4] != b"FSTR":
            raise StreamError("no handshake of the binary protocol", 5)
        hello, payload = Hello(*struct.unpack_from(HELLO_FIELDS, message[1])), message[2]
        if not hello.lowest <= 1 <= hello.version or kind == WELCOME and hello.version != 1:
            raise StreamError(f"the peer speaks versions {hello.lowest} to {hello.version}, this program version 1", 2)
        if hello.role != 2:
            raise StreamError("the peer does not receive frames, and this program only sends", 3)
        if hello.critical:
            raise StreamError("the peer asks for what version 1 does not have", 4)
        name = int.from_bytes(payload[:2], "big")
        count = int.from_bytes(payload[2 + name:4 + name], "big")
        formats = [payload[at:at + 4] for at in range(4 + name, 4 + name + 4 * count, 4)]
        if name > 255 or count > 256 or len(payload) < 4 + name + 4 * count or not hello.credit:
            raise StreamError("the fields of the handshake do not agree", 5)
        if formats and b"JPEG" not in formats:
            raise StreamError("the receiver does not take JPEGs, and this program sends nothing else", 0)
        return hello


class Condition(threading.Condition):
    """One that Ctrl-C leaves in order: Python's own may be interrupted where it has given its lock back, and then has none to release."""

    def wait(self, timeout: float | None = None) -> bool:
        try:
            return super().wait(timeout)
        finally:
            if not self._is_owned():
                self.acquire()


class FrameSender:
    """JPEGs to one receiver after another.

    connect, listen: HOST:PORT, one of the two. window: frames that may be under way, if the receiver grants so many.
    reconnect: a connection that breaks, or cannot be made yet, is made again, else it is a ConnectionLost, and so is one
    whose receiver was stopped, for it may be started again; any other BYE from the receiver is a ReceiverEnded, after which `send` goes on with the next receiver. reliable: a later connection gets again
    what was not acknowledged. security: a `Security` of security.py, for encrypted connections. `send` and `close` are for one thread.
    """

    def __init__(self, *, connect: str | None = None, listen: str | None = None, stream: str = "", window: int = 4,
                 reliable: bool = True, reconnect: bool = True, security: typing.Any = None) -> None:
        if (listen is None) == (connect is None) or window < 1:
            raise ValueError("either listen or connect, and a window of at least 1")
        self._address, self._stream = host_and_port(listen or connect), stream
        self._listener, self.port, self._security = None, None, security
        if security:
            security.check("sender", stream, listen is not None)
        if listen is not None:
            family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
            self._listener = socket.create_server(self._address, family=family)
            self.port = self._listener.getsockname()[1]  # of a listener for port 0, too
        self._shifts: dict[int, int] = {}  # of each session, frames that the receiver's own count lacks
        self._window, self._reliable, self._reconnect = window, reliable, reconnect
        self._session = secrets.randbits(63) + 1
        self._pending: collections.deque = collections.deque()  # frames without ACK; the first _under_way were sent
        self._changed, self._link, self._thread, self._reason = Condition(), None, None, ""
        self._failure: StreamError | None = None
        self.acknowledged = self.undecodable = 0  # frames, and those of them that the receiver could not decode, or refused
        self._under_way = self._sent = self._credit = self._largest = 0  # of this connection
        self.skipped = 0  # pictures to be told with the next frame as left out

    def ready(self) -> None:
        """Waits until a frame may be sent: the time to take the newest picture there is."""
        self._until(lambda: len(self._pending) < self._window and self._sent < self._credit)

    def send(self, jpeg: bytes, capture_time: int | None = None, *, number: int = 0, quality: int = 0,
             encode_time: int = -1, credit_wait: int = -1) -> None:
        """Sends a JPEG, when there is credit. Times: ns, the capture's of time.monotonic_ns(). number: the source's own."""
        frame = (number, capture_time or 0, -1, encode_time, credit_wait, self.skipped, *jpeg_size(jpeg), b"JPEG",
                 capture_time is not None, 0, quality, 2, 0, 1, 0), jpeg  # full range, BT.601
        self._pending.append(frame)
        self.skipped = 0
        self._until(lambda: self._under_way == len(self._pending))

    def close(self, reason: str = "end of the pictures", wait: bool = True, code: int = COMPLETE) -> None:
        """Waits until all are acknowledged, unless told otherwise, and says BYE."""
        if wait and self._pending:
            self._until(lambda: not self._pending)
        self._hang_up(reason, code)

    @property
    def pending(self) -> int:
        """Frames that were given to `send` and are not acknowledged."""
        return len(self._pending)

    def _due(self) -> bool:
        return self._under_way < min(len(self._pending), self._window) and self._sent < self._credit

    def _until(self, holds: typing.Callable[[], bool]) -> None:
        """Keeps a connection and sends what is due, until nothing is and the condition holds."""
        while True:
            try:
                if not self._link:
                    self._open()
                with self._changed:
                    self._changed.wait_for(lambda: self._failure or self._due() or holds())
                    if self._failure:
                        raise self._failure
                    if not self._due():
                        return
                    fields, jpeg = self._pending[self._under_way]
                    self._under_way, self._sent = self._under_way + 1, self._sent + 1
                if len(jpeg) > self._largest:
                    raise StreamError(f"a picture of {len(jpeg)} bytes; {self._largest} are the limit: lower --quality")
                header = struct.pack(FRAME_FIELDS, self._sent, *fields[:2], time.monotonic_ns(), *fields[3:])
                self._link.write(FRAME, header, jpeg)
            except (ConnectionLost, OSError) as error:
                self._hang_up()
                if isinstance(self._failure, ReceiverEnded):
                    raise self._failure from None
                if not self._reconnect:
                    raise ConnectionLost(str(error)) from error
                if str(error) != self._reason:
                    LOG.write(f"{error}; trying again")
                self._reason = str(error)
                if not self._listener:
                    time.sleep(0.5)
            except StreamError:
                self._hang_up()
                raise

    def _open(self) -> None:
        """Connects, and finds out which of the frames the receiver has already."""
        if self._listener:
            self._listener.settimeout(None)
            link = Link(self._listener.accept()[0])
            self._listener.settimeout(0)
            if self._security:
                try:
                    link.secure(self._security, None)
                except (OSError, StreamError) as error:
                    link.close()  # a stranger is told nothing
                    raise ConnectionLost(str(error)) from error
            try:
                peer = link.hear_hello(HELLO)
                if objection := link.objection("receiver", self._stream):
                    raise StreamError(objection, 7)
                if peer.session not in self._shifts:  # not one that was given out here
                    peer = peer._replace(session=secrets.randbits(63) + 1, consumed=0)
                link.say_hello(WELCOME, peer.session, peer.consumed, self._stream)
            except (OSError, StreamError) as error:
                link.refuse(getattr(error, "code", None) or 0, str(error))
                raise ConnectionLost(str(error)) from error  # the next one may be better
        else:
            link = connected(self._address, "receiver", self._security)
            try:
                link.say_hello(HELLO, self._session, 0, self._stream)
                peer = link.hear_hello(WELCOME)
                peer = peer._replace(session=self._session)
            except (OSError, StreamError):
                link.close()
                raise
        consumed = peer.consumed + self._shifts.setdefault(peer.session, self.acknowledged - peer.consumed)
        if not self.acknowledged <= consumed <= self.acknowledged + len(self._pending):
            # Another receiver, one that forgot, or one that others had a turn after: it gets what has no ACK.
            self._shifts[peer.session], consumed = self.acknowledged - peer.consumed, self.acknowledged
        while self.acknowledged < consumed:
            self._pending.popleft()
            self.acknowledged += 1
        if not self._reliable:
            self._pending.clear()
        self._under_way = self._sent = 0
        self._credit, self._largest, self._failure, self._closing = peer.credit, peer.largest, None, False
        self._link, self._reason = link, ""
        self._thread = threading.Thread(target=self._read, args=(link,), daemon=True)
        self._thread.start()

    def _read(self, link: Link) -> None:
        acknowledged, failure = 0, None
        try:
            while not failure:
                if self._listener:
                    turn_away(self._listener, self._security)
                if not link.readable(0.5):
                    continue
                message, now = link.read(), time.monotonic_ns()
                if message is None:
                    raise ConnectionLost("the receiver's connection ended without BYE")
                kind, header, payload = message
                if kind == ACK:
                    sequence, _, credit = struct.unpack_from(">QQQ", header)
                    with self._changed:
                        if sequence != acknowledged + 1 or sequence > self._sent or credit < self._credit:
                            raise StreamError(f"ACK {sequence} with credit {credit} after {acknowledged}, {self._credit}")
                        acknowledged, self._credit = sequence, credit
                        self.undecodable += header[52] in (UNDECODABLE, REFUSED)
                        self._pending.popleft()
                        self._under_way, self.acknowledged = self._under_way - 1, self.acknowledged + 1
                        self._changed.notify_all()
                elif kind == PING:
                    link.write(PONG, header[:16] + struct.pack(">qq", now, time.monotonic_ns()))
                elif kind == BYE:
                    link.write(BYE_ACK, bytes(8))
                    code, words = int.from_bytes(header[:2], "big"), printable(payload)
                    failure = (ConnectionLost(f"the receiver was stopped: {words}") if code == STOPPED else
                               ReceiverEnded(f"the receiver failed: {words}", FAILED) if code == FAILED else
                               ReceiverEnded(f"the receiver ended: {words}", COMPLETE))
                elif kind == BYE_ACK and self._closing:
                    failure = ReceiverEnded("done")
                elif kind in HEADERS and kind not in (PONG, REQUEST):
                    raise StreamError(f"message {kind:#x} has no place here")
        except OSError as error:
            failure = ConnectionLost(f"the connection broke: {error}")
        except StreamError as error:
            failure = error
        with self._changed:
            self._failure = failure
            self._changed.notify_all()

    def _hang_up(self, reason: str | None = None, code: int = COMPLETE) -> None:
        """With BYE, where there is a reason. Shuts down writing, reads to the end for at most 2 s, and closes."""
        link, self._link = self._link, None
        if not link:
            return
        try:
            if reason is not None:
                self._closing = True
                link.write(BYE, struct.pack(">HH", code, 0), reason.encode()[:1024])
                with self._changed:
                    self._changed.wait_for(lambda: self._failure, 0.5 if code == STOPPED else 2)
            if not self._thread.is_alive():
                link.drain(2)
            link.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is broken or over
        self._thread.join()
        link.close()


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
        link.refuse(1, "one receiver at a time")
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


LOG = Log("send.py")


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


def jpeg_size(jpeg: bytes) -> tuple[int, int]:
    """Width and height in pixels, as the JPEG itself has them."""
    at = 2
    while jpeg[:2] == b"\xff\xd8" and at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        if 0xC0 <= jpeg[at + 1] <= 0xCF and jpeg[at + 1] not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", jpeg, at + 5)
            return width, height
        at += 1 if jpeg[at + 1] == 0xFF else 2 + int.from_bytes(jpeg[at + 2:at + 4], "big")
    raise StreamError("a picture is no JPEG")


def whole_jpeg(content: bytes) -> bytes:
    """The JPEG of a file, whose beginning a broken writer may have doubled; a ValueError says why it is none that is whole."""
    while content[2:4] == b"\xff\xd8":
        content = content[2:]
    try:
        if 0 in jpeg_size(content):
            raise ValueError("a JPEG without a size")
    except StreamError:
        raise ValueError("a JPEG that is cut off or damaged") from None
    at = 2
    # From marker to marker. In the data of a scan, 0xFF stands in front of a zero, or of a restart marker.
    while marker := MARKER.search(content, at):
        kind, at = content[marker.end() - 1], marker.end()
        if kind == 0xD9:
            return content
        if kind != 0x01:
            at += int.from_bytes(content[at:at + 2], "big")
    raise ValueError("a JPEG that is cut off: its end is missing")


def encode(image: typing.Any, quality: int = 80) -> bytes:
    """A JPEG of an image as OpenCV has it: numpy, height x width x 3 (BGR) or height x width (gray), uint8."""
    return opencv().imencode(".jpg", image, [opencv().IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def opencv() -> typing.Any:
    try:
        import numpy  # which OpenCV needs, and would ask for on standard output
        import cv2
        return cv2
    except Exception as error:  # a package that is broken, or built for another numpy, raises anything
        absent = [name for name in ("cv2", "numpy") if importlib.util.find_spec(name) is None]
        reason = f"without {' and '.join(absent)}" if absent else f"where they do not load ({error})"
        raise StreamError("this needs OpenCV and numpy, and runs on a Python " + reason + ": pip install opencv-python-headless "
                          "brings both; a folder of JPEGs needs neither") from None


def without_password(video: str) -> str:
    return re.sub("//[^/]*@", "//", video)


def captured(video: str) -> typing.Any:
    """OpenCV's capture of a camera's number, a file or an address such as http://camera/stream or rtsp://camera/1."""
    number = video.isdigit() and not os.path.exists(video)
    capture = opencv().VideoCapture(int(video) if number else video)
    if not capture.isOpened():
        raise StreamError(f"camera {video} does not open: is it there, and used by no other program?" if number else
                          f"{without_password(video)} does not open: is the address right, and does its server run?"
                          if "://" in video else f"{video} is no video that OpenCV can read")
    return capture


class Newest(threading.Thread):
    """The newest picture of a camera or another live source, which is read all the time."""

    def __init__(self, capture: typing.Any) -> None:
        super().__init__(daemon=True)
        self._camera, self._changed = capture, Condition()
        self._picture, self._count = None, 0
        self.start()

    def run(self) -> None:
        while self._camera.grab():
            taken = time.monotonic_ns()
            image = self._camera.retrieve()[1]
            with self._changed:
                self._count, self._picture = self._count + 1, (image, taken, self._count)
                self._changed.notify()
        with self._changed:
            self._picture = None, 0, -1
            self._changed.notify()

    def take(self) -> tuple[typing.Any, int, int]:
        """Image, time and number of a picture that was not taken before; number -1 is the camera's end."""
        with self._changed:
            self._changed.wait_for(lambda: self._picture)
            picture, self._picture = self._picture, None if self._picture[2] >= 0 else self._picture
            return picture


def in_natural_order(names: typing.Iterable[str]) -> list[str]:
    """1, 2, 10, as people count, and not 1, 10, 2."""
    def key(name: str) -> tuple[list[tuple[int, int, str]], str]:
        parts = re.split("([0-9]+)", name.casefold())
        return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part], name
    return sorted(names, key=key)


def read_picture(path: str) -> typing.Any:
    """A file's JPEG as it is, or another picture as an image; a ValueError says why it is neither."""
    try:
        if not os.path.isfile(path):
            raise ValueError("not a file")
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise ValueError(error.strerror) from None
    if content[:2] == b"\xff\xd8":
        return whole_jpeg(content)
    kinds = {b"\x89PNG": "PNG", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"RIFF": "WebP"}
    kind = next((kinds[start] for start in kinds if content.startswith(start)), None)
    if kind is None or kind == "WebP" and content[8:12] != b"WEBP":
        raise ValueError("no picture" if content else "empty")
    try:
        cv2 = opencv()
    except StreamError as error:
        raise ValueError(f"a {kind}: {error}") from None
    import numpy
    try:
        image = cv2.imdecode(numpy.frombuffer(content, "uint8"), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise ValueError(f"a {kind} that OpenCV does not read")
    return image


def of_folder(folder: str, tell: bool) -> typing.Iterator[typing.Any]:
    """The pictures of a folder in natural order. What is none is skipped and, with `tell`, reported; hidden files are not."""
    for name in in_natural_order(name for name in os.listdir(folder) if not name.startswith(".")):
        try:
            picture = read_picture(os.path.join(folder, name))
        except ValueError as error:
            if tell:
                LOG.write(f"{name} is skipped: {error}")
            continue
        yield picture


def of_video(capture: typing.Any) -> typing.Iterator[typing.Any]:
    while (read := capture.read())[0]:
        yield read[1]


def is_kind(path: str, kind: typing.Callable[[int], bool]) -> bool:
    return os.path.exists(path) and kind(os.stat(path).st_mode)


def pictures(video: str, capture: typing.Any, fps: float | None, loop: bool) -> typing.Iterator[typing.Any]:
    """The file's or folder's, each when it is due: JPEGs as bytes, others as images. `capture`: None for a folder."""
    due, first = time.monotonic(), True
    while first or loop:
        empty = True
        # A pipe has its own pace, whatever its header says.
        own = 0 if is_kind(video, stat.S_ISFIFO) else capture and capture.get(opencv().CAP_PROP_FPS) or 30
        rate = fps if fps is not None else own
        for picture in of_video(capture) if capture else of_folder(video, tell=first):
            time.sleep(max(0.0, due - time.monotonic()))
            due, empty = max(due + 1 / rate, time.monotonic()) if rate > 0 else due, False
            yield picture
        if empty:
            raise StreamError(f"{without_password(video)} has no pictures")
        capture, first = capture and loop and captured(video), False


def none_was_shown(sender: FrameSender) -> bool:
    """Whether the receiver could decode none of the pictures, which is a failure however the program ends."""
    if not sender.acknowledged or sender.undecodable < sender.acknowledged:
        return False
    LOG.write(f"none of {sender.acknowledged} pictures could be decoded by the receiver")
    return True


def main() -> int:
    parser = Parser(description="Sends pictures, by FrameStreaming's binary protocol.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--to", type=address, metavar="HOST:PORT", help="connect to a receiver that listens, now or later")
    where.add_argument("--listen", type=address, metavar="[HOST:]PORT",
                       help="wait for receivers; loopback without a host")
    parser.add_argument("video", metavar="VIDEO", help="a video, a folder of pictures, the number of a camera, or an address "
                        "that OpenCV opens, such as http://camera/stream or rtsp://camera/1")
    parser.add_argument("--quality", type=within(int, 1, 100), default=80, metavar="N", help="JPEG quality, 1 to 100 (80)")
    parser.add_argument("--fps", type=within(float, 0), metavar="N", help="pictures a second; 0: at once (the video's own, else 30)")
    parser.add_argument("--loop", action="store_true", help="begin again at the end")
    parser.add_argument("--stream", default=socket.gethostname(), metavar="NAME",
                        help="the stream's name, which the receiver shows; empty: none (the name of this machine)")
    parser.add_argument("--window", type=within(int, 1), metavar="N", help="frames that may be under way (a camera's 2, else 4)")
    parser.add_argument("--no-reconnect", action="store_true", help="end when the connection breaks or cannot be made")
    add_security(parser)
    options = parser.parse_args()
    Interruption("send.py")
    is_folder, before, sender, status = os.path.isdir(options.video), -1, None, 0
    try:
        security = security_of(options, parser, options.to)
        if not ("://" in options.video or options.video.isdigit() or os.path.exists(options.video)):
            raise StreamError(f"there is no {options.video}")
        capture = None if is_folder else captured(options.video)
        # An address may be a film, which has an end, and of which every picture counts.
        live = capture and (is_kind(options.video, stat.S_ISCHR) or not os.path.exists(options.video) and (
            "://" not in options.video or not capture.get(opencv().CAP_PROP_FRAME_COUNT) > 0))
        sender = FrameSender(connect=options.to, listen=options.listen, stream=options.stream, reliable=not live,
                             window=options.window or (2 if live else 4), reconnect=not options.no_reconnect, security=security)
        if sender.port:
            print(f"listening on port {sender.port}", file=sys.stderr, flush=True)
        camera = Newest(capture) if live else None
        source = pictures(options.video, capture, options.fps, options.loop)
        while True:
            try:
                if camera:
                    sender.ready()  # and only then the newest
                    picture, taken, number = camera.take()
                    sender.skipped += max(0, number - before - 1)
                else:
                    picture, number = next(source, None), before + 1
                    taken = time.monotonic_ns()
                if picture is None:
                    if before < 0:
                        raise StreamError(f"{without_password(options.video)} ended before its first picture")
                    sender.close()
                    break
                before, began = number, time.monotonic_ns()
                jpeg = picture if isinstance(picture, bytes) else encode(picture, options.quality)
                sender.send(jpeg, taken, number=number, quality=0 if isinstance(picture, bytes) else options.quality,
                            encode_time=time.monotonic_ns() - began)
            except ReceiverEnded as error:
                LOG.write(error)
                if options.to:
                    # Whoever has everything may leave before the end is known here.
                    has_end = not live and not options.loop
                    if error.code == FAILED or has_end and (sender.pending or next(source, None) is not None):
                        LOG.write("not all pictures were delivered")
                        status = 1
                    break
        print(f"sent {sender.acknowledged}")
        if before >= 0 and not sender.acknowledged and not status:
            LOG.write("no picture was delivered: see to the receiver")
            status = 1
        return 1 if none_was_shown(sender) else status
    except KeyboardInterrupt:
        if sender:
            sender.close("interrupted", wait=False, code=STOPPED)
        return 1 if sender and none_was_shown(sender) else 0
    except (StreamError, OSError, ValueError) as error:
        print(f"send.py: {printable(str(error), 1000)}", file=sys.stderr)
        if sender:
            sender.close(f"the sender failed: {error}", wait=False, code=FAILED)
        return 1
    finally:
        LOG.flush()


if __name__ == "__main__":
    result = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(result)  # OpenCV may still wait for a camera's picture, and aborts the program where Python ends around it
