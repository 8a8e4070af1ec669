"""Pictures that the checks make, and how far two pictures are apart."""
import numpy


def luma(number, width, height):
    """Waves that travel: natural enough for JPEG, and each frame far from its neighbours."""
    y, x = numpy.mgrid[0:height, 0:width].astype("float64")
    wave = numpy.sin(x / 23 + number * 0.5) * numpy.cos(y / 19 - number * 0.3) + 0.3 * numpy.sin((x + 2 * y) / 5.5)
    return numpy.clip(125 + 80 * wave, 16, 235).round().astype("uint8")


def picture(number, width, height):
    """A colour picture, BGR as OpenCV has it."""
    green = luma(number, width, height)
    blue = numpy.roll(green, 40, axis=1) // 2 + 60
    red = 255 - numpy.roll(green, 40, axis=0)
    return numpy.dstack([blue, green, red]).astype("uint8")


def write_y4m(path, frames, width, height):
    """Gray-blue waves as limited-range 4:2:0, which is what a Y4M file without a tag is."""
    with open(path, "wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(frames):
            chroma_shape = ((height + 1) // 2, (width + 1) // 2)
            file.write(b"FRAME\n" + luma(number, width, height).tobytes())
            file.write(numpy.full(chroma_shape, 120, "uint8").tobytes())
            file.write(numpy.full(chroma_shape, 140, "uint8").tobytes())


def read_y4m(path):
    """The luma planes of a 4:2:0 file, one by one, and its header."""
    with open(path, "rb") as file:
        header = file.readline().decode().split()
        width, height = (int(next(word[1:] for word in header if word[0] == side)) for side in "WH")
        chroma = ((width + 1) // 2) * ((height + 1) // 2) * 2
        while True:
            line = file.readline()
            if not line:
                return
            if not line.startswith(b"FRAME"):
                raise ValueError(f"{path}: no FRAME line")
            data = file.read(width * height + chroma)
            if len(data) < width * height + chroma:
                raise ValueError(f"{path}: cut")
            yield numpy.frombuffer(data, "uint8", width * height).reshape(height, width)


def squared_error(left, right):
    difference = left.astype("int32") - right.astype("int32")
    return float((difference * difference).mean())


def psnr(error):
    """In dB, of a mean squared error."""
    return 99.0 if error == 0 else float(10 * numpy.log10(255 * 255 / error))
