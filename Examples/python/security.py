"""TLS 1.3 for send.py and receive.py, by keys of frame-key or by certificates (Docs/Security.md).

    from security import Security
    FrameReceiver(listen="0.0.0.0:5600", security=Security(key_files=["camera.key"]))

Certificates need Python 3.9 or later, keys 3.13. Both sides prove themselves before anything is sent or shown; whoever
does not is refused.
"""
from __future__ import annotations
import argparse, base64, binascii, dataclasses, os, re, resource, selectors, signal, socket, ssl, stat, sys, threading, time, typing

FIRST_LINE = b"frame-streaming-key 1"
HANDSHAKE_SECONDS = 5
MOST_SILENT = 256 << 10  # bytes without data; a record has 16 KiB, a message of TLS itself less
PLAIN_REFUSAL = b"\x15\x03\x03\0\2\2\x46"  # the alert protocol_version, for a peer that does not encrypt
CREDENTIALS = re.compile(  # alerts by which a peer says that it does not accept this side
    "ALERT_(.*CERTIFICATE.*|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR|INSUFFICIENT_SECURITY|UNKNOWN_PSK_IDENTITY)$")


@dataclasses.dataclass(frozen=True)
class Key:
    """A key that both sides have. The limits are those of the side that connects; None: either role, all streams."""
    identity: str
    secret: bytes = dataclasses.field(repr=False)
    role: str | None = None
    streams: tuple[str, ...] | None = None

    def objection(self, role: str, stream: str) -> str | None:
        """Why its holder may not do this as a `role` (sender, receiver); None: it may."""
        if self.role not in (None, role):
            return f"the key of {self.identity} is for a {self.role} only: use another key, or change the role in its file"
        if self.streams is not None and stream not in self.streams:
            other = f"not {stream}" if stream else "and this one has no name"
            return (f"the key of {self.identity} is for the streams {', '.join(self.streams)} only, {other}: use another name or "
                    "key, or change the streams in its file")
        return None


class Security:
    """The credentials of one side: keys, or certificates. A side that connects has one key.

    key_files: files of frame-key. certificate, private_key: this side's own, in PEM. authorities: who must have signed the
    peers'; a side that listens without them lets everybody in, one that connects takes the system's. What cannot be used is
    a ValueError or an OSError, which has no secret in it.
    """

    def __init__(self, *, key_files: typing.Sequence[str] = (), certificate: str | None = None, private_key: str | None = None,
                 authorities: str | None = None) -> None:
        self._files, self._certificate, self._private_key = list(key_files), certificate, private_key
        self._authorities, self._keys = authorities, {}
        if bool(key_files) == bool(certificate or private_key or authorities):
            raise ValueError("either keys or certificates")
        if bool(certificate) != bool(private_key):
            raise ValueError("a certificate and its private key belong together")
        if key_files and not hasattr(ssl.SSLContext, "set_psk_client_callback"):
            raise ValueError("keys need Python 3.13 or later, and this one is " + ".".join(map(str, sys.version_info[:2])) +
                             ": run it by a later one, or use certificates, which any Python here can")
        self.reload()

    def reload(self) -> None:
        """Reads the files again, for new connections. Where one cannot be used, everything stays as it was."""
        keys: dict[str, Key] = {}
        for key in map(read_key, self._files):
            if keys.setdefault(key.identity, key) is not key:
                raise ValueError(f"two keys have the identity {key.identity}: make one of them anew, with another identity")
        contexts = [self._context(listens, keys) for listens in (False, True)] if not keys else [None, None]
        self._keys, self._contexts = keys, contexts

    def check(self, role: str, stream: str, listens: bool) -> None:
        """A ValueError where there is no credential for this use. stream: this side's own name for it."""
        if listens:
            if not self._keys and not self._certificate:
                raise ValueError("a side that listens needs a certificate and its private key")
            return
        if self._keys:
            if len(self._keys) != 1:
                raise ValueError(f"a side that connects needs exactly one key, and not {len(self._keys)}")
            key, = self._keys.values()
            # A receiver does not know yet what the sender calls its stream.
            objection = (key if role == "sender" else dataclasses.replace(key, streams=None)).objection(role, stream)
            if objection:
                raise ValueError(objection)

    def begin(self, connection: socket.socket, host: str | None, refused: type[Exception]) -> SecuredSocket:
        """Encrypts a connection; `refused` is raised for a peer that is not what it must be, an OSError for one that is gone.

        host: whom this side connected to; None: the peer connected to this side.
        """
        named: list[str] = []
        keys = self._keys
        context = self._context(host is None, keys, named) if keys else self._contexts[host is None]
        secured = SecuredSocket(connection, context, host, bool(keys), refused)
        secured.shake_hands(HANDSHAKE_SECONDS)
        if keys and (not secured.used_key or host is None and (not named or named[-1] not in keys)):
            raise refused("the peer has not used a key that this side knows")
        secured.key = keys.get(named[-1]) if keys and host is None else None
        return secured

    def _context(self, listens: bool, keys: dict[str, Key], named: list[str] | None = None) -> ssl.SSLContext | None:
        """Of one connection with keys, because it notes in `named` whom the peer says to be; of all with certificates."""
        if listens and not keys and not self._certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if listens else ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if listens:
            context.num_tickets = 0
        if keys:
            # A peer that comes with a certificate instead of the key is refused: there are no authorities.
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE if listens else ssl.CERT_REQUIRED
            if listens:
                def find(identity: str | None) -> bytes:
                    named.append(identity or "")
                    return keys[identity].secret if identity in keys else b""
                context.set_psk_server_callback(find)
            else:
                key, = keys.values()
                context.set_psk_client_callback(lambda hint: (key.identity, key.secret))
            return context
        if self._certificate:
            os.close(private_file(self._private_key, 1 << 20)[0])
            loading = self._certificate, self._private_key, lambda: b""  # a password is not asked for
            attempt(f"{self._certificate} and {self._private_key}", "a certificate and its private key", context.load_cert_chain, *loading)
        if self._authorities:
            attempt(self._authorities, "certificates", lambda: os.close(private_file(self._authorities, 16 << 20, secret=False)[0]))
            attempt(self._authorities, "certificates", context.load_verify_locations, self._authorities)
            context.verify_mode = ssl.CERT_REQUIRED
        elif not listens:
            context.load_default_certs()
        if not listens:
            context.hostname_checks_common_name = False
        return context


