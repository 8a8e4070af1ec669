#!/usr/bin/env python3
"""Makes the pictures of Docs/Preview.md: the page with streams that run, and one of them large.

usage: picture.py FOLDER-WITH-THE-EXECUTABLES FOLDER-FOR-THE-PICTURES
"""

import os
import subprocess
import sys

from browser import Browser
from programs import PATIENCE, Receiver, send

SOURCES = {  # made by ffmpeg, whose pictures are worth looking at, 25 a second
    "microscope": "mandelbrot=size=640x480:start_scale=.004:end_scale=.003:start_x=-.743643:start_y=-.131825",
    "workshop": "life=size=128x72:mold=12:life_color=#3fb950:death_color=#0d2f4f:mold_color=#071a2c:ratio=.35,scale=640:360:flags=neighbor",
}


def film(receiver, name, source):
    """A stream of what ffmpeg makes, as it would come from a camera."""
    maker = subprocess.Popen(
        [
            "ffmpeg",
            "-v",
            "error",
            "-re",
            "-f",
            "lavfi",
            "-i",
            f"{source},fps=25",
            "-f",
            "yuv4mpegpipe",
            "-pix_fmt",
            "yuv420p",
            "-",
        ],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    sender = send(receiver, name, "--input", "-", "--pace", "max", "--policy", "latest", stdin=maker.stdout)
    maker.stdout.close()
    return [sender, maker]


def main(binaries, folder):
    receiver, browser, running = Receiver(binaries), Browser(), []
    try:
        page = browser.open(receiver.url, width=1280, height=580)
        page.appearance("light")
        page.call("Emulation.setScrollbarsHidden", hidden=True)
        running.append(send(receiver, "front door", "--pattern", "--size", "1280x720"))
        page.until("tiles.size === 1", "the first stream")
        for name, source in SOURCES.items():
            running += film(receiver, name, source)
            page.until(f"tiles.has('{name}')", "the next stream")
        # A plot worth showing.
        page.until(
            "[...tiles.values()].every(({ stream, drawn }) => drawn > 20 && stream.history.length >= 25)", limit=2 * PATIENCE
        )
        running[-2].kill()
        page.until(
            "[...document.querySelectorAll('.lost canvas')].some((canvas) => getComputedStyle(canvas).filter === 'grayscale(1)')"
        )
        save(page, folder, "preview.jpg", 82)
        page.appearance("dark")
        page.size(width=1280, height=790)
        page.evaluate("location.hash = address('front door')")
        page.until("document.querySelector('.chosen canvas').clientWidth > 600")
        page.evaluate("document.activeElement.blur()")
        before = page.evaluate("tiles.get('front door').drawn")
        page.until(f"tiles.get('front door').drawn > {before} + 40")
        save(page, folder, "preview-large.jpg", 82)
    finally:
        for process in [*running, receiver.process]:
            process.kill()
            process.wait()
        browser.close()


def save(page, folder, name, quality):
    picture = page.screenshot(format="jpeg", quality=quality)
    if len(picture) > 150_000:
        raise SystemExit(f"{name} has {len(picture)} bytes: too many for a repository")
    with open(os.path.join(folder, name), "wb") as file:
        file.write(picture)
    print(f"{name}: {len(picture)} bytes")


main(*sys.argv[1:])
