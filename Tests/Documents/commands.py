#!/usr/bin/env python3
"""Runs the commands of README.md and Docs as they stand there, each with what it needs at its other end, and looks at what it prints.

A command that no scenario knows fails: who changes one in a document says here how it is run and what a reader then sees. Run by `run`,
within namespaces; arguments are words of which one must stand in a command.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import traceback

here = pathlib.Path(__file__).resolve().parent
package = here.parent.parent
sys.path.insert(0, str(here.parent / "Support"))
import machine
import tally
from machine import Command, Surprise

SCENARIOS = {}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.S | re.M)


def runs(*commands):
    """Marks the function that runs these commands."""

    def add(function):
        for command in commands:
            SCENARIOS[command] = function
        return function

    return add


def documented():
    """Each command: document, line, text without the remark behind it."""
    for path in [package / "README.md", *sorted((package / "Docs").glob("*.md"))]:
        text = path.read_text()
        for match in FENCE.finditer(text):
            if match[1] != "sh":
                continue
            first = text.count("\n", 0, match.start(2)) + 1
            for number, line in enumerate(match[2].splitlines()):
                command = re.sub(r"\s+#.*$|^#.*$", "", line).strip()
                if command:
                    yield path.name, first + number, command


def expect(pattern, text):
    if not re.search(pattern, text, re.M):
        raise Surprise(f"it did not say {pattern!r}, but:\n{text[-2000:]}")


def decoded(name):
    """How many pictures ffmpeg finds in a file."""
    output = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "json", name],
        capture_output=True, text=True, check=True).stdout
    return int(json.loads(output)["streams"][0]["nb_read_frames"])


# --- The other ends ---

PATTERN = "frame-send --pattern --size 64x48 --rate 60"


def sent(to="127.0.0.1:5600", more="--frames 30"):
    """Sends the pattern, and waits for its end."""
    with Command(f"{PATTERN} --to {to} {more}") as sender:
        sender.end()


def receiver(at, more="--frames 30", program="frame-receive"):
    return Command(f"{program} --listen {at} {more}")


# --- frame-receive ---


def receives(command, sends=sent, ends=False, **environment):
    """Has it receive a stream, ends it as Ctrl-C does, and gives what it said."""
    with Command(command, **environment) as program:
        program.wait_for(r"listening|connect|waiting")
        sends()
        if not ends:
            program.wait_for(r"frames? of .*ended|frames?.* in ")
            program.interrupt()
        return program.end()


SUMMARY = r"^30 frames of 1 connections? in [\d.]+ s: [\d.]+ fps, delay "


@runs("frame-receive --listen 0.0.0.0:5600 --insecure --record out.y4m", "frame-receive --listen 5600 --record out.y4m --overwrite")
def records_y4m(command):
    said = receives(command)
    expect(SUMMARY, said)
    if decoded("out.y4m") != 30:
        raise Surprise("not 30 pictures")


@runs("frame-receive --listen 5600 --record out.y4m")
def a_recording_stays(command):
    shutil.copy("clip.y4m", "out.y4m")
    expect("out-2.y4m", receives(command))
    if decoded("out-2.y4m") != 30 or pathlib.Path("out.y4m").read_bytes() != pathlib.Path("clip.y4m").read_bytes():
        raise Surprise("the first recording did not stay")


@runs("frame-receive --listen 5600 --record frames.mjpg --frames 300 --json")
def records_mjpeg(command):
    pathlib.Path("frames.mjpg").unlink()
    said = receives(command, lambda: sent(more="--frames 300 --rate 300 --policy reliable"), ends=True)
    lines = [json.loads(line) for line in said.splitlines()]
    if lines[-1]["event"] != "summary" or lines[-1]["scope"] != "total" or decoded("frames.mjpg") != 300:
        raise Surprise(said[-2000:])


@runs("frame-receive --listen 5600 --record out.mkv", "frame-receive --listen 5600 --record out.mp4 --sync")
def records_films(command):
    expect(SUMMARY, receives(command))
    if decoded(re.search(r"out\.\w+", command)[0]) != 30:
        raise Surprise("not 30 pictures")


@runs("frame-receive --listen 5600 --record out.mkv --segment-seconds 60 --keep-bytes 1000000000")
def records_segments(command):
    expect(SUMMARY, receives(command))
    if [decoded(str(name)) for name in pathlib.Path().glob("out-2*Z.mkv")] != [30]:
        raise Surprise("not one segment of 30 pictures")


@runs("frame-receive --listen 5600 --record out.mkv --pre-roll 10 --post-roll 30")
def waits_for_a_signal(command):
    expect(SUMMARY, receives(command))
    if list(pathlib.Path().glob("out-2*Z.mkv")):
        raise Surprise("it recorded without a signal")


@runs("frame-receive --listen 5600 --record slow.y4m --record-rate 25")
def states_a_rate(command):
    receives(command)
    if b" F25:1 " not in pathlib.Path("slow.y4m").read_bytes()[:80]:
        raise Surprise("its header does not say 25")


@runs("frame-receive --listen 5600 --record pictures/")
def records_jpegs(command):
    receives(command)
    if len(list(pathlib.Path("pictures").glob("frame-*.jpg"))) != 30:
        raise Surprise("not 30 JPEGs")


@runs("frame-receive --listen 5600 --record - | ffmpeg -f mjpeg -i - film.mp4")
def records_for_ffmpeg(command):
    pathlib.Path("film.mp4").unlink()
    with Command(command) as program:
        program.wait_for("listening")
        sent()
        program.wait_for("Output #0, mp4")
        program.interrupt()
        program.end(None)
    if decoded("film.mp4") != 30:
        raise Surprise("not 30 pictures")


@runs("frame-receive --listen 5600 --record out.y4m --strict", "frame-receive --listen 5600 --record out.y4m --sync", "frame-receive --listen 5600")
def receives_all(command):
    expect(SUMMARY, receives(command))


@runs("frame-receive --listen 5600 &", "frame-send --camera /dev/video0 --to viewer:5600 &")
def in_the_background(command):
    """What the lines after it talk to; each of them has such an other end here."""


@runs("frame-receive --from sender:5600")
def continues_after_a_break(command):
    with Command(command) as program:
        with Command(f"exec {PATTERN} --listen 127.0.0.5:5600 --frames 1000000"):
            program.wait_for("connected")
        # The first sender was killed on leaving.
        with Command(f"{PATTERN} --listen 127.0.0.5:5600 --frames 30") as sender:
            sender.end()
        expect(r"^\d+ frames of 2 connections", program.end())


@runs("frame-receive --from sender:5600 --no-reconnect")
def ends_with_one_connection(command):
    with Command(f"{PATTERN} --listen 127.0.0.5:5600 --frames 30") as sender:
        sender.wait_for("listening")
        with Command(command) as program:
            expect(r"^\d+ frames of 1 connection", program.end())


# --- Keys ---


def made_key(name="camera.key"):
    """A new key, whatever an earlier command has left."""
    pathlib.Path(name).unlink(missing_ok=True)
    with Command(f"frame-key generate {name}") as program:
        return program.end()


@runs("frame-key generate camera.key")
def makes_a_key(command):
    expect(r"camera\.key: key of camera", made_key())
    if pathlib.Path("camera.key").stat().st_mode & 0o777 != 0o600:
        raise Surprise("others may read the key")


@runs("frame-key generate door.key --role sender --streams door", "frame-key show door.key")
def makes_a_key_with_limits(command):
    made_key("door.key") if "show" in command else pathlib.Path("door.key").unlink(missing_ok=True)
    with Command(command) as program:
        expect(r"door\.key: key of door", program.end())


@runs(
    "frame-receive --listen 0.0.0.0:5600 --key-file camera.key",
    "frame-receive --listen 0.0.0.0:5600 --key-file camera.key --maximum-connections 4"
    " --limit connections-per-address=2 --limit byte-rate=5000000")
def receives_with_a_key(command):
    made_key()
    expect(SUMMARY, receives(command, lambda: sent(more="--frames 30 --key-file camera.key")))


@runs("frame-send --pattern --to receiver:5600 --key-file camera.key")
def sends_with_a_key(command):
    made_key()
    receiver_with_key = Command("frame-receive --listen 0.0.0.0:5600 --key-file camera.key --frames 30")
    with receiver_with_key as one:
        one.wait_for("listening")
        with Command(command) as sender:
            expect(r"^30 frames", one.end())
            sender.interrupt()
            sender.end()


# --- The preview ---


def preview(name="front door"):
    """A receiver with a preview of one stream, and its sender."""
    receiver = Command("frame-receive --listen 5600 --preview 8080")
    receiver.wait_for("listening")
    sender = Command(f'{PATTERN} --to localhost:5600 --stream "{name}"')
    receiver.wait_for(r"\.mjpg")
    return receiver, sender


@runs("frame-receive --listen 0.0.0.0:5600 --insecure --preview 8080", "frame-receive --listen 0.0.0.0:5600 --preview 0.0.0.0:8080 --insecure")
def shows_a_page(command):
    with Command(command) as program, Command(f"{PATTERN} --to localhost:5600") as sender:
        program.wait_for(r"http://\S+:8080/")
        program.wait_for(r"/streams/\S+\.mjpg")
        page = subprocess.run(["curl", "-sS", "--fail", "http://127.0.0.1:8080/"], capture_output=True, text=True, check=True).stdout
        if "<title>" not in page:
            raise Surprise(page[:500])
        sender.interrupt()
        sender.end()
        program.interrupt()
        program.end()


def with_preview(command, status=0, until=None, shorter=lambda text: text, **environment):
    receiver, sender = preview()
    with receiver, sender:
        with Command(shorter(command), **environment) as program:
            if until:
                program.wait_for(until)
                program.interrupt()
            return program.end(status)


@runs(
    "ffplay http://127.0.0.1:8080/stream",
    "ffplay -f mpjpeg -fflags nobuffer http://127.0.0.1:8080/streams/front%20door.mjpg")
def plays(command):
    said = with_preview(command, None, until=r"Video: mjpeg.* 64x48", SDL_VIDEODRIVER="dummy", SDL_AUDIODRIVER="dummy")
    expect("Video: mjpeg", said)


@runs("curl -o now.jpg 'http://127.0.0.1:8080/snapshot?scale=1/2'", "curl -o now.jpg 'http://127.0.0.1:8080/streams/front%20door.jpg?scale=1/2'")
def saves_half_a_picture(command):
    with_preview(command)
    size = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", "now.jpg"], capture_output=True, text=True).stdout
    if size.strip() != "32,24":
        raise Surprise(size)


@runs("frame-receive --listen 5600 --preview 0.0.0.0:8080 --preview-tls --preview-link")
def is_seen_by_a_link(command):
    """The link lets in once, and who has none sees nothing."""
    with Command(command) as program:
        program.wait_for(r"https://\S+:8080/\?code=\S+\s")
        link = re.search(r"https://\S+:8080/(\?code=\S+)", program.said)[1]
        page = ["curl", "-sS", "--insecure", "-o", "page.html", "-w", "%{http_code} ", "https://127.0.0.1:8080/"]
        said = [subprocess.run([*page[:-1], page[-1] + path], capture_output=True, text=True, check=True).stdout for path in ["", link, link]]
        if said != ["401 ", "200 ", "401 "]:
            raise Surprise(str(said))
        program.interrupt()
        program.end()


PRIVATE = (
    "frame-receive --listen 0.0.0.0:5600 --key-file camera.key --preview 0.0.0.0:8080"
    " --preview-tls-file preview.pem --preview-token-file preview.token")


@runs(
    PRIVATE,
    'curl --cacert preview.pem -H "Authorization: Bearer $(cat preview.token)" https://127.0.0.1:8080/metrics',
    'ffplay -f mpjpeg -fflags nobuffer "https://viewer:$(cat preview.token)@127.0.0.1:8080/stream"')
def is_seen_with_the_token(command):
    made_key()
    with Command(PRIVATE) as receiver, Command(f"{PATTERN} --to localhost:5600 --key-file camera.key") as sender:
        receiver.wait_for(r"\.mjpg")
        if command == PRIVATE:
            status = subprocess.run(
                ["curl", "-sS", "--cacert", "preview.pem", "-o", "refused", "-w", "%{http_code}", "https://127.0.0.1:8080/stream"],
                capture_output=True, text=True, check=True).stdout
            if status != "401":
                raise Surprise(status)
        else:
            with Command(command, SDL_VIDEODRIVER="dummy", SDL_AUDIODRIVER="dummy") as program:
                if command.startswith("curl"):
                    expect(r"^framestreaming_stream_up\{.*\} 1$", program.end())
                else:
                    program.wait_for(r"Video: mjpeg.* 64x48")
                    program.interrupt()
                    program.end(None)
        sender.interrupt()
        sender.end()
        receiver.interrupt()
        receiver.end()


@runs("curl http://127.0.0.1:8080/metrics")
def has_metrics(command):
    expect(r'^framestreaming_stream_up\{.*\} 1$', with_preview(command))


@runs("ffmpeg -f mpjpeg -use_wallclock_as_timestamps 1 -i http://127.0.0.1:8080/streams/front%20door.mjpg -t 60 -c copy minute.mkv")
def records_a_minute(command):
    """A second is as good as a minute."""
    with_preview(command, shorter=lambda text: text.replace("-t 60", "-t 1"))
    if decoded("minute.mkv") < 10:
        raise Surprise("hardly a picture")


# --- frame-send ---


def sends(command, to=("127.0.0.4:5600",), more="--once", status=0, program="frame-receive"):
    """Has receivers take a stream to its end, and gives what the sender said."""
    receivers = [receiver(at, more, program) for at in to]
    try:
        for one in receivers:
            one.wait_for("listening")
        with Command(command) as sender:
            for one in receivers:
                one.end()
            # A live sender waits for the next receiver.
            if more != "--once":
                sender.interrupt()
            return sender.end(status)
    finally:
        for one in receivers:
            one.__exit__()


@runs(
    'frame-send --pattern --size 1280x720 --rate 60 --to receiver:5600 --stream "test pattern"',
    "frame-send --input clip.y4m --loop --to receiver:5600 --quality 60",
    "frame-send --pattern --to receiver:5600",
    "frame-send --pattern --to receiver:5600 --quality 20...80",
    "frame-send --pattern --to receiver:5600 --policy deadline:200")
def sends_until_the_receiver_has_enough(command):
    expect(r"^\d+ of \d+ .*in [\d.]+ s", sends(command, more="--frames 30"))


@runs(
    "ffmpeg -i film.mp4 -f yuv4mpegpipe -pix_fmt yuv420p - | frame-send --input - --to receiver:5600",
    "frame-send --input frames.mjpg --to receiver:5600",
    'frame-send --input clip.y4m --to receiver:5600 --fail-on-drop || echo "the copy is not complete"')
def sends_all(command):
    said = sends(command)
    expect(r"^30 of 30 ", said)
    if "not complete" in said:
        raise Surprise(said)


@runs("frame-send --input camera.raw --size 640x480 --format yuyv422 --rate 30 --to receiver:5600")
def sends_raw_pictures(command):
    expect(r"^30 of 30 ", sends(command))


@runs(
    "frame-send --input clip.y4m --to one:5600 --to two:5600",
    "frame-send --input clip.y4m --to one:5600 --to two:5600 --give-up-after 20")
def sends_to_two(command):
    expect("^60 of 60 pictures delivered", sends(command, to=("127.0.0.2:5600", "127.0.0.3:5600")))


@runs("curl -sN http://camera/video | frame-send --input - --to receiver:5600")
def sends_the_newest_of_a_camera(command):
    expect(r"^\d+ of \d+ ", sends(command))


@runs("ffmpeg -i rtsp://camera -f yuv4mpegpipe -pix_fmt yuv420p - | frame-send --input - --live --to receiver:5600")
def sends_what_ffmpeg_gets(command):
    """The camera here speaks HTTP, which is all the same to the pipe."""
    command = command.replace("rtsp://camera", "-f mpjpeg http://camera/video").replace("-i -f mpjpeg", "-f mpjpeg -i")
    expect(r"^\d+ of \d+ ", sends(command))


# --- Docs/Media.md: the programs of make full ---


def full(command):
    """The same with the programs of make full."""
    for name in "frame-send", "frame-receive":
        command = command.replace(name, os.path.join(os.environ["FULL_PROGRAMS"], name))
    return command


FILM = "frame-send --input film.mp4 --to receiver:5600"


@runs(FILM, "frame-send --input stills/%d.jpg --rate 25 --to receiver:5600")
def sends_a_film(command):
    expect(r"^30 of 30 ", sends(full(command)))


@runs("frame-send --input out.mkv --to receiver:5600")
def sends_a_recording(command):
    with Command(full("frame-receive --listen 127.0.0.1:5600 --record out.mkv --once")) as program:
        program.wait_for("listening")
        sent(more="--frames 30 --policy reliable")
        program.end()
    expect(r"^30 of 30 ", sends(full(command)))


@runs("frame-send --input film.mp4 --start 0.5 --loop --to receiver:5600", "frame-send --input http://camera/video --to receiver:5600")
def sends_a_film_for_ever(command):
    expect(r"^\d+ of \d+ .*in [\d.]+ s", sends(full(command), more="--frames 70"))


@runs(
    "frame-send --pattern --codec h264 --to receiver:5600", "frame-send --pattern --codec vp9 --quality 60 --to receiver:5600",
    "frame-send --pattern --codec h264 --bitrate auto --to receiver:5600", "frame-send --pattern --codec vp8 --bitrate 2M --to receiver:5600")
def sends_video(command):
    expect(r"^\d+ of \d+ .*in [\d.]+ s", sends(full(command), more="--frames 30", program=full("frame-receive")))


def a_film_needs_the_full_programs():
    with Command(FILM) as program:
        expect("make full", program.end(1))


@runs("frame-send --pattern --listen 0.0.0.0:5600 --insecure")
def listens(command):
    with Command(command) as program:
        program.wait_for("listening")
        for _ in range(2):
            with Command("frame-receive --from 127.0.0.1:5600 --frames 30") as one:
                expect(r"^30 frames", one.end())
        program.interrupt()
        program.end()


@runs("frame-send --input clip.y4m --to 127.0.0.1:5600 --handshake text")
def sends_as_the_tutorial(command):
    expect(r"^30 of 30 ", sends(command, to=("127.0.0.1:5600",)))


# --- The other programs ---


@runs("frame-demo --seconds 10 --save-last last.jpg")
def demonstrates(command):
    with Command(command) as program:
        expect(r"the last picture is in .*last\.jpg$", program.end())


@runs("frame-cameras")
def lists_cameras(command):
    """There are none here; the virtual machine has some."""
    with Command(command) as program:
        expect("no camera", program.end(None))


@runs(
    "frame-send --camera /dev/video0 --control brightness=10 --to receiver:5600",
    "frame-send --camera /dev/video0 --format YUYV --quality 60 --to receiver:5600",
    "frame-send --camera /dev/video0 --rotate 90 --to receiver:5600",
    "frame-send --camera /dev/video0 --log-level info --to receiver:5600")
def says_that_there_is_no_camera(command):
    """Every option is understood; Tests/CameraVM runs the same lines with a camera."""
    with Command(command) as program:
        expect(r"/dev/video0.*", program.end(1))


# A screen that nobody sees.
SCREEN = {"SDL_VIDEODRIVER": "dummy", "SDL_RENDER_DRIVER": "software"}


@runs(
    "frame-view --listen 5600", "frame-view --listen 5600 --snapshots ~/Pictures --scale-quality nearest",
    "swift run -c release --package-path Examples/frame-view frame-view --listen 5600",
    ".build/release/frame-view --listen 0.0.0.0:5600 --insecure")
def shows_a_window(command):
    """What builds it is what has built it for this."""
    command = re.sub(r"^swift run .*/frame-view frame-view|^\.build/release/frame-view", "frame-view", command)
    with Command(command, **SCREEN) as program:
        program.wait_for("listening")
        sent()
        program.interrupt()
        program.end()


@runs("frame-view --listen 5600 --once")
def closes_its_window(command):
    with Command(command, **SCREEN) as program:
        program.wait_for("listening")
        sent()
        program.end()


@runs("frame-view --from sender:5600", "frame-view --from sender:5600 --fullscreen --overlay", "frame-view --from sender:5600 --return-within 20")
def shows_what_a_sender_has(command):
    with Command(command, **SCREEN) as program:
        with Command(f"{PATTERN} --listen 127.0.0.5:5600 --frames 30") as sender:
            sender.end()
        program.interrupt()
        program.end()


# --- Python ---


def python(command):
    return f"cd {package}/Examples/python && PYTHONDONTWRITEBYTECODE=1 {command}"


@runs("python3 receive.py --listen 0.0.0.0:5600 --insecure")
def receives_in_python(command):
    with Command(python(command)) as program:
        program.wait_for("listening")
        sent()
        program.wait_for(r"width=64 height=48 latency_ms=")
        program.interrupt()
        program.end(None)


@runs("python3 receive.py --from camera:5600 --save pictures")
def saves_in_python(command):
    command = command.replace("--save pictures", f"--save {pathlib.Path.cwd()}/pictures")
    with Command(f"{PATTERN} --listen 127.0.0.6:5600 --frames 30") as sender:
        sender.wait_for("listening")
        with Command(python(command)) as program:
            sender.end()
            program.interrupt()
            program.end(None)
    if len(list(pathlib.Path("pictures").iterdir())) < 1:
        raise Surprise("no pictures")


@runs(
    "python3 send.py --to localhost:5600 film.mp4 --quality 60", "python3 send.py --to localhost:5600 pictures --fps 25",
    "python3 send.py --to localhost:5600 pipe.y4m")
def sends_in_python(command):
    folder = pathlib.Path.cwd()
    feed = ""
    if "pipe.y4m" in command:
        subprocess.run(["mkfifo", "pipe.y4m"], check=True)
        feed = f"cat {folder}/clip.y4m > {folder}/pipe.y4m & "
    command = re.sub(r"film\.mp4|pipe\.y4m|pictures", lambda found: f"{folder}/{found[0].replace('pictures', 'stills')}", command)
    with receiver("localhost:5600", "--once") as one:
        one.wait_for("listening")
        with Command(feed + python(command)) as program:
            program.end()
        expect(r"^30 frames", one.end())


@runs("python3 send.py --to localhost:5600 rtsp://camera/1")
def sends_an_address_in_python(command):
    """The camera here speaks HTTP, which is all the same to OpenCV."""
    with receiver("localhost:5600", "--frames 5") as one:
        one.wait_for("listening")
        with Command(python(command.replace("rtsp:", "http:"))) as program:
            expect(r"^5 frames", one.end())
            program.end(None)


@runs("python3 send.py --listen 5600 0 --stream front")
def says_that_there_is_no_camera_in_python(command):
    with Command(python(command)) as program, Command("frame-receive --from 127.0.0.1:5600 --frames 1"):
        expect("(?i)camera|open", program.end(1))


CREDENTIALS = {"viewer.pem": "listener.pem", "viewer-key.pem": "listener.key", "camera.pem": "camera.pem", "camera-key.pem": "camera.key", "authority.pem": "authority.pem"}


def with_certificates(text):
    """The files of the documents, which are those of the tests; git does not keep the mode of a private key. The listener's is for
    localhost."""
    for name, source in CREDENTIALS.items():
        shutil.copy(package / "Tests/FrameStreamingTLSTests/Certificates" / source, name)
        os.chmod(name, 0o600)
    text = re.sub(r"[\w-]+\.pem", lambda found: f"{pathlib.Path.cwd()}/{found[0]}", text)
    return text.replace("viewer:", "localhost:")


@runs(
    "python3 receive.py --listen 0.0.0.0:5600 --tls-cert viewer.pem --tls-key viewer-key.pem --tls-ca authority.pem",
    "frame-send --pattern --to viewer:5600 --tls-cert camera.pem --tls-key camera-key.pem --tls-ca authority.pem")
def streams_with_certificates_in_python(_):
    """One command is the other's other end."""
    both = [command for command, scenario in SCENARIOS.items() if scenario is streams_with_certificates_in_python]
    with Command(python(with_certificates(both[0]))) as receiver, Command(with_certificates(both[1])) as sender:
        receiver.wait_for(r"width=\d+ height=\d+ latency_ms=")
        sender.interrupt()
        sender.end()
        receiver.interrupt()
        receiver.end(None)


