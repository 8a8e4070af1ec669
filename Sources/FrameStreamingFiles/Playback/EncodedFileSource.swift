public import FrameStreamingCore
package import FrameStreamingSystem

/// Reads consecutive JPEG frames (MJPEG) from a file, a FIFO or standard input, and passes them on
/// unchanged.
///
/// Walking through a JPEG's segments finds its end; bytes between two JPEGs, such as the headers of
/// `multipart/x-mixed-replace`, are skipped. A damaged frame is left out, counted
/// (``damagedFrameCount``) and reported (`SourceEvent.damaged`), and the next one begins at the next
/// FF D8 FF. A complete frame without its EOI gets one. One thread at a time may use the source; it
/// may be created on another.
public final class EncodedFileSource: FrameSource {
    /// False: the frames of a file wait until they are taken.
    public var isLive: Bool { false }
    /// Frames per second: those of the options, or 30, because an MJPEG file does not state a rate.
    public let frameRate: FrameRate
    /// The frames that were left out, because they are cut, damaged or larger than
    /// ``PlaybackOptions/maximumFrameByteCount``.
    public var damagedFrameCount: Int { damage.total }

    private let options: PlaybackOptions
    private let pool: FramePool
    private var input: FileInput
    private let isPaced: Bool
    private let meter: InputMeter
    private var pacer: Pacer
    private var window = InputWindow()
    private var parser: MJPEGParser
    private var damage = DamageReport()
    /// The complete frame at the start of the window, which is not due yet.
    private var pending: MJPEGParser.Picture?
    /// Whether the next frame's bytes waited to be read, so that their arrival is not known; nil =
    /// none of them was read yet.
    private var isLate: Bool?
    /// When the bytes in the window had been read, before the read that followed.
    private var lastBytesReadAt: MonotonicTime?
    private var hasEnded = false
    private var bytesRead = false
    private var delivered: UInt64 = 0
    private var deliveredSinceStart: UInt64 = 0
    private var outcome: Outcome?

    /// How reading ended; each later call reports the same.
    private enum Outcome { case end, failure(FrameStreamingError) }

    /// Opens a file, a FIFO or, with "-", standard input. Never waits.
    ///
    /// - Parameters:
    ///   - path: The file to read. Standard input is read from its current position, and not
    ///     closed.
    ///   - options: Rate, loop, pace; all but ``PlaybackOptions/live``. A JPEG has full colour
    ///     range; the option's colour range states what its source had.
    /// - Throws: `notFound`, `notPermitted`; `invalidArgument` for a directory; `unsupported` for a
    ///   loop over an input that can be read only once; `truncatedInput` for an empty file.
    public convenience init(
        path: String, options: PlaybackOptions = PlaybackOptions()
    ) throws(FrameStreamingError) {
        try self.init(FileInput(path: path, clock: options.clock), options: options)
    }

    /// Reads from a descriptor, from its current position. The descriptor is polled before each
    /// read, and stays blocking.
    package convenience init(
        _ descriptor: Descriptor, name: String, options: PlaybackOptions = PlaybackOptions()
    ) throws(FrameStreamingError) {
        try self.init(FileInput(descriptor, name: name, clock: options.clock), options: options)
    }

    init(
        _ input: FileInput, options: PlaybackOptions, meter: InputMeter = InputMeter()
    ) throws(FrameStreamingError) {
        try input.checkLoop(options.loop)
        self.meter = meter
        isPaced = options.isPaced(input)
        meter.states(options.statedRate(of: input, nil))
        self.input = input
        self.options = options
        frameRate = options.rate ?? .thirty
        pool = FramePool(capacity: options.poolCapacity)
        pacer = Pacer(rate: frameRate)
        parser = MJPEGParser(maximumFrameByteCount: options.maximumFrameByteCount)
    }

