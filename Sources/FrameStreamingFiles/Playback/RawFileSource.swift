public import FrameStreamingCore
package import FrameStreamingSystem

/// Reads uncompressed video from a file, a FIFO or standard input: Y4M, or headerless video of a
/// given layout.
///
/// Each frame is read straight into a pool's buffer. A read that a deadline interrupts continues
/// where it stopped, so that nothing is lost. One thread at a time may use the source; it may be
/// created on another.
public final class RawFileSource: FrameSource {
    /// False: the frames of a file wait until they are taken.
    public var isLive: Bool { false }
    /// The frames' shape; nil until the Y4M header of a FIFO or standard input has arrived.
    public private(set) var format: FrameFormat?
    /// Frames per second: those of the options, else of the file, else 30.
    public private(set) var frameRate: FrameRate
    /// Complete frames in one pass over the file; nil where the input has no size. A Y4M file with
    /// parameters on its FRAME lines holds fewer.
    public private(set) var frameCount: Int?

    private let options: PlaybackOptions
    private let pool: FramePool
    private let isY4M: Bool
    private let isPaced: Bool
    private let meter: InputMeter
    private var input: BufferedInput
    private var pacer: Pacer
    /// The offset of the first frame, or of its FRAME line.
    private var start = 0
    private var pending: FrameBuffer?
    private var filled = 0
    /// Whether the bytes of `pending` waited to be read, so that their arrival is not known.
    private var isLate = false
    private var delivered: UInt64 = 0
    private var deliveredSinceStart: UInt64 = 0
    private var outcome: Outcome?

    /// How reading ended; each later call reports the same.
    private enum Outcome { case end, failure(FrameStreamingError) }

    /// Opens a file, a FIFO or, with "-", standard input.
    ///
    /// Never waits: the bytes of a pipe are read by ``next(until:)`` and ``readHeader(until:)``.
    ///
    /// - Parameters:
    ///   - path: The file to read. Standard input is read from its current position, and not
    ///     closed.
    ///   - layout: The shape of headerless frames, without padding; nil = Y4M.
    ///   - options: Rate, loop, pace; all but ``PlaybackOptions/live``.
    /// - Throws: `notFound`, `notPermitted`; `invalidArgument` for a directory or a compressed
    ///   layout; `unsupported` for a layout with padding, or a loop over an input that can be
    ///   read only once; `truncatedInput` for a file that is empty, ends behind its header, or is
    ///   smaller than a frame; `malformedInput`, `unsupported`, `limitExceeded` for an unusable Y4M header.
    public convenience init(
        path: String, layout: FrameFormat? = nil, options: PlaybackOptions = PlaybackOptions()
    ) throws(FrameStreamingError) {
        try self.init(FileInput(path: path, clock: options.clock), layout: layout, options: options)
    }

    /// Reads from a descriptor, from its current position. The descriptor is polled before each
    /// read, and stays blocking.
    package convenience init(
        _ descriptor: Descriptor, name: String, layout: FrameFormat? = nil, options: PlaybackOptions = PlaybackOptions()
    ) throws(FrameStreamingError) {
        try self.init(FileInput(descriptor, name: name, clock: options.clock), layout: layout, options: options)
    }

    init(
        _ file: FileInput, layout: FrameFormat?, options: PlaybackOptions, meter: InputMeter = InputMeter()
    ) throws(FrameStreamingError) {
        try file.checkLoop(options.loop)
        self.meter = meter
        isPaced = options.isPaced(file)
        meter.states(options.statedRate(of: file, nil))
        input = BufferedInput(file)
        self.options = options
        pool = FramePool(capacity: options.poolCapacity)
        isY4M = layout == nil
        frameRate = options.rate ?? .thirty
        pacer = Pacer(rate: options.rate ?? .thirty)
        if let layout {
            try take(layout)
            try checkSize(of: layout)
        } else if file.size != nil {
            try readHeader(until: .never)
        }
    }