def of_options(options: argparse.Namespace, program: str, printable: typing.Callable[[str, int], str]) -> Security:
    """The credentials that a program's options name. SIGHUP reads them again."""
    result = Security(key_files=options.key_file, certificate=options.tls_cert, private_key=options.tls_key, authorities=options.tls_ca)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would have the keys in it

    def reload(number: int, _: object) -> None:
        try:
            result.reload()
            said = "the keys were read again: new connections use them"
        except (OSError, ValueError) as error:
            said = f"{printable(str(error), 1000)}: the keys of before stay in use"
        os.write(2, f"{program}: {said}\n".encode())  # not by print, in which the signal may have come
    signal.signal(signal.SIGHUP, reload)
    return result


class SecuredSocket:
    """A socket whose bytes are encrypted, with what send.py and receive.py use of a socket. One thread reads; any may write.

    OpenSSL's session is for one thread at a time, and here it never waits: it reads and writes memory, and the waiting is
    done on the socket, without the lock.
    """

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, host: str | None, has_keys: bool,
                 refused: type[Exception]) -> None:
        self._socket, self._listens, self._has_keys, self._refused = connection, host is None, has_keys, refused
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=host is None,
                                     server_hostname=None if has_keys else host)
        self._session, self._sending = threading.Lock(), threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ)
        self._plain, self._ended, self._is_silent = bytearray(), False, False
        self._silent = 0  # bytes in a row that brought no data
        self.key: Key | None = None  # of the peer that connected to this side

    @property
    def used_key(self) -> bool:
        return self._tls.session_reused  # a pre-shared key counts as a session that is resumed

    def shake_hands(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        self._socket.settimeout(seconds)
        while True:
            failure, done = None, False
            try:
                self._tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                failure = error
            reply = self._outgoing.read()
            if failure and self._listens and failure.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST"):
                reply = PLAIN_REFUSAL
            try:
                self._socket.sendall(reply)
            except OSError:
                pass  # what it said before it left is read below
            if failure:
                self._dismiss()
                raise self._refused(self._words(failure)) from None
            if done:
                break
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError("no TLS handshake in time: see that the peer has a key or certificates, too")
            try:
                data = self._socket.recv(1 << 16)
            except ConnectionError:
                data = b""  # it was reset, which says as little as an end
            if not data:
                raise ConnectionError("the peer ended the connection during the TLS handshake: see that it has a key or "
                                      "certificates, too, or it is busy or has ended")
            self._incoming.write(data)
        self._decrypt()  # what came with the peer's last message of the handshake

    def readable(self, seconds: float) -> bool:
        """Whether `recv` returns at once, after waiting so long for that."""
        deadline = time.monotonic() + seconds
        while not self._plain and not self._ended:
            # Also while the peer sends encrypted bytes without data.
            left = deadline - time.monotonic()
            if left < 0 and self._silent or not self._selector.select(max(0.0, left)):
                return False
            data = self._socket.recv(1 << 16)
            if not data:
                self._ended = True  # the protocol has a goodbye of its own, so an end without TLS's is none
                break
            self._incoming.write(data)
            self._decrypt()
            self._silent = 0 if self._plain else self._silent + len(data)
            if self._silent > MOST_SILENT:
                raise ConnectionError("the peer sends encrypted messages without data: see what it is")
        return True

    def recv(self, count: int) -> bytes:
        if not self.readable(self._socket.gettimeout() or 0):
            raise TimeoutError("nothing arrived in time")
        data = bytes(self._plain[:count])
        del self._plain[:count]
        return data

    def sendall(self, data: bytes) -> None:
        with self._sending:
            rest = memoryview(data)
            while rest:
                with self._session:
                    rest = rest[self._tls.write(rest):]
                    encrypted = self._outgoing.read()
                self._socket.sendall(encrypted)

    def shutdown(self, how: int) -> None:
        """Shuts the socket down, after TLS's own end where that can be sent at once."""
        if how != socket.SHUT_RD and self._sending.acquire(blocking=False):
            try:
                with self._session:
                    if not self._is_silent:
                        self._is_silent = True
                        try:
                            self._tls.unwrap()
                        except (ssl.SSLError, OSError, ValueError):
                            pass  # it wants the peer's end, which is not waited for
                    ending = self._outgoing.read()
                self._socket.send(ending, socket.MSG_DONTWAIT)
            except OSError:
                pass  # it is full or broken
            finally:
                self._sending.release()
        self._socket.shutdown(how)

    def settimeout(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def close(self) -> None:
        self._selector.close()
        self._socket.close()

    def _decrypt(self) -> None:
        with self._session:
            try:
                while not self._ended:
                    data = self._tls.read(1 << 16)
                    self._plain += data
                    self._ended = not data
            except ssl.SSLWantReadError:
                pass
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                self._ended = True
            except ssl.SSLError as error:
                # A listener looks at a certificate only when this side's handshake is over.
                if CREDENTIALS.search(error.reason or ""):
                    raise self._refused(self._words(error)) from None
                raise ConnectionError(f"the connection's encryption broke ({plain_words(error)}): bytes were changed on the way, "
                                      "or the peer is faulty") from None

    def _dismiss(self) -> None:
        """Reads what has arrived: to close with it unread would take back the alert that tells the peer why."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + 0.25
            while self._selector.select(max(0.0, deadline - time.monotonic())) and self._socket.recv(1 << 16):
                pass
        except OSError:
            pass

    def _words(self, error: ssl.SSLError) -> str:
        reason, words = error.reason or "", plain_words(error)
        if isinstance(error, ssl.SSLCertVerificationError) and not self._has_keys:
            return (f"the peer's certificate is not accepted ({error.verify_message}): check its dates, its name and who signed it")
        if reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
            return "the peer has no certificate, and this side asks for one: give it one"
        if reason == "BINDER_DOES_NOT_VERIFY":
            return "the peer has another key than this side for its identity: copy the key file again, and reload it"
        if reason in ("NO_SHARED_CIPHER", "NO_SUITABLE_SIGNATURE_ALGORITHM", "BAD_PSK", "BAD_PSK_IDENTITY", "BAD_EXTENSION"):
            return "the peer has no key that this side knows: give both sides the same key file"
        if reason in ("UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW") or reason.endswith("ALERT_PROTOCOL_VERSION"):
            return "the peer speaks an older TLS, or none, and this side 1.3: update it, or give it a key as well"
        if reason in ("HTTP_REQUEST", "HTTPS_PROXY_REQUEST"):
            return "the peer speaks HTTP, like a browser or curl, and this port takes pictures"
        if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
            return ("the peer does not encrypt, and this side does: give it a key of this side" if self._listens else
                    "the program there does not encrypt its connections: give it a key as well, or check the host and the port")
        if CREDENTIALS.search(reason) or reason.endswith(("ALERT_HANDSHAKE_FAILURE", "ALERT_ILLEGAL_PARAMETER")):
            return (f"the peer does not accept this side's key or certificate ({words}): check its dates, and that the peer "
                    "knows it")
        return f"the peer broke the TLS handshake ({words}): check what it is"


def plain_words(error: ssl.SSLError) -> str:
    return (error.reason or "no reason").lower().replace("_", " ")


def attempt(path: str, what: str, load: typing.Callable[..., typing.Any], *words: typing.Any) -> None:
    try:
        load(*words)
    except (ssl.SSLError, OSError) as error:
        reason = plain_words(error) if isinstance(error, ssl.SSLError) else error.strerror or "no reason"
        raise ValueError(f"{path}: no usable {what} in PEM ({reason})") from None


def private_file(path: str, most: int, secret: bool = True) -> tuple[int, int]:
    """A descriptor and the size of a file that only its owner may use; of one that is no secret, that only its owner may change."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    details = os.fstat(file)
    reason = None
    if not stat.S_ISREG(details.st_mode):
        reason = "it is no regular file"
    elif details.st_size > most:
        reason = f"it is too large for {'a key' if secret else 'certificates'}: {details.st_size} bytes"
    elif details.st_uid not in (os.geteuid(), 0):
        reason = "it belongs to another user, who could change it: make it this user's own"
    elif not secret and details.st_mode & 0o022:
        reason = (f"others may change this file (mode {stat.S_IMODE(details.st_mode):#o}), and with it who is trusted: take that right "
                  "away by chmod go-w")
    elif secret and details.st_mode & 0o077:
        reason = (f"others may use this secret (mode {stat.S_IMODE(details.st_mode):#o}): take their rights away by chmod 600, and "
                  "make a new key if they may have read it")
    if reason:
        os.close(file)
        raise ValueError(f"{path}: {reason}")
    return file, details.st_size


def read_key(path: str) -> Key:
    """A key file. What is wrong is said by the line's number, never by its text, which may be the key."""
    descriptor, size = private_file(path, 64 << 10)
    with open(descriptor, "rb") as file:
        content = file.read(size)
    try:
        return parse_key(content)
    except ValueError as error:
        raise ValueError(f"{path}: this is no usable key file: {error}") from None


def parse_key(content: bytes) -> Key:
    fields: dict[str, typing.Any] = {}
    is_first = True
    for number, line in enumerate(content.split(b"\n"), 1):
        line = line.strip(b" \t\r")
        if not line or line.startswith(b"#"):
            continue
        if is_first:
            if line != FIRST_LINE:
                raise ValueError(f"its first line must be '{FIRST_LINE.decode()}': make the file by frame-key generate")
            is_first = False
            continue
        name, separator, value = line.partition(b"=")
        name, value = name.strip(b" \t\r").decode(errors="replace"), value.strip(b" \t\r")
        if not separator:
            raise ValueError(f"line {number} must have the form name=value")
        if name not in ("identity", "key", "role", "streams"):
            # A limit that is passed over would permit more than the file says.
            raise ValueError(f"line {number} has an unknown name: identity, key, role and streams are known")
        if name in fields:
            raise ValueError(f"line {number} gives the same a second time")
        try:
            fields[name] = decode_secret(value) if name == "key" else value.decode()
        except (ValueError, binascii.Error):
            raise ValueError(f"line {number} is not UTF-8" if name != "key" else
                             f"the key in line {number} must be 32 bytes, as 64 hexadecimal digits or 44 characters of base64"
                             ) from None
    if is_first:
        raise ValueError(f"it is empty: its first line must be '{FIRST_LINE.decode()}'")
    for name in "key", "identity":
        if name not in fields:
            raise ValueError(f"the line {name}= is missing")
    if fields.get("role") not in (None, "sender", "receiver"):
        raise ValueError("the role must be sender or receiver")
    identity = fields["identity"]
    if not 1 <= len(identity.encode()) <= 128 or not identity.isprintable() or identity != identity.strip():
        raise ValueError("a key's identity must have 1 to 128 bytes of printable text, without spaces around it")
    streams = tuple(name.strip(" \t") for name in fields["streams"].split(",")) if "streams" in fields else None
    if any(not 1 <= len(name.encode()) <= 255 or not name.isprintable() for name in streams or ()):
        raise ValueError("a stream's name in a key must have 1 to 255 bytes of printable text")
    return Key(identity, fields["key"], fields.get("role"), streams)


def decode_secret(text: bytes) -> bytes:
    if len(text) == 64 and re.fullmatch(rb"[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text.decode())
    secret = base64.b64decode(text, validate=True) if len(text) == 44 else b""
    if len(secret) != 32 or base64.b64encode(secret) != text:
        raise ValueError("no key")
    return secret
