#!/usr/bin/env python3
"""Checks the keys and certificates of Examples/python against frame-send and frame-receive, and against each other.

Needs OpenCV and numpy (run.sh makes an environment with them). The executables are those in the folder that is named, frame-key among
them. Where Python has no pre-shared keys (before 3.13), preshared.py adds them by the same functions of OpenSSL. Exits with 1 where
anything failed.
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import cv2
import numpy

from ends import HERE, PYTHON, ROOT, Program, python, swift  # it makes the next ones be found
import preshared
import receive
import tally
from tally import check

HAS_KEYS = preshared.install()
import security

COUNT, CERTIFICATES = 60, os.path.join(ROOT, "Tests/FrameStreamingTLSTests/Certificates")
SENDS, RECEIVES = ("frame-send", "send.py"), ("frame-receive", "receive.py")


def end(name, *words):
    """A program of either kind."""
    if name.endswith(".py"):
        return Program(sys.executable, os.path.join(HERE, "preshared.py"), os.path.join(PYTHON, name), *words)
    return swift(name, *words)


class Place:
    """A folder with pictures, a film of them, keys and certificates. git does not keep the mode of a private key."""

    def __init__(self, folder):
        self.folder, self.jpegs = folder, []
        os.mkdir(self.path("pictures"))
        for number in range(COUNT):
            y, x = numpy.mgrid[0:120, 0:160]
            image = numpy.dstack([x + number, y * 2, x + y]).astype("uint8")
            self.jpegs.append(cv2.imencode(".jpg", image)[1].tobytes())
            self.write(f"pictures/{number}.jpg", self.jpegs[-1])
        self.write("film.mjpg", b"".join(self.jpegs))
        for name in os.listdir(CERTIFICATES):
            shutil.copy(os.path.join(CERTIFICATES, name), self.path(name))
            os.chmod(self.path(name), 0o600)
        for name, words in {"camera": [], "camera-2": [], "door": ["--role", "sender", "--streams", "door"],
                            "viewer": ["--role", "receiver", "--streams", "door"]}.items():
            subprocess.run([os.path.join(sys.argv[1], "frame-key"), "generate", self.path(name + ".key-file"), *words], check=True,
                           stdout=subprocess.DEVNULL)
        # The identity of one with the secret of the other.
        with open(self.path("camera-2.key-file")) as file:
            self.write("false.key-file", file.read().replace("identity=camera-2", "identity=camera").encode())

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        os.chmod(self.path(name), 0o600)

    def key(self, *names):
        return [word for name in names for word in ("--key-file", self.path(name + ".key-file"))]

    def certificate(self, name, authority="authority"):
        own = ["--tls-cert", self.path(name + ".pem"), "--tls-key", self.path(name + ".key")] if name else []
        return own + (["--tls-ca", self.path(authority + ".pem")] if authority else [])

    def sender(self, name, *words):
        words = [*words, *([] if "--stream" in words else ["--stream", "door"])]
        if name == "send.py":
            return end(name, self.path("pictures"), "--fps", "0", *words)
        return end(name, "--input", self.path("film.mjpg"), "--policy", "reliable", "--pace", "maximum", *words)

    def receiver(self, name, *words):
        return end(name, *words, *(["--raw", "--json"] if name == "receive.py" else ["--record", self.path("out.mjpg"), "--overwrite"]))


def listening(make, words):
    program = make("--listen", "127.0.0.1:0", *words)
    return program, program.wait_port()


def shown(receiver):
    """How many pictures it has received, as it says itself."""
    lines = [json.loads(line) for line in receiver.out]
    if "receive.py" in str(receiver.process.args):
        return len(lines)
    return max((line["frames"] for line in lines if line["event"] == "summary" and line["scope"] == "total"), default=0)


def pairs(place):
    """Keys and certificates, each direction, and who listens, of every pair that has a Python end."""
    for sends in SENDS:
        for receives in RECEIVES:
            if not (sends.endswith(".py") or receives.endswith(".py")):
                continue
            for kind, listens, connects in (("keys", place.key("camera"), place.key("camera")),
                                            ("certificates", place.certificate("listener"), place.certificate("camera"))):
                for sender_listens in (False, True):
                    what = f"{kind}: {sends} {'listens' if sender_listens else 'connects'}, {receives}"
                    make_sender = lambda *words: place.sender(sends, *words)
                    make_receiver = lambda *words: place.receiver(receives, "--once", *words)
                    if sender_listens:
                        if sends == "frame-send":
                            listens = [*listens, "--no-reconnect"]
                        sender, port = listening(make_sender, listens)
                        receiver = make_receiver("--from", port, *connects)
                    else:
                        receiver, port = listening(make_receiver, listens)
                        sender = make_sender("--to", port, *connects)
                    receiver.finish()
                    sender.finish()
                    check(f"{what}: all pictures", shown(receiver) == COUNT, (receiver.out[-2:], receiver.err, sender.err))


def refused(program, waits):
    """A side that connects, and is not let in. A listener without encryption may just hang up, as one that is restarted does: then
    it says so, tries again, and is ended here."""
    if waits:
        program.wait_until(lambda: any("TLS handshake" in line or "does not encrypt" in line for line in program.err))
        program.process.send_signal(signal.SIGINT)
    program.finish(status=None if waits else 1)


def refusals(place):
    """What does not fit: nothing is shown, a side that connects ends with 1, and one that listens says why and goes on."""
    a_key, listener, camera = place.key("camera"), place.certificate("listener"), place.certificate("camera")
    cases = [  # what, of the side that listens, of the one that connects
        ("another secret", a_key, place.key("false")), ("an unknown identity", a_key, place.key("camera-2")),
        ("no encryption at a port with a key", a_key, []), ("a key at a port without", [], a_key),
        ("a certificate at a port with a key", a_key, camera), ("a key at a port with certificates", listener, a_key),
        ("no certificate", listener, place.certificate(None)), ("a stranger's certificate", listener, place.certificate("impostor")),
        ("an expired certificate", listener, place.certificate("expired")),
        ("a listener's expired certificate", place.certificate("expired"), camera),
        ("a listener's certificate for another host", place.certificate("elsewhere"), camera),
        ("a listener of a stranger's authority", place.certificate("impostor"), camera),
    ]
    for what, listens, connects in cases:
        for sends, receives in (("frame-send", "receive.py"), ("send.py", "frame-receive"), ("send.py", "receive.py")):
            receiver, port = listening(lambda *words: place.receiver(receives, *words), listens)
            sender = place.sender(sends, "--to", port, *connects)
            refused(sender, waits=not listens)
            if receives == "receive.py":
                receiver.wait_until(lambda: len(receiver.err) > 1)  # behind the line with its port
                check(f"{what}: receive.py says why", any(word in receiver.err[1] for word in ("peer", "handshake", "connection")), receiver.err)
            if sends == "send.py":
                check(f"{what}: send.py says why", any(word in str(sender.err) for word in ("key", "certificate", "encrypt")), sender.err)
            # It goes on: whoever has the right one is served.
            if what in ("another secret", "a stranger's certificate"):
                good = place.sender(sends, "--to", port, *(a_key if listens is a_key else camera))
                good.finish()
                check(f"{what}: the next one is served", good.process.returncode == 0, good.err)
                receiver.interrupt()
                check(f"{what}: and only that one", shown(receiver) == COUNT, receiver.out[-2:])
            else:
                receiver.process.send_signal(signal.SIGINT)
                receiver.finish(status=None)
                check(f"{what}: nothing is shown", shown(receiver) == 0, receiver.out[-2:])

        # The other way round: a receiver that connects.
        for sends, receives in (("send.py", "frame-receive"), ("frame-send", "receive.py")):
            sender, port = listening(lambda *words: place.sender(sends, *words), listens)
            receiver = place.receiver(receives, "--from", port, *connects)
            refused(receiver, waits=not listens)
            check(f"{what}: nothing is shown to {receives}", shown(receiver) == 0, receiver.out[-2:])
            sender.process.send_signal(signal.SIGINT)
            sender.finish(status=None)


def limits(place):
    """A key's role and streams hold at a listener in Python, as they do in Swift."""
    cases = [("door", "door", 0), ("door", "gate", 1), ("viewer", "door", 1)]
    for sends in SENDS:
        receiver, port = listening(lambda *words: place.receiver("receive.py", *words), place.key("door", "viewer"))
        for key, stream, status in cases:
            # The peer's own file says nothing of its limits: only the listener's counts.
            with open(place.path(key + ".key-file")) as file:
                place.write("mine.key-file", "".join(line for line in file if not line.startswith(("role", "streams"))).encode())
            sender = place.sender(sends, "--to", port, "--stream", stream, *place.key("mine"))
            sender.finish(status=status)
            check(f"{sends} with the key {key} for {stream}", status == 0 or "key of" in str(sender.err), sender.err)
        receiver.interrupt()
        check(f"{sends}: only what is permitted is shown", shown(receiver) == COUNT, receiver.out[-2:])
    for stream, status in (("door", 0), ("gate", 1)):
        sender, port = listening(lambda *words: place.sender("send.py", "--stream", stream, *words), place.key("viewer"))
        with open(place.path("viewer.key-file")) as file:
            place.write("mine.key-file", "".join(line for line in file if not line.startswith(("role", "streams"))).encode())
        receiver = place.receiver("frame-receive", "--once", "--from", port, *place.key("mine"))
        receiver.finish(status=status)
        check(f"a receiver of {stream}", shown(receiver) == (0 if status else COUNT), receiver.out[-2:])
        sender.process.send_signal(signal.SIGINT)
        sender.finish(status=None)
    own = place.sender("send.py", "--to", "127.0.0.1:9", "--stream", "gate", *place.key("door"))
    own.finish(status=1)
    check("a side that connects knows its own limits", "door only" in own.err[-1], own.err)


