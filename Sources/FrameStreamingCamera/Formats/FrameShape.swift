internal import FrameStreamingCore

/// How the driver's buffers become Frames of one format.
struct FrameShape: Sendable {
    /// How a Frame is made of a buffer.
    enum Making: Hashable {
        /// The Frame is the buffer.
        case lease
        /// The Frame is the part of the buffer that holds a JPEG.
        case jpeg
        /// Planes in separate memory are joined.
        case gather
        /// libv4lconvert converts the buffer.
        case convert
    }

    let format: FrameFormat
    let making: Making

    /// - Throws: `unsupported` for a format that is inconsistent or
    ///   that this package does not read.
    init(_ node: NodeFormat, colorRange: ColorRange?, isConverted: Bool, path: String) throws(FrameStreamingError) {
        // enum v4l2_field: SEQ_TB, SEQ_BT and ALTERNATE separate the two fields of an image.
        guard !(5...7).contains(node.field) else {
            throw FrameStreamingError(
                .unsupported,
                "the camera delivers the two fields of a picture separately, which is not supported: switch its signal to progressive",
                subject: path)
        }
        if isConverted {
            making = .convert
            format = try FrameFormat(
                width: node.width, height: node.height, pixelFormat: .i420,
                colorRange: colorRange ?? node.colorRange(of: .i420), colorMatrix: node.colorMatrix(of: .i420))
            return
        }
        guard let native = NativeFormat.of(node.fourcc), node.planes.count == native.memoryPlanes else {
            throw FrameStreamingError(
                .unsupported, "the driver granted \(node.name) in \(node.planes.count) planes, which is not supported",
                subject: path)
        }
        let pixelFormat = native.pixelFormat
        making = pixelFormat == .jpeg ? .jpeg : native.memoryPlanes > 1 ? .gather : .lease
        var strides: [Int] = []
        if making == .lease, node.planes[0].stride > 0 {
            let stride = node.planes[0].stride
            strides = (0..<pixelFormat.planeCount).map { plane in
                plane > 0 && Self.halvesChroma(pixelFormat) ? (stride + 1) / 2 : stride
            }
        }
        let range = pixelFormat == .jpeg ? .full : colorRange ?? node.colorRange(of: pixelFormat)
        do throws(FrameStreamingError) {
            format = try FrameFormat(
                width: node.width, height: node.height, pixelFormat: pixelFormat, strides: strides,
                colorRange: range, colorMatrix: node.colorMatrix(of: pixelFormat))
        } catch {
            throw FrameStreamingError(
                .unsupported, "the driver granted an impossible format: \(error.message)", subject: path)
        }
    }

    /// Returns whether the chroma planes have half the stride of the luma plane, which is what
    /// bytesperline names.
    private static func halvesChroma(_ format: PixelFormat) -> Bool { [.i420, .yv12, .i422].contains(format) }
}