    /// Waits for the header, if the input has one that has not arrived yet.
    ///
    /// - Returns: The frames' shape.
    /// - Throws: `timedOut` when the header had not arrived by the deadline; call again. Otherwise
    ///   as ``init(path:layout:options:)``.
    @discardableResult
    public func readHeader(until deadline: Deadline) throws(FrameStreamingError) -> FrameFormat {
        if let format { return format }
        _ = try input.readAhead(Y4MHeader.magic.count, until: deadline)
        if input.buffered == 0 { throw input.file.empty }
        guard input.begins(with: Y4MHeader.magic) else {
            throw error(
                .malformedInput,
                "is not Y4M: give the size and pixel format of headerless video, or convert it: "
                    + InputKind.conversion(of: input.file))
        }
        guard let length = try input.lineLength(limit: Y4MHeader.longestLine, until: deadline) else {
            throw input.buffered < Y4MHeader.longestLine
                ? error(.truncatedInput, "ends inside its Y4M header: it is truncated")
                : error(.limitExceeded, "its Y4M header is longer than \(Y4MHeader.longestLine) bytes: it is damaged")
        }
        let header: Y4MHeader
        let layout: FrameFormat
        do throws(FrameStreamingError) {
            header = try Y4MHeader(parsing: (0..<length).map { input.peek($0) })
            layout = try FrameFormat(
                width: header.width, height: header.height, pixelFormat: header.pixelFormat,
                colorRange: header.colorRange ?? .limited, colorMatrix: header.colorMatrix ?? .unspecified)
        } catch {
            throw self.error(error.code, error.message)
        }
        try take(layout)
        input.skip(length + 1)
        start = length + 1
        frameRate = options.rate ?? header.rate ?? .thirty
        meter.states(options.statedRate(of: input.file, header.rate))
        pacer = Pacer(rate: frameRate)
        if let size = input.file.size {
            guard size > start else { throw withoutPicture }
            frameCount = (size - start) / (Y4MHeader.frameMagic.count + 1 + layout.byteCount)
        }
        return format ?? layout
    }

    private func take(_ layout: FrameFormat) throws(FrameStreamingError) {
        guard layout.planeCount > 0 else {
            throw error(
                .invalidArgument,
                layout.pixelFormat == .jpeg
                    ? "\(layout.pixelFormat) has no fixed size: read JPEGs with EncodedFileSource"
                    : "the layout of \(layout.pixelFormat) is not known: give one of \(PixelFormat.list(PixelFormat.allNamed))"
            )
        }
        guard layout.isTightlyPacked else {
            throw error(.unsupported, "headerless video must not have padding between its lines: remove it")
        }
        guard layout.byteCount <= options.maximumFrameByteCount else {
            throw error(
                .limitExceeded,
                "a picture of \(layout) has \(layout.byteCount) bytes, over the limit of \(options.maximumFrameByteCount)"
            )
        }
        var layout = layout
        if let range = options.colorRange { layout.colorRange = range }
        format = layout
    }

    private func checkSize(of layout: FrameFormat) throws(FrameStreamingError) {
        guard let size = input.file.size else { return }
        guard size >= layout.byteCount else {
            throw error(
                .truncatedInput,
                "has \(size) bytes, but one picture of \(layout) needs \(layout.byteCount): check the size and format")
        }
        frameCount = size / layout.byteCount
    }