    /// Returns the next frame, when it is due or has arrived, or a report of damaged ones; nil at the
    /// end.
    ///
    /// The capture time is the time of handing out for a paced frame, and else that of arrival; nil
    /// if the frame waited to be read, because then its arrival is not known. The first damaged
    /// frame is reported at once, and those after it once a minute and at the end.
    ///
    /// - Throws: `timedOut` when the frame had not arrived or was not due by the deadline; the
    ///   bytes that were read are kept. At the end of an input without a single frame: the error of
    ///   the first damaged one (`truncatedInput`, `corruptImage`, `limitExceeded`,
    ///   `unsupported`), `truncatedInput` where no byte arrived, else `malformedInput`. Each later
    ///   call throws the same error.
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
            while pending == nil {
                if let report = damage.take(at: options.clock.now) { return report }
                guard try findPicture(until: deadline) else {
                    if let report = damage.take(at: options.clock.now, isLast: true) { return report }
                    outcome = .end
                    return nil
                }
            }
            if isPaced { try pacer.wait(on: options.clock, until: deadline) }
            guard let picture = pending.take() else { return nil }
            let frame = try takePicture(picture)
            pacer.handedOut()
            return .frame(frame)
        } catch {
            if error.code == .timedOut { throw error }
            outcome = .failure(error)
            // The frames that were damaged before are reported first.
            if delivered > 0, let report = damage.take(at: options.clock.now, isLast: true) { return report }
            throw error
        }
    }

    private func captureTime(of picture: MJPEGParser.Picture) -> CaptureTime? {
        if isPaced || !input.hasOwnPace { return CaptureTime(options.clock.now) }
        if isLate ?? true || input.arrival.isBehind { return nil }
        // The last read only brought the start of the next one, or the end of the input.
        let wasReadAt = picture.needsEnd ? lastBytesReadAt : nil
        return CaptureTime(wasReadAt ?? input.arrival.readAt)
    }

    private func takePicture(_ picture: MJPEGParser.Picture) throws(FrameStreamingError) -> Frame {
        let length = picture.byteCount
        var buffer = pool.buffer(byteCount: length + (picture.needsEnd ? 2 : 0))
        unsafe buffer.withUnsafeMutableBytes { target in
            unsafe window.copy(length, to: target)
            if picture.needsEnd {
                unsafe target[length] = 0xFF
                unsafe target[length + 1] = 0xD9
            }
        }
        var frame = try buffer.makeFrame(
            format: FrameFormat(width: picture.header.width, height: picture.header.height, pixelFormat: .jpeg),
            captureTime: captureTime(of: picture), sequence: delivered)
        if let range = options.colorRange { frame.sourceColorRange = range }
        window.drop(picture.used)
        (isLate, lastBytesReadAt) = (nil, nil)
        delivered += 1
        deliveredSinceStart += 1
        return frame
    }

    /// Reads until a frame is pending or one is damaged; false at the end.
    private func findPicture(until deadline: Deadline) throws(FrameStreamingError) -> Bool {
        if isLate == nil, window.count > 0 { isLate = input.arrival.isBehind }
        while true {
            switch parser.next(in: &window, isLast: hasEnded) {
            case .frame(let picture):
                pending = picture
                return true
            case .damaged(let error):
                isLate = nil
                meter.damages()
                damage.note(self.error(error.code, "picture \(deliveredSinceStart): \(error.message)"))
                // A file never waits, so a long run of damage would outlast the deadline.
                if deadline.hasPassed { throw .timedOut("a JPEG picture in \(input.name)") }
                return true
            case .nothing: break
            }
            if hasEnded {
                try checkEnd()
                guard options.loop, deliveredSinceStart > 0 else { return false }
                try input.rewind(to: 0)
                window.clear()
                parser.restart()
                (hasEnded, deliveredSinceStart) = (false, 0)
            }
            guard delivered > 0 || damage.total > 0 || parser.skipped <= options.maximumFrameByteCount else {
                throw error(.malformedInput, "contains no JPEG in \(parser.skipped) bytes: is it an MJPEG file?")
            }
            if window.count > 0 { lastBytesReadAt = input.arrival.readAt }
            hasEnded = try !window.readMore(from: &input, until: deadline)
            bytesRead = bytesRead || !hasEnded
            isLate = isLate ?? input.arrival.isBehind
            if parser.skipped > 0, !hasEnded, deadline.hasPassed { throw .timedOut("a JPEG picture in \(input.name)") }
        }
    }

    /// Reports an input without a frame.
    private func checkEnd() throws(FrameStreamingError) {
        guard delivered == 0 else { return }
        if let first = damage.first { throw first }
        throw bytesRead ? error(.malformedInput, "contains no JPEG: is it an MJPEG file?") : input.empty
    }

    private func error(_ code: FrameStreamingError.Code, _ words: String) -> FrameStreamingError {
        FrameStreamingError(code, words, subject: input.name)
    }
}
