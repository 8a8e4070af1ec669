public import FrameStreamingCore
package import FrameStreamingSystem

/// Writes raw YUV frames to a Y4M file, which most video programs read.
///
/// Each frame is one write, with its FRAME line. A kill in the middle of it leaves the frames
/// before complete: ``RawFileSource`` and FFmpeg read them, and the former then reports what is
/// missing.
///
/// A frame that was expanded to full range for JPEG returns to the range of its source, which the
/// header states (XCOLORRANGE). The matrix stays: BT.601 where the frame was a JPEG. Y4M has no
/// parameter for the matrix; ``RawFileSource`` reads the one that this package writes
/// (XCOLORMATRIX). Nor has it one for an orientation: the picture of a JPEG with an EXIF orientation
/// is written upright.
public final class Y4MRecorder: FrameRecorder {
    /// The recording's file: the requested path, or the next free name.
    public var path: String { file.path }
    /// The number of that name (``RecordingPath/numbered(_:_:)``).
    public var number: Int { file.number }
    /// Frames written so far.
    public private(set) var frameCount = 0

    private let rate: FrameRate
    private let file: RecordingFile
    private var format: FrameFormat?
    private var scratch: [UInt8] = []
    private let turned = FramePool(capacity: 1)
    private let frameLine = Array("FRAME\n".utf8)

    /// Creates the file, and locks it while the recorder is open.
    ///
    /// By default an existing recording is kept, and the recorder takes the next free name. A FIFO
    /// is waited for until it has a reader, and whenever that reader does not keep up.
    ///
    /// - Parameters:
    ///   - path: The file; `-` is standard output, which stays open.
    ///   - rate: Frames per second for the header, which players follow.
    ///   - options: What to do with an existing recording, and whether to sync each frame to the
    ///     disk.
    ///   - cancellation: Ends a wait for a FIFO's reader.
    /// - Throws: `alreadyExists`, `busy` where the options refuse a name; `notFound`,
    ///   `notPermitted`, `system` where the file cannot be created; `cancelled`.
    public init(
        path: String, rate: FrameRate = .thirty, options: RecordingOptions = RecordingOptions(),
        cancellation: RecordingCancellation? = nil
    ) throws(FrameStreamingError) {
        file = try RecordingFile(path: path, options, cancellation: cancellation)
        self.rate = rate
    }

    /// Writes to an open and empty descriptor.
    package init(_ descriptor: Descriptor, path: String, rate: FrameRate = .thirty) {
        file = RecordingFile(descriptor, path: path)
        self.rate = rate
    }

    /// Whether the frame is YUV or gray, with the size, subsampling, range and matrix of the first.
    public func accepts(_ frame: Frame) -> Bool {
        guard let upright = frame.format.turned(frame.uprightTurn),
            let packing = try? PlanarPacking(for: upright, sourceRange: frame.sourceColorRange)
        else { return false }
        return format.map { Self.isSame($0, packing.target) } ?? true
    }

    private static func isSame(_ left: FrameFormat, _ right: FrameFormat) -> Bool {
        left.width == right.width && left.height == right.height && left.pixelFormat == right.pixelFormat
            && left.colorRange == right.colorRange && matrix(left) == matrix(right)
    }

    // An unspecified matrix is taken for BT.601, and gray is the same in all.
    private static func matrix(_ format: FrameFormat) -> ColorMatrix {
        format.pixelFormat == .gray8 || format.colorMatrix == .unspecified ? .bt601 : format.colorMatrix
    }

    /// Writes one frame: I420, I422, I444 or GRAY8 with any strides, and YV12, NV12, NV21 (as
    /// 4:2:0), YUYV, UYVY (as 4:2:2).
    ///
    /// - Throws: `unsupported` for other pixel formats, and for a size, subsampling, range or
    ///   matrix other than the first frame's; `system` where the disk is full or fails;
    ///   `recordingLost` where another program has removed or changed the file; `cancelled`;
    ///   `closed` after ``close()``, and where a FIFO holds part of a frame.
    public func write(_ frame: Frame) throws(FrameStreamingError) {
        let frame = frame.format.planeCount == 0 ? frame : try frame.turned(from: turned)
        guard let packing = try PlanarPacking(for: frame.format, sourceRange: frame.sourceColorRange) else {
            throw FrameStreamingError(
                .unsupported,
                "Y4M holds YUV pictures, not \(frame.format.pixelFormat): decode to I420, or record MJPEG",
                subject: path)
        }
        let target = packing.target
        if let format, !Self.isSame(format, target) {
            throw FrameStreamingError(
                .unsupported,
                "all pictures of a Y4M file have one format: the first has \(format) (\(format.colorRange), \(Self.matrix(format))), "
                    + "this one \(target) (\(target.colorRange), \(Self.matrix(target))); start another file",
                subject: path)
        }
        // The header is written with the first frame, so that a file never has half of one.
        let lead = format == nil ? Array(try Y4MHeader(format: target, rate: rate).line.utf8) + frameLine : frameLine
        if packing.isIdentity(for: frame) {
            try unsafe file.append(lead.span.bytes, frame.bytes.extracting(0..<target.byteCount))
        } else {
            // Moved out of the property while it is borrowed, and back for the next frame.
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

    /// Closes the file's descriptor until the next frame; the file must not change meanwhile. A
    /// FIFO or a device stays open.
    public func suspend() {
        file.suspend()
        scratch = []
    }

    /// Ends the recording, and removes a file that it created and that has no frame. May be called
    /// again.
    public func close() { file.close() }
}