@contextlib.contextmanager
def relay(target, spoil, at):
    """Passes the first connection on, and `spoil`s the byte with the number `at` on the way to the listener: 'flip' or 'cut'. Yields
    its port. Later connections are left alone."""
    listener = socket.create_server(("127.0.0.1", 0))
    ends = [listener]

    def pass_on(source, sink, spoils):
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if spoils and passed <= at < passed + len(data):
                    if spoil == "cut":
                        sink.sendall(data[:at - passed])
                        break
                    data = bytearray(data)
                    data[at - passed] ^= 1
                sink.sendall(data)
                passed += len(data)
        for end in source, sink:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve():
        is_first = True
        with contextlib.suppress(OSError):
            while True:
                near = listener.accept()[0]
                far = socket.create_connection(target)
                ends.extend((near, far))
                threading.Thread(target=pass_on, args=(near, far, is_first), daemon=True).start()
                threading.Thread(target=pass_on, args=(far, near, False), daemon=True).start()
                is_first = False

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def breaks(place):
    """A cut, and a bit that is changed on the way, in the middle of the stream: every picture arrives once, as it was sent."""
    middle = sum(map(len, place.jpegs)) // 2
    for kind, listens, connects in (("keys", place.key("camera"), place.key("camera")),
                                    ("certificates", place.certificate("listener"), place.certificate("camera"))):
        credentials = security.Security(**({"key_files": [listens[1]]} if kind == "keys" else dict(
            certificate=listens[1], private_key=listens[3], authorities=listens[5])))
        for sends in SENDS:
            for spoil in "cut", "flip":
                with receive.FrameReceiver(listen="127.0.0.1:0", decode=False, security=credentials) as receiver:
                    with relay(("127.0.0.1", receiver.port), spoil, middle) as port:
                        sender, jpegs, errors = place.sender(sends, "--to", f"127.0.0.1:{port}", *connects), [], []
                        while len(jpegs) < COUNT and len(errors) < 5:
                            try:
                                for frame in receiver:
                                    jpegs.append(frame.jpeg)
                            except receive.StreamError as error:
                                errors.append(error)
                        sender.finish()
                check(f"{kind}, {sends}, {spoil}: every picture once, as it was", jpegs == place.jpegs, (len(jpegs), errors))
                check(f"{kind}, {sends}, {spoil}: it was noticed", any(isinstance(error, receive.ConnectionLost) for error in errors), errors)
        for spoil in "cut", "flip":
            receiver, port = listening(lambda *words: place.receiver("frame-receive", "--once", *words), listens)
            host, _, number = port.rpartition(":")
            with relay((host, int(number)), spoil, middle) as way:
                sender = place.sender("send.py", "--to", f"127.0.0.1:{way}", *connects)
                sender.finish()
                receiver.finish()
            with open(place.path("out.mjpg"), "rb") as file:
                recording = file.read()
            pieces = [recording.find(jpeg) for jpeg in place.jpegs]
            check(f"{kind}, send.py, frame-receive, {spoil}: every picture, in order", shown(receiver) == COUNT and pieces == sorted(pieces) and pieces[0] >= 0,
                  (receiver.out[-1:], sender.err))


