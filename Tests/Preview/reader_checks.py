"""Other programs that read the pictures over HTTP."""

import subprocess

import cv2
import numpy

import pattern
from checks import expect
from programs import PATIENCE
from sight import HEIGHT, RATE, TOLERANCE, WIDTH, rgb
from tally import check


def by_others(receiver, name):
    """ffmpeg and OpenCV read the motion JPEG: every frame is whole and newer than the one before."""
    address = receiver.address(name, "mjpg")
    count = 60
    done = subprocess.run(
        [
            "ffmpeg",
            "-v",
            "warning",
            "-xerror",
            "-f",
            "mpjpeg",
            "-i",
            address,
            "-frames:v",
            str(count),
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-",
        ],
        capture_output=True,
        timeout=PATIENCE,
    )
    check("ffmpeg reads it without a complaint", done.returncode == 0 and not complaints(done.stderr), done.stderr[-500:])
    frames = numpy.frombuffer(done.stdout, "uint8")
    check(f"it gets {count} frames", len(frames) == count * HEIGHT * WIDTH * 3, len(frames))
    whole("ffmpeg", frames[: len(frames) // (HEIGHT * WIDTH * 3) * HEIGHT * WIDTH * 3].reshape(-1, HEIGHT, WIDTH, 3))
    capture = cv2.VideoCapture(address)
    frames = [frame[:, :, ::-1] for there, frame in (capture.read() for _ in range(count)) if there]
    capture.release()
    check(f"OpenCV gets {count} frames", len(frames) == count, len(frames))
    whole("OpenCV", frames)


def in_an_image(browser, receiver, name):
    """The motion JPEG and the picture, as a page of one's own shows them in <img>."""
    page = browser.open(receiver.address(name, "mjpg"), loads=False, width=WIDTH, height=HEIGHT)
    expect("Chromium shows the motion JPEG by itself", lambda: pattern.off(rgb(page.screenshot()))[0] <= TOLERANCE)
    first = pattern.number(rgb(page.screenshot()))
    expect("and it moves", lambda: (pattern.number(rgb(page.screenshot())) or 0) > (first or 0) + RATE)
    page.close()
    half = receiver.get(receiver.address(name, "jpg") + "?scale=1/2")
    check("a picture at half the size", rgb(half).shape[:2] == (HEIGHT // 2, WIDTH // 2))


def complaints(text):
    """Of ffmpeg, without its remark on what JPEG's full range is called."""
    return [line for line in text.decode().splitlines() if line and "deprecated pixel format" not in line]


def whole(who, frames):
    found = [pattern.off(frame) for frame in frames]
    numbers = [number for _, number in found]
    check(
        f"{who}: each picture's number is newer",
        None not in numbers and all(a < b for a, b in zip(numbers, numbers[1:])),
        numbers,
    )
    check(f"{who}: each picture's bars are right", found and max(worst for worst, _ in found) <= TOLERANCE, found)
