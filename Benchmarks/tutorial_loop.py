"""The tutorial's loop with OpenCV: a client that encodes and a server that decodes, two processes, two answers a frame.

usage: tutorial_loop.py CLIP.y4m FRAMES QUALITY
The pictures are in memory as BGR before the clock starts. Prints {"fps": ...}.
"""
import json
import multiprocessing
import socket
import sys
import time

import cv2
import numpy as np


def pictures(path):
    """The clip's frames as BGR."""
    with open(path, "rb") as file:
        words = file.readline().decode().split()
        width = int(next(w for w in words if w[0] == "W")[1:])
        height = int(next(w for w in words if w[0] == "H")[1:])
        result = []
        while file.readline():
            planes = np.frombuffer(file.read(width * height * 3 // 2), np.uint8).reshape(height * 3 // 2, width)
            result.append(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420))
    return result


def serve(listener):
    connection, _ = listener.accept()
    while True:
        text = connection.recv(1024).decode()
        if text == "over":
            return
        length = int(text.split(",")[0])
        connection.send(b"ok")
        data = b""
        while len(data) < length:
            data += connection.recv(length - len(data))
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        connection.send(b"ok")


def main():
    path, count, quality = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    listener = socket.create_server(("127.0.0.1", 0))
    server = multiprocessing.Process(target=serve, args=(listener,))
    server.start()
    frames = pictures(path)
    client = socket.create_connection(listener.getsockname())
    start = time.monotonic()
    for index in range(count):
        _, data = cv2.imencode(".jpg", frames[index % len(frames)], [cv2.IMWRITE_JPEG_QUALITY, quality])
        data = data.tobytes()
        client.send(f"{len(data)}, ".encode())
        assert client.recv(1024) == b"ok"
        client.sendall(data)
        assert client.recv(1024) == b"ok"
    seconds = time.monotonic() - start
    client.send(b"over")
    server.join()
    print(json.dumps({"fps": count / seconds}))


if __name__ == "__main__":
    main()