def python_blocks_run():
    """The pieces of Python in Docs/Python.md, each as a program of its own, with the sender or receiver that it is written for. The
    window and the camera of OpenCV are stand-ins: there is no screen and no camera here."""
    blocks = [match[2] for match in FENCE.finditer((package / "Docs/Python.md").read_text()) if match[1] == "python"]
    stand_in = (
        "import sys, time, numpy, cv2\n"
        "class Camera:\n"
        "    left = 20\n"
        "    def read(self):\n"
        "        self.left -= 1\n"
        "        return self.left >= 0, numpy.full((48, 64, 3), max(self.left, 0), 'uint8')\n"
        "shown = []\n"
        "cv2.VideoCapture, cv2.imshow = lambda _: Camera(), lambda name, image: shown.append(image.shape)\n"
        "cv2.waitKey = lambda _: ord('q') if len(shown) == 10 else 0\n")
    for number, block in enumerate(blocks):
        pathlib.Path(f"block-{number}.py").write_text(stand_in + with_certificates(block))
        program = f"PYTHONPATH={package}/Examples/python PYTHONDONTWRITEBYTECODE=1 python3 block-{number}.py"
        if "FrameSender" in block:
            with Command("frame-receive --listen 5600 --once") as one:
                one.wait_for("listening")
                with Command(program.replace("python3", "exec python3")) as sender:
                    sender.end()
                expect(r"^20 frames", one.end())
            continue
        to = "localhost:5600 " + (with_certificates("--tls-cert camera.pem --tls-key camera-key.pem --tls-ca authority.pem") if "Security" in block else "")
        with Command(program) as receiver, Command(f"{PATTERN} --frames 30 --to {to}") as sender:
            receiver.end()
            sender.end(None)
        expect(r"^10 .*" if "imshow" in block else r"^30 ", receiver.said)
    if len(blocks) != 3:
        raise Surprise(f"{len(blocks)} pieces of Python, and three are known here")


