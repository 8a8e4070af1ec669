/// A part of a window, in its pixels.
struct Area: Hashable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int
}

/// Width and height in pixels.
struct Size: Hashable {
    var width: Int
    var height: Int

    /// The largest size with the shape of this one that fits into `room`: larger or
    /// smaller, at least a pixel each way.
    func fitted(into room: Size) -> Size {
        // Cross products instead of ratios: exact, and no picture is so large that they overflow.
        if width * room.height >= height * room.width {
            return Size(width: room.width, height: max(1, (height * room.width + width / 2) / width))
        }
        return Size(width: max(1, (width * room.height + height / 2) / height), height: room.height)
    }
}

/// Where a picture is drawn in a window of another shape: as large as it fits,
/// centered, with its own aspect ratio.
func letterbox(_ picture: Size, in window: Size) -> Area {
    let size = picture.fitted(into: window)
    return Area(
        x: (window.width - size.width) / 2, y: (window.height - size.height) / 2, width: size.width, height: size.height
    )
}

/// The size of a new window for a picture of this size, on a display with `room`.
///
/// A pixel of the picture is one of the screen, unless that is too small to see or does not fit.
func windowSize(for picture: Size, room: Size) -> Size {
    let smallest = Size(width: min(320, room.width), height: min(240, room.height))
    if picture.width > room.width || picture.height > room.height { return picture.fitted(into: room) }
    return Size(width: max(picture.width, smallest.width), height: max(picture.height, smallest.height))
}