    /// Returns the next frame, when it is due or has arrived; nil at the end.
    ///
    /// The capture time is the time of handing out for a paced frame, and else that of arrival; nil
    /// if the frame waited to be read, because then its arrival is not known.
    ///
    /// - Throws: `timedOut` when the frame had not arrived or was not due by the deadline; the
    ///   bytes that were read are kept. `truncatedInput` where the input ends inside a frame, with
    ///   the number of missing bytes; `malformedInput` where a FRAME line is missing. The complete
    ///   frames before are returned first, and each later call throws the same error.
    public func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        try meter.measure(on: options.clock) { () throws(FrameStreamingError) in try read(until: deadline) }
    }

    private func read(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        switch outcome {
        case .end: return nil
        case .failure(let failure): throw failure
        case nil: break
        }
        do throws(FrameStreamingError) {
            let layout = try readHeader(until: deadline)
            guard try completePicture(layout, until: deadline) else {
                outcome = .end
                return nil
            }
            if isPaced { try pacer.wait(on: options.clock, until: deadline) }
            guard let buffer = pending.take() else { return nil }
            let frame = try buffer.makeFrame(
                format: layout, captureTime: captureTime, sequence: delivered)
            pacer.handedOut()
            delivered += 1
            deliveredSinceStart += 1
            return .frame(frame)
        } catch {
            if error.code != .timedOut { outcome = .failure(error) }
            throw error
        }
    }

    private var captureTime: CaptureTime? {
        if isPaced || !input.file.hasOwnPace { return CaptureTime(options.clock.now) }
        return isLate || input.file.arrival.isBehind ? nil : CaptureTime(input.file.arrival.readAt)
    }

    /// Reads until `pending` is a complete frame; false at the end.
    private func completePicture(
        _ layout: FrameFormat, until deadline: Deadline
    ) throws(FrameStreamingError) -> Bool {
        while true {
            if var buffer = pending.take() {
                // Stored again even after an error, because the bytes that were read are kept.
                let result = fill(&buffer, until: deadline)
                pending = consume buffer
                if case .failure(let failure) = result { throw failure }
                if filled == layout.byteCount { return true }
                if isY4M || filled > 0 { throw cut(layout, missing: layout.byteCount - filled) }
                pending = nil
            } else if try beginPicture(layout, until: deadline) {
                pending = pool.buffer(byteCount: layout.byteCount)
                filled = 0
                continue
            }
            // The input ended between two frames.
            if deliveredSinceStart == 0 { throw isY4M ? withoutPicture : input.file.empty }
            guard options.loop, deliveredSinceStart > 0 else { return false }
            try input.rewind(to: start)
            deliveredSinceStart = 0
        }
    }

    private func fill(_ buffer: inout FrameBuffer, until deadline: Deadline) -> Result<Void, FrameStreamingError> {
        let wanted = buffer.byteCount
        var bytes = buffer.bytes
        do throws(FrameStreamingError) {
            while filled < wanted {
                let count = try input.read(into: &bytes, at: filled, until: deadline)
                if count == 0 { break }
                if filled == 0 { isLate = input.file.arrival.isBehind }
                filled += count
            }
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// Skips the FRAME line, if the format has one; false at the end.
    private func beginPicture(
        _ layout: FrameFormat, until deadline: Deadline
    ) throws(FrameStreamingError) -> Bool {
        guard isY4M else { return true }
        let magic = Y4MHeader.frameMagic
        let isThere = try input.readAhead(magic.count + 1, until: deadline)
        let present = min(input.buffered, magic.count)
        if present == 0 { return false }
        guard (0..<present).allSatisfy({ input.peek($0) == magic[$0] }) else { throw noFrameLine() }
        guard isThere else { throw cutLine() }
        // The magic word is followed by the line's end, or by a blank and parameters, none of which
        // changes how the frame is read.
        let following = input.peek(magic.count)
        guard [UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: " "), UInt8(ascii: "\t")].contains(following) else {
            throw noFrameLine()
        }
        guard let length = try input.lineLength(limit: Y4MHeader.longestLine, until: deadline) else {
            if input.buffered >= Y4MHeader.longestLine { throw noFrameLine() }
            throw cutLine()
        }
        input.skip(length + 1)
        return true
    }

    /// The error for an input that ends behind its header.
    private var withoutPicture: FrameStreamingError {
        error(
            .truncatedInput, "ends behind its header, without a picture: did the program that writes it fail?")
    }

    private func cutLine() -> FrameStreamingError {
        error(
            .truncatedInput,
            "ends inside the FRAME line behind \(deliveredSinceStart) whole pictures: it is truncated")
    }

    private func noFrameLine() -> FrameStreamingError {
        if input.begins(with: Y4MHeader.magic) {
            return error(
                .malformedInput,
                "has another Y4M header behind picture \(deliveredSinceStart): it is two files in one; send them one after the other, or join them with ffmpeg"
            )
        }
        return error(
            .malformedInput, "has no FRAME line where picture \(deliveredSinceStart) should begin: it is damaged")
    }

    private func cut(_ layout: FrameFormat, missing: Int) -> FrameStreamingError {
        error(
            .truncatedInput,
            "ends inside a picture: \(missing) of \(layout.byteCount) bytes are missing after \(deliveredSinceStart) whole "
                + "pictures of \(layout); it is truncated, or has another size or format")
    }

    private func error(_ code: FrameStreamingError.Code, _ words: String) -> FrameStreamingError {
        FrameStreamingError(code, words, subject: input.file.name)
    }
}