# --- What is run elsewhere ---

ELSEWHERE = {
    "make demo": (".ci/run", "make demo"),
    "make test": (".ci/run", "make test"),
    'export PATH="$PWD/.build/release:$PATH"': ("Tests/Documents/run", "export PATH="),
    "cd Examples/python": ("Tests/Documents/commands.py", "cd {package}/Examples/python"),
    "cd Examples/frame-view": (".ci/view", "--package-path Examples/frame-view"),
    "sudo apt-get install -y libsdl2-dev libturbojpeg0-dev libv4l-dev": ("Tests/Documents/run", "libsdl2-dev libturbojpeg0-dev libv4l-dev"),
    "swift build -c release": (".ci/run", "swift build -c release"),
    # Without a screen there is no VLC. It takes the same address as ffplay, two lines below it.
    "vlc http://127.0.0.1:8080/streams/front%20door.mjpg": ("Tests/Documents/commands.py", "ffplay -f mpjpeg"),
    # It needs another machine.
    "ssh -L 8080:127.0.0.1:8080 camera-host": ("Docs/Preview.md", "ssh -L"),
}


# Where each `make` within the text of a document is run, or what it runs.
MADE = {
    "bench": (".ci/run", "make bench"), "demo": (".ci/run", "make demo"), "docs": (".ci/run", "make docs"), "fuzz": (".ci/run", "Tests/Fuzz/run"),
    "full": (".ci/run", "make full"), "test-full": (".ci/run", "make test-full"),
    # Every target with a C library begins with it.
    "libraries": ("Makefile", "test: libraries"), "man": ("Tests/Manual/run", "make man"), "test": (".ci/run", "make test"),
    "test-camera": (".ci/run", "make test-camera"),
    # It takes half an hour, and is run by hand: Docs/Reliability.md has the last run.
    "soak": ("Docs/Reliability.md", "soak.svg"),
}