def silence(place):
    """Strangers who say nothing, rubbish, or half a handshake hold the port for the handshake's time at most."""
    receiver, port = listening(lambda *words: place.receiver("receive.py", "--once", *words), place.key("camera"))
    host, _, number = port.rpartition(":")
    for opening in (b"", b"GET / HTTP/1.0\r\n\r\n", bytes.fromhex("1603010200010001fc0303") + bytes(100)):
        with socket.create_connection((host, int(number)), 60) as stranger:
            stranger.sendall(opening)
            told = stranger.recv(7)
            check(f"{opening[:8]}: is told that TLS is spoken here, or nothing", told in (b"", security.PLAIN_REFUSAL) or told[:1] == b"\x15", told)
    sender = place.sender("frame-send", "--to", port, *place.key("camera"))
    sender.finish()
    receiver.finish()
    check("and the next one is served", shown(receiver) == COUNT, receiver.err)


def files(place):
    """A secret that others may read is refused, one that is malformed is told by its line, and SIGHUP reads them again."""
    for name, words in (("camera.key-file", place.key("camera")), ("camera.key", place.certificate("camera"))):
        os.chmod(place.path(name), 0o640)
        program = place.sender("send.py", "--to", "127.0.0.1:9", *words)
        program.finish(status=1)
        check(f"{name} that others may read", "chmod 600" in program.err[-1], program.err)
        os.chmod(place.path(name), 0o600)
    words = place.certificate("camera")
    authority = words[words.index("--tls-ca") + 1]
    os.chmod(authority, 0o664)
    program = place.sender("send.py", "--to", "127.0.0.1:9", *words)
    program.finish(status=1)
    check("authorities that others may change", "chmod go-w" in program.err[-1], program.err)
    os.chmod(authority, 0o644)
    secret = "ab" * 32
    for content, words in {
        "": "it is empty", "frame-streaming-key 2\n": "first line", f"frame-streaming-key 1\nidentity=a\nkey={secret}0\n": "line 3",
        f"frame-streaming-key 1\nkey={secret}\n": "identity= is missing", f"frame-streaming-key 1\nidentity=a\nkey={secret}\nrule=sender\n": "line 4 has an unknown name",
        f"frame-streaming-key 1\nidentity=a\nkey={secret}\nkey={secret}\n": "a second time", f"frame-streaming-key 1\nidentity= \nkey={secret}\n": "identity must have",
        f"frame-streaming-key 1\n{secret}\n": "name=value",
    }.items():
        place.write("bad.key-file", content.encode())
        program = place.sender("send.py", "--to", "127.0.0.1:9", *place.key("bad"))
        program.finish(status=1)
        check(f"a key file with {content!r}", words in program.err[-1] and secret not in str(program.err), program.err)
    for text in ("q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=", secret, secret.upper()):
        check("a key in each way of writing", security.decode_secret(text.encode()) == bytes.fromhex(secret), text)
    check("a key is in no description", secret not in repr(security.Key("a", bytes.fromhex(secret))) and "\\xab" not in repr(security.Key("a", bytes.fromhex(secret))))
    for name, words in (("nothing.pem", ["--tls-ca", place.path("nothing.pem")]),
                        ("camera.key-file", ["--tls-cert", place.path("camera.key-file"), "--tls-key", place.path("camera.key")])):
        program = place.sender("send.py", "--to", "127.0.0.1:9", *words)
        program.finish(status=1)
        check(f"{name} is no certificate", name in program.err[-1] and "PEM" in program.err[-1], program.err)

    receiver, port = listening(lambda *words: place.receiver("receive.py", *words), place.key("camera"))
    shutil.copy(place.path("camera.key-file"), place.path("before.key-file"))
    shutil.copy(place.path("false.key-file"), place.path("camera.key-file"))
    place.sender("send.py", "--to", port, *place.key("false")).finish(status=1)
    receiver.process.send_signal(signal.SIGHUP)
    receiver.wait_until(lambda: any("read again" in line for line in receiver.err))
    place.sender("send.py", "--to", port, *place.key("false")).finish()
    place.sender("send.py", "--to", port, *place.key("before")).finish(status=1)
    os.remove(place.path("camera.key-file"))
    receiver.process.send_signal(signal.SIGHUP)
    receiver.wait_until(lambda: any("the keys of before stay in use" in line for line in receiver.err))
    place.sender("send.py", "--to", port, *place.key("false")).finish()
    receiver.interrupt()
    check("only with the key of the moment", shown(receiver) == 2 * COUNT, receiver.err)
    shutil.copy(place.path("before.key-file"), place.path("camera.key-file"))


