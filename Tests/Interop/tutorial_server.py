#!/usr/bin/env python3
"""The server of the classic OpenCV streaming tutorial, written anew: it takes pictures, one client after another.

The header is whatever one recv(1024) gives, up to the comma: nothing else may come with it. "over" ends a client, and the
next one is waited for. Each picture is decoded and, where a folder is given, kept as it was decoded.
"""
import argparse
import os
import socket

import cv2
import numpy


def receive_exactly(connection, length):
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise SystemExit("the client went away in the middle of a picture")
        data += part
    return data


def serve(connection, keep):
    count = 0
    while True:
        header = connection.recv(1024)
        if not header:
            print(f"client ended without over after {count}", flush=True)
            return False
        text = header.decode("ascii")
        if text == "over":
            print(f"over {count}", flush=True)
            return True
        length, rest = text.split(",")
        if rest != " ":
            raise SystemExit(f"not a header: {text!r}")
        connection.sendall(b"ok")
        data = receive_exactly(connection, int(length))
        picture = cv2.imdecode(numpy.frombuffer(data, dtype="uint8"), cv2.IMREAD_COLOR)
        if picture is None:
            raise SystemExit(f"picture {count} does not decode")
        if keep:
            numpy.save(os.path.join(keep, f"{count:06}.npy"), picture)
        count += 1
        connection.sendall(b"ok")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", help="a folder for the pictures")
    parser.add_argument("--clients", type=int, default=1)
    options = parser.parse_args()
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(5)
    print(f"port {server.getsockname()[1]}", flush=True)
    for number in range(options.clients):
        server.settimeout(60)
        connection, _ = server.accept()
        connection.settimeout(60)
        keep = None
        if options.keep:
            keep = os.path.join(options.keep, str(number))
            os.makedirs(keep)
        with connection:
            if not serve(connection, keep):
                raise SystemExit(1)


main()
