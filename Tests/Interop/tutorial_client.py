#!/usr/bin/env python3
"""The client of the classic OpenCV streaming tutorial, written anew: it sends pictures, one at a time.

For each picture: "<length>, ", wait for "ok", the JPEG, wait for "ok". At the end "over".
Pictures come from a video file or device, or are made here.
"""
import argparse
import socket
import time

import cv2

import clip


def pictures(source, count, size):
    if source is None:
        for number in range(count):
            yield clip.picture(number, *size)
        return
    capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
    if not capture.isOpened():
        raise SystemExit(f"{source} cannot be opened")
    while count > 0:
        there, picture = capture.read()
        if not there:
            break
        count -= 1
        yield picture
    capture.release()


def expect_ok(connection):
    # As the tutorial does: whatever one recv gives.
    answer = connection.recv(1024)
    if answer != b"ok":
        raise SystemExit(f"instead of ok came {answer!r}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--video", help="a file or a camera's number; pictures made here where it is missing")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--quality", type=int, default=80)
    options = parser.parse_args()
    size = [int(side) for side in options.size.split("x")]

    connection = socket.create_connection((options.host, options.port), timeout=60)
    sent = 0
    for picture in pictures(options.video, options.frames, size):
        started = time.monotonic()
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, options.quality])
        if not done:
            raise SystemExit("a picture could not be encoded")
        data = data.tobytes()
        connection.send(f"{len(data)}, ".encode())
        expect_ok(connection)
        connection.sendall(data)
        expect_ok(connection)
        sent += 1
        print(f"delay: {(time.monotonic() - started) * 1000:.1f} ms")
    connection.send(b"over")
    connection.close()
    print(f"sent {sent}")


main()