def targets_of_the_text():
    """Checks that each `make TARGET` within the text is a target, and is run by the gate."""
    makefile = (package / "Makefile").read_text()
    for path in [package / "README.md", *sorted((package / "Docs").glob("*.md"))]:
        for target in sorted(set(re.findall(r"`make ([\w-]+)[^`]*`", path.read_text()))):
            place, text = MADE.get(target, ("Makefile", None))
            is_run = text is not None and text in (package / place).read_text()
            tally.check(f"{path.name}: make {target}", is_run and re.search(rf"^{target}:", makefile, re.M), "it is no target, or nothing runs it")


def demo_looks_as_shown():
    """Each line that README shows of `make demo` has one of the same shape in what is printed."""
    shown = re.search(r"^\$ make demo\n(.*?)^```", (package / "README.md").read_text(), re.S | re.M)[1]
    with Command("frame-demo --seconds 3 --save-last $PWD/last-picture.jpg") as program:
        said = program.end()
    # Figures differ, and where the picture is.
    said = re.sub(r"is in /\S*/", "is in /", said)
    for line in shown.splitlines():
        shape = re.escape(re.sub(r"[\d.]+", "@", re.sub(r"is in /\S*/", "is in /", line))).replace("@", r"[\d.]+")
        if line != "..." and not re.search(f"^{shape}$", said, re.M):
            raise Surprise(f"nothing looks like {line!r} in:\n{said}")


