/// The shape of a picture: its size in pixels, its pixel format and where the planes lie.
///
/// Planes are stored inline (at most three), so that a format costs
/// no allocation and compares fast.
public struct FrameFormat: Hashable, Sendable {
    /// Pixels across, at least 1.
    public let width: Int
    /// Pixels down, at least 1.
    public let height: Int
    /// How the bytes are laid out.
    public let pixelFormat: PixelFormat
    /// Which values black and white have. RGB is full range by default, but may be limited (HDMI's
    /// 16...235); a JPEG is full (JFIF).
    public var colorRange: ColorRange
    /// Which weights made luma and chroma.
    public var colorMatrix: ColorMatrix
    /// The number of planes; 0 for a compressed or unknown format, whose bytes are one opaque run.
    public let planeCount: Int
    private let first: PlaneLayout
    private let second: PlaneLayout
    private let third: PlaneLayout

    /// The longest side of a picture: JPEG's limit is 65,535, and the
    /// product of two sides cannot overflow.
    public static let maximumSide = 65_535

    /// A picture whose planes follow one another, without padding.
    ///
    /// - Parameters:
    ///   - width: Pixels across, 1...65,535.
    ///   - height: Pixels down, 1...65,535.
    ///   - pixelFormat: Any format; one without a name here has no planes.
    ///   - colorRange: Limited for YUV with chroma and full for everything else, unless given. Gray
    ///     without a stated range is full in numpy and FFmpeg.
    ///   - colorMatrix: The luma weights.
    /// - Throws: `invalidArgument` for an invalid size.
    public init(
        width: Int, height: Int, pixelFormat: PixelFormat, colorRange: ColorRange? = nil,
        colorMatrix: ColorMatrix = .unspecified
    ) throws(FrameStreamingError) {
        try self.init(
            width: width, height: height, pixelFormat: pixelFormat, strides: [], offsets: [], colorRange: colorRange,
            colorMatrix: colorMatrix)
    }

    /// A picture as a driver or another library lays it out.
    ///
    /// - Parameters:
    ///   - width: Pixels across, 1...65,535.
    ///   - height: Pixels down, 1...65,535.
    ///   - pixelFormat: Any format; one without a name here has no planes.
    ///   - strides: Bytes from line to line for each plane in memory order; empty or 0 = no
    ///     padding.
    ///   - offsets: Bytes from the buffer's start to each plane; empty = each directly behind the
    ///     full lines of the last.
    ///   - colorRange: Limited for YUV with chroma and full for everything else, unless given. Gray
    ///     without a stated range is full in numpy and FFmpeg.
    ///   - colorMatrix: The luma weights.
    /// - Throws: `invalidArgument` for an invalid size, or a stride that is shorter than a line of
    ///   samples.
    public init(
        width: Int, height: Int, pixelFormat: PixelFormat, strides: [Int], offsets: [Int] = [],
        colorRange: ColorRange? = nil, colorMatrix: ColorMatrix = .unspecified
    ) throws(FrameStreamingError) {
        guard (1...Self.maximumSide).contains(width), (1...Self.maximumSide).contains(height) else {
            throw FrameStreamingError(
                .invalidArgument,
                "each side of a picture must be 1 to \(Self.maximumSide) pixels, not \(width)x\(height)")
        }
        let shapes = pixelFormat.planeShapes
        guard strides.isEmpty || strides.count == shapes.count, offsets.isEmpty || offsets.count == shapes.count else {
            throw FrameStreamingError(
                .invalidArgument,
                "\(pixelFormat) has \(shapes.count) planes, but \(strides.count) strides and \(offsets.count) offsets were given"
            )
        }
        var planes: [PlaneLayout] = []
        var next = 0
        for (index, shape) in shapes.enumerated() {
            let rowBytes = shape.rowBytes(width: width)
            let given = strides.isEmpty ? 0 : strides[index]
            let stride = given == 0 ? rowBytes : given
            let offset = offsets.isEmpty ? next : offsets[index]
            // 2^31: far beyond any real picture, and no sum of such numbers overflows.
            guard stride >= rowBytes, stride < 1 << 31, offset >= 0, offset < 1 << 40 else {
                throw FrameStreamingError(
                    .invalidArgument,
                    "plane \(index) of \(width)x\(height) \(pixelFormat): stride \(stride) at offset \(offset), but a line needs \(rowBytes) bytes"
                )
            }
            planes.append(
                PlaneLayout(offset: offset, stride: stride, rowBytes: rowBytes, height: shape.height(height)))
            next = offset + stride * shape.height(height)
        }
        self.width = width
        self.height = height
        self.pixelFormat = pixelFormat
        self.colorRange = colorRange ?? (pixelFormat.isYUV && pixelFormat != .gray8 ? .limited : .full)
        self.colorMatrix = colorMatrix
        planeCount = planes.count
        let none = PlaneLayout(offset: 0, stride: 0, rowBytes: 0, height: 0)
        first = planes.isEmpty ? none : planes[0]
        second = planes.count > 1 ? planes[1] : none
        third = planes.count > 2 ? planes[2] : none
    }

    /// The plane at `index` in memory order (YV12: Y, V, U).
    ///
    /// - Precondition: `0 <= index < planeCount`.
    public func plane(_ index: Int) -> PlaneLayout {
        precondition(index >= 0 && index < planeCount, "\(pixelFormat) has \(planeCount) planes")
        return index == 0 ? first : index == 1 ? second : third
    }

    /// The bytes that a buffer needs to hold every sample; 0 without planes.
    public var byteCount: Int {
        var end = 0
        for index in 0..<planeCount { end = max(end, plane(index).offset + plane(index).byteCount) }
        return end
    }

    /// Whether planes follow one another without padding, as in a headerless file.
    public var isTightlyPacked: Bool {
        var next = 0
        for index in 0..<planeCount {
            let plane = plane(index)
            if plane.offset != next || plane.stride != plane.rowBytes { return false }
            next += plane.byteCount
        }
        return true
    }
}

extension FrameFormat: CustomStringConvertible {
    /// `1280x720 I420 (YU12)`.
    public var description: String { "\(width)x\(height) \(pixelFormat)" }
}
