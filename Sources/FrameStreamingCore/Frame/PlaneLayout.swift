/// Where one plane of a picture lies in its buffer.
public struct PlaneLayout: Hashable, Sendable {
    /// Bytes from the start of the buffer to the plane's first sample.
    public var offset: Int
    /// Bytes from the start of one line to the start of the next (pitch, V4L2's bytesperline).
    public var stride: Int
    /// Bytes of each line that hold samples: `rowBytes <= stride`.
    public var rowBytes: Int
    /// Lines.
    public var height: Int

    /// A plane with its place and size, all but `height` in bytes.
    public init(offset: Int, stride: Int, rowBytes: Int, height: Int) {
        self.offset = offset
        self.stride = stride
        self.rowBytes = rowBytes
        self.height = height
    }

    /// Bytes from the plane's first to the end of its last sample: the last
    /// line needs no padding behind it.
    public var byteCount: Int { height == 0 ? 0 : stride * (height - 1) + rowBytes }
}

/// The samples of a plane for each pixel, from which its size follows for
/// any picture, including odd sizes.
struct PlaneShape: Hashable, Sendable {
    /// Pixels across that share one group of samples, and bytes of that group.
    var pixelsPerGroup: Int
    var bytesPerGroup: Int
    /// Lines of the picture that share a line of the plane.
    var linesPerLine: Int

    // Chroma of an odd size is rounded up, as TurboJPEG (TJPAD), V4L2 and Y4M do.
    func rowBytes(width: Int) -> Int { (width + pixelsPerGroup - 1) / pixelsPerGroup * bytesPerGroup }
    func height(_ height: Int) -> Int { (height + linesPerLine - 1) / linesPerLine }
}

extension PixelFormat {
    /// The planes of the format in memory order; none for a format that
    /// is compressed or has no name here.
    var planeShapes: [PlaneShape] {
        func plane(_ pixels: Int, _ bytes: Int, _ lines: Int) -> PlaneShape {
            PlaneShape(pixelsPerGroup: pixels, bytesPerGroup: bytes, linesPerLine: lines)
        }
        switch self {
        case .i420, .yv12: return [plane(1, 1, 1), plane(2, 1, 2), plane(2, 1, 2)]
        case .nv12, .nv21: return [plane(1, 1, 1), plane(2, 2, 2)]
        case .i422: return [plane(1, 1, 1), plane(2, 1, 1), plane(2, 1, 1)]
        case .i444: return [plane(1, 1, 1), plane(1, 1, 1), plane(1, 1, 1)]
        case .yuyv, .uyvy: return [plane(2, 4, 1)]
        case .rgb24, .bgr24: return [plane(1, 3, 1)]
        case .rgba32, .bgra32: return [plane(1, 4, 1)]
        case .gray8: return [plane(1, 1, 1)]
        default: return []
        }
    }

    /// The number of planes; 0 for a format that is compressed or has no name here.
    public var planeCount: Int { planeShapes.count }

    /// How many pixels share a chroma sample, across and down; nil for RGB and compressed formats.
    public var sampling: ChromaSubsampling? {
        switch self {
        case .i420, .yv12, .nv12, .nv21: .yuv420
        case .i422, .yuyv, .uyvy: .yuv422
        case .i444: .yuv444
        case .gray8: .gray
        default: nil
        }
    }
}
