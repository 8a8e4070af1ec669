internal import FrameStreamingCore

/// How the driver's buffers become Frames of one shape.
struct FrameShape: Sendable {
    /// What has to be done to a buffer.
    enum Making: Hashable {
        /// Nothing: a Frame is the buffer.
        case lease
        /// A Frame is the part of the buffer in which a JPEG lies.
        case jpeg
        /// Planes that lie apart are put together.
        case gather
        /// libv4lconvert makes it.
        case convert
    }

    let format: FrameFormat
    let making: Making

    /// - Throws: `unsupported` for what the driver says and cannot be, or is not ours to read.
    init(_ node: NodeFormat, colorRange: ColorRange?, isConverted: Bool, path: String) throws(FrameStreamingError) {
        // enum v4l2_field: SEQ_TB, SEQ_BT, ALTERNATE keep the two halves of a picture apart.
        guard !(5...7).contains(node.field) else {
            throw FrameStreamingError(
                .unsupported,
                "the camera delivers the two fields of a picture apart, and \(node.name) pictures in one piece are needed: switch its signal to progressive",
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
                .unsupported, "the driver granted \(node.name) in \(node.planes.count) planes, which cannot be read",
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
                .unsupported, "the driver granted what cannot be: \(error.message)", subject: path)
        }
    }

    /// Whether chroma planes of their own have half the line length: bytesperline is the luma's.
    private static func halvesChroma(_ format: PixelFormat) -> Bool { [.i420, .yv12, .i422].contains(format) }
}
