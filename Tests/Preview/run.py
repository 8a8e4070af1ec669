#!/usr/bin/env python3
"""Checks `frame-receive --preview` as people see it: in headless Chromium, and by ffmpeg and OpenCV on its motion JPEG.

usage: run.py FOLDER-WITH-THE-EXECUTABLES

Needs chromium, ffmpeg, and Python with OpenCV and numpy (run.sh makes an environment with them). Every wait is for a condition and has a
limit. Exits with 1 where anything failed.
"""

import os
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Support"))
import tally
from access_checks import access
from action_checks import actions
from browser import Browser
from grid_checks import grids
from page_checks import accessible, hostile, keyboard, policies, shows
from programs import PATIENCE, Receiver
from reader_checks import by_others, in_an_image
from sight import pattern_to
from stream_checks import crowded, lost_and_back, receiver_gone, slow, unplugged, unseen
from tally import check


def main():
    started = time.monotonic()
    tally.says_all = True
    name = "front door"
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "watch.js")) as file:
        watch = file.read()
    receiver, browser = Receiver(sys.argv[1]), Browser(PATIENCE)
    sender = pattern_to(receiver, name)
    try:
        page = browser.open(receiver.url, before=watch)

        def lose():
            nonlocal sender
            sender = lost_and_back(page, receiver, name, sender)

        def quiet():
            check("no error in the console", page.errors == [], page.errors)
            foreign = [
                address
                for address in page.requests
                if urllib.parse.urlsplit(address).netloc != urllib.parse.urlsplit(receiver.url).netloc
                and not address.startswith("data:")
            ]
            check("the page asks nobody but the server", page.requests and foreign == [], foreign)

        for part in [
            lambda: shows(page, receiver, name),
            lambda: keyboard(page, receiver, name),
            lambda: accessible(page, name),
            lambda: policies(browser, receiver),
            lambda: by_others(receiver, name),
            lambda: in_an_image(browser, receiver, name),
            lambda: crowded(browser, receiver),
            lambda: hostile(page, receiver),
            lambda: unseen(browser, page, name),
            lambda: slow(page, receiver, name),
            lose,
            lambda: unplugged(page, receiver),
            quiet,
            lambda: receiver_gone(page, receiver, name),
            lambda: actions(browser, sys.argv[1], watch),
            lambda: grids(browser, sys.argv[1], watch),
            lambda: access(sys.argv[1], watch),
        ]:
            try:
                page.show()
                part()
            except Exception as error:  # The other parts are run all the same.
                check("a part runs to its end", False, f"{part.__code__.co_names[0]}: {error!r}")
    finally:
        for process in [sender, receiver.process]:
            process.kill()
            process.wait()
        browser.close()
    return tally.conclude(trail=f" in {time.monotonic() - started:.0f} s")


sys.exit(main())
