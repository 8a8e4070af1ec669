public import FrameStreamingCore
package import FrameStreamingSystem

/// Writes raw YUV pictures to a Y4M file, which most video programs read.
///
/// Each picture goes out in one call with its FRAME line. A kill in the middle of one leaves the pictures before it whole:
/// ``RawFileSource`` and FFmpeg read them, and the former then says what is missing. A picture that was expanded to full
/// range for JPEG goes back to the range of its source, and the header says which (XCOLORRANGE). The
/// matrix stays: BT.601 where the picture was a JPEG. Y4M has no word for it; ``RawFileSource`` reads ours (XCOLORMATRIX).
public final class Y4MRecorder: FrameRecorder {
    /// The file that it writes: the path that was given, or the next one that was free.
    public var path: String { file.path }
    /// Which of the numbered names that is (``RecordingPath/numbered(_:_:)``).
    public var number: Int { file.number }
    /// Pictures written so far.
    public private(set) var frameCount = 0

    private let rate: FrameRate
    private let file: RecordingFile
    private var format: FrameFormat?
    private var scratch: [UInt8] = []
    private let frameLine = Array("FRAME\n".utf8)

    /// Makes the file, which no other recorder writes as long as it is open. A recording that is there is kept, and this one has the next
    /// name then, unless `options` say otherwise. A FIFO's reader is waited for, here and when it does not keep up.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - rate: Pictures per second for the header: players go by it.
    ///   - options: What to do where there is a recording already, and whether to sync each frame to the disk.
    ///   - cancellation: Ends such a wait.
    /// - Throws: `alreadyExists`, `busy` where the options refuse a name; `notFound`, `notPermitted`, `system` where the file cannot be made; `cancelled`.
    public init(
        path: String, rate: FrameRate = .thirty, options: RecordingOptions = RecordingOptions(),
        cancellation: RecordingCancellation? = nil
    ) throws(FrameStreamingError) {
        file = try RecordingFile(path: path, options, cancellation: cancellation)
        self.rate = rate
    }

    /// Writes to a descriptor that is open and empty.
    package init(_ descriptor: Descriptor, path: String, rate: FrameRate = .thirty) {
        file = RecordingFile(descriptor, path: path)
        self.rate = rate
    }

    /// Whether it is a YUV or gray picture of the first one's size, subsampling, range and matrix.
    public func accepts(_ frame: Frame) -> Bool {
        guard let packing = try? PlanarPacking(for: frame) else { return false }
        return format.map { Self.isSame($0, packing.target) } ?? true
    }

    private static func isSame(_ left: FrameFormat, _ right: FrameFormat) -> Bool {
        left.width == right.width && left.height == right.height && left.pixelFormat == right.pixelFormat
            && left.colorRange == right.colorRange && matrix(left) == matrix(right)
    }

    // What is not told is taken for BT.601, and gray is the same in all.
    private static func matrix(_ format: FrameFormat) -> ColorMatrix {
        format.pixelFormat == .gray8 || format.colorMatrix == .unspecified ? .bt601 : format.colorMatrix
    }

    /// Writes one picture: I420, I422, I444 or GRAY8 with any strides, and YV12, NV12, NV21 (as 4:2:0), YUYV, UYVY (as 4:2:2).
    ///
    /// - Throws: `unsupported` for other pixel formats, and where size, subsampling, range or matrix are not those of the first; `system`
    ///   where the disk is full or fails; `recordingLost` where another program has removed or changed the file; `cancelled`; `closed` after ``close()``, and where a FIFO has half a picture.
    public func write(_ frame: Frame) throws(FrameStreamingError) {
        guard let packing = try PlanarPacking(for: frame) else {
            throw FrameStreamingError(
                .unsupported,
                "Y4M holds YUV pictures, not \(frame.format.pixelFormat): decode to I420, or record MJPEG",
                subject: path)
        }
        let target = packing.target
        if let format, !Self.isSame(format, target) {
            throw FrameStreamingError(
                .unsupported,
                "a Y4M file has one format: it began with \(format) (\(format.colorRange), \(Self.matrix(format))), and now comes "
                    + "\(target) (\(target.colorRange), \(Self.matrix(target))); start another file", subject: path)
        }
        // The header goes with the first picture, so that a file never has half of one.
        let lead = format == nil ? Array(try Y4MHeader(format: target, rate: rate).line.utf8) + frameLine : frameLine
        if packing.isIdentity(for: frame) {
            try unsafe file.append(lead.span.bytes, frame.bytes.extracting(0..<target.byteCount))
        } else {
            // Out of the property while it is borrowed, and back for the next picture.
            var packed: [UInt8] = []
            swap(&packed, &scratch)
            defer { scratch = packed }
            if packed.count < target.byteCount { packed = [UInt8](repeating: 0, count: target.byteCount) }
            packing.pack(frame, into: &packed)
            try unsafe file.append(lead.span.bytes, packed.span.bytes.extracting(0..<target.byteCount))
        }
        format = target
        frameCount += 1
    }

    /// Closes the file until the next frame, to spare its descriptor; it may not be changed meanwhile. A FIFO or a device stays open.
    public func suspend() {
        file.suspend()
        scratch = []
    }

    /// Ends the recording, and removes a file that was made for it and has no frame. Again and again.
    public func close() { file.close() }
}