def words(place):
    """Wrong use, and what goes beyond this machine."""
    for name in ("receive.py", "send.py"):
        rest = [] if name == "receive.py" else [place.path("pictures")]
        for options, said in ((["--listen", "0.0.0.0:0"], "--key-file FILE"), (["--listen", "[::]:0"], "--key-file FILE"),
                              (["--listen", "127.evil.example:0"], "--key-file FILE"),
                              (["--listen", "0.0.0.0:0", *place.certificate("listener", None)], "--tls-ca FILE as well"),
                              (["--listen", "0", *place.key("camera"), "--tls-ca", "x"], "not both"),
                              (["--listen", "0", "--tls-cert", "x"], "belong together"),
                              (["--to" if rest else "--from", "a:1", *place.key("camera", "door")], "once")):
            program = end(name, *options, *rest)
            program.finish(status=64)
            check(f"{name} {options}", said in program.err[-1], program.err)
        for options in (["--insecure"], place.key("camera"), place.certificate("listener")):
            program = end(name, "--listen", "0.0.0.0:0", *options, *rest)
            program.wait_port()
            program.process.send_signal(signal.SIGTERM)
            program.finish()
    # An address that answers nobody, and is none of this machine's loopback ones.
    sender = python("send.py", "--to", "localhost.invalid:1", place.path("pictures"), "--no-reconnect")
    sender.finish(status=1)
    check("who connects beyond this machine without a key is told", "can read and change" in sender.err[0], sender.err)
    quiet = python("send.py", "--to", "localhost.invalid:1", place.path("pictures"), "--no-reconnect", "--insecure")
    quiet.finish(status=1)
    check("--insecure: and is not", "can read and change" not in str(quiet.err), quiet.err)
    if not HAS_KEYS:
        lacking = python("receive.py", "--listen", "0", *place.key("camera"))
        lacking.finish(status=1)
        check("an early Python says what keys need", "3.13" in lacking.err[-1] and "certificates" in lacking.err[-1], lacking.err)
    alone = place.path("receive.py")
    shutil.copy(os.path.join(PYTHON, "receive.py"), alone)
    lacking = Program(sys.executable, alone, "--listen", "0", *place.certificate("listener"))
    lacking.finish(status=1)
    check("a copy without security.py says so", "security.py" in lacking.err[-1], lacking.err)


def main():
    with tempfile.TemporaryDirectory(prefix="frame-interop-") as folder:
        place = Place(folder)
        for part in (pairs, refusals, limits, breaks, silence, files, words):
            if len(sys.argv) > 2 and part.__name__ not in sys.argv[2:]:
                continue
            begun = time.monotonic()
            try:
                part(place)
            except Exception as error:  # the others are run all the same
                check("a part", False, repr(error))
                traceback.print_exc()
            print(f"{part.__name__}: {time.monotonic() - begun:.0f} s", flush=True)
    return tally.conclude("Examples/python, secured: ")


sys.exit(main())