def first_program():
    """README's first program at both ends, until Ctrl-C: it says of each picture what it is and how old."""
    with Command("exec camera receive") as receiving:
        # It prints nothing before the first picture, so the sender tries until somebody listens.
        with Command("until camera; do sleep 0.1; done") as sending:
            receiving.wait_for(r"(?m)^1280x720 BGR24 \(BGR3\) \S+ seconds$")
            sending.interrupt()
        receiving.end(1)


def attempt(what, body, *arguments):
    start = time.monotonic()
    try:
        body(*arguments)
        tally.check(what, True)
        print(f"ok {time.monotonic() - start:5.1f} s  {what}", flush=True)
    except Exception as error:
        words = str(error) if isinstance(error, (Surprise, subprocess.CalledProcessError)) else traceback.format_exc()
        tally.check(what, False, words)


def main():
    words = sys.argv[1:]
    machine.prepare()
    machine.make_files()
    machine.plug_camera_in()
    root = pathlib.Path.cwd()
    known = set()
    for number, (document, line, command) in enumerate(documented()):
        known.add(command)
        what = f"{document}:{line}: {command}"
        if words and not any(word in what for word in words):
            continue
        if command in ELSEWHERE:
            path, text = ELSEWHERE[command]
            tally.check(what, text in (package / path).read_text(), f"{path} does not run it any more")
        elif command in SCENARIOS:
            folder = root / str(number)
            shutil.copytree(root, folder, ignore=lambda _, names: [name for name in names if name.isdigit()])
            os.chdir(folder)
            attempt(what, SCENARIOS[command], command)
        else:
            tally.check(what, False, "no scenario runs it: add one to Tests/Documents/commands.py")
    if not words or "demo" in words:
        attempt("README.md: what make demo prints", demo_looks_as_shown)
    if not words or "python" in words:
        attempt("Docs/Python.md: its pieces of Python", python_blocks_run)
    if not words or "film" in words:
        attempt("Docs/Media.md: what the plain programs say of a film", a_film_needs_the_full_programs)
    targets_of_the_text()
    if not words or "program" in words:
        attempt("README.md: the first program", first_program)
    if not words:
        for command in sorted((SCENARIOS.keys() | ELSEWHERE.keys()) - known):
            tally.check(command, False, "it stands in no document any more")
    return tally.conclude("commands of the documents: ")


if __name__ == "__main__":
    sys.exit(main())
