public import FrameStreamingCore
package import FrameStreamingSystem

/// Reads consecutive JPEG frames (MJPEG) from a file, a FIFO or standard input, and passes them on
/// unchanged.
///
/// Walking through a JPEG's segments finds its end; bytes between two JPEGs are skipped. One thread
/// at a time may use the source; it may be created on another.
public final class EncodedFileSource: FrameSource {
    /// False: the frames of a file wait until they are taken.
    public var isLive: Bool { false }
    /// Frames per second: those of the options, or 30, because an MJPEG file does not state a rate.
    public let frameRate: FrameRate

    private let options: PlaybackOptions
    private let pool: FramePool
    private var input: FileInput
    private var pacer: Pacer
    /// The bytes that were read and not handed out yet: from `head` to `tail`.
    private var window: [UInt8] = []
    private var head = 0
    private var tail = 0
    /// The walk through the frame that begins at `head`; nil before one was found.
    private var segments: JPEGSegments?
    /// The length of the frame at `head`, once it is complete.
    private var whole: Int?
    private var junk = 0
    private var delivered: UInt64 = 0
    private var deliveredSinceStart: UInt64 = 0
    private var outcome: Outcome?

    /// How reading ended; each later call reports the same.
    private enum Outcome { case end, failure(FrameStreamingError) }

    /// The room for each read: a pipe holds 64 KiB, and a file fills any room.
    private static let chunk = 256 * 1024

    /// Opens a file, a FIFO or, with "-", standard input. Never waits.
    ///
    /// - Parameters:
    ///   - path: The file to read. Standard input is read from its current position, and not
    ///     closed.
    ///   - options: Rate, loop, pace. A JPEG has full colour range; the option's colour range
    ///     states what its source had.
    /// - Throws: `notFound`, `notPermitted`; `invalidArgument` for a directory; `unsupported` for a
    ///   loop over an input that can be read only once; `truncatedInput` for an empty file.
    public convenience init(
        path: String, options: PlaybackOptions = PlaybackOptions()
    ) throws(FrameStreamingError) {
        try self.init(FileInput(path: path), options: options)
    }

    /// Reads from a descriptor, from its current position. The descriptor is polled before each
    /// read, and stays blocking.
    package convenience init(
        _ descriptor: Descriptor, name: String, options: PlaybackOptions = PlaybackOptions()
    ) throws(FrameStreamingError) {
        try self.init(FileInput(descriptor, name: name), options: options)
    }

    private init(_ input: FileInput, options: PlaybackOptions) throws(FrameStreamingError) {
        try input.checkLoop(options.loop)
        self.input = input
        self.options = options
        frameRate = options.rate ?? .thirty
        pool = FramePool(capacity: options.poolCapacity)
        pacer = Pacer(rate: frameRate)
    }

    /// Returns the next frame when it is due; nil at the end.
    ///
    /// - Throws: `timedOut` when the frame had not arrived or was not due by the deadline; the
    ///   bytes that were read are kept. `truncatedInput` where the input ends inside a frame,
    ///   `corruptImage` for a damaged frame, `malformedInput` for an input without any, and
    ///   `limitExceeded` for a frame larger than ``PlaybackOptions/maximumFrameByteCount``. The
    ///   complete frames before are returned first, and each later call throws the same error.
    public func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        switch outcome {
        case .end: return nil
        case .failure(let failure): throw failure
        case nil: break
        }
        do throws(FrameStreamingError) {
            guard let (length, header) = try completePicture(until: deadline) else {
                outcome = .end
                return nil
            }
            if options.pace == .realtime { try pacer.wait(on: options.clock, until: deadline) }
            let frame = try takePicture(length, header)
            pacer.handedOut()
            return .frame(frame)
        } catch {
            if error.code != .timedOut { outcome = .failure(error) }
            throw error
        }
    }

    private func takePicture(_ length: Int, _ header: JPEGHeader) throws(FrameStreamingError) -> Frame {
        var buffer = pool.buffer(byteCount: length)
        let range = head..<head + length
        unsafe buffer.withUnsafeMutableBytes { target in
            // Rebasing checks that `length` bytes exist; the target is as long, and does not
            // overlap them.
            unsafe window.withUnsafeBytes { unsafe target.copyMemory(from: .init(rebasing: $0[range])) }
        }
        var frame = try buffer.makeFrame(
            format: FrameFormat(width: header.width, height: header.height, pixelFormat: .jpeg),
            captureTime: CaptureTime(options.clock.now), sequence: delivered)
        if let range = options.colorRange { frame.sourceColorRange = range }
        head += length
        segments = nil
        whole = nil
        delivered += 1
        deliveredSinceStart += 1
        return frame
    }

    /// Reads until the frame at `head` is complete; nil at the end.
    private func completePicture(
        until deadline: Deadline
    ) throws(FrameStreamingError) -> (length: Int, header: JPEGHeader)? {
        while true {
            if let whole, let header = segments?.header { return (whole, header) }
            if segments != nil || findStart() {
                try walk()
                if whole != nil { continue }
            }
            if try readMore(until: deadline) { continue }
            // The end of the input.
            if segments != nil || endsLikeStart {
                throw error(
                    .truncatedInput,
                    "ends \(tail - head) bytes into a picture, after \(deliveredSinceStart) whole pictures: it is truncated"
                )
            }
            guard delivered > 0 else {
                throw junk + tail == 0
                    ? input.empty : error(.malformedInput, "contains no JPEG: is it an MJPEG file?")
            }
            guard options.loop, deliveredSinceStart > 0 else { return nil }
            try input.rewind(to: 0)
            (head, tail, junk, deliveredSinceStart) = (0, 0, 0, 0)
        }
    }

    /// Skips to the next FF D8 FF; false if the buffer has none.
    private func findStart() -> Bool {
        var index = head
        while index + 2 < tail {
            if window[index] == 0xFF, window[index + 1] == 0xD8, window[index + 2] == 0xFF {
                junk = 0
                head = index
                segments = JPEGSegments()
                return true
            }
            index += 1
        }
        // The last two bytes may be the beginning of the marker.
        junk += index - head
        head = index
        return false
    }

    /// Whether the remaining bytes begin a frame. A lone FF is padding.
    private var endsLikeStart: Bool { tail - head == 2 && window[head] == 0xFF && window[head + 1] == 0xD8 }

    private func walk() throws(FrameStreamingError) {
        guard var walk = segments.take() else { return }
        do throws(FrameStreamingError) {
            // Bytes of UInt8: no padding is read.
            whole = try walk.advance(over: unsafe window.span.bytes.extracting(head..<tail))
            segments = walk
        } catch {
            throw self.error(error.code, "picture \(deliveredSinceStart): \(error.message)")
        }
        if (whole ?? tail - head) > options.maximumFrameByteCount {
            throw error(
                .limitExceeded,
                "picture \(deliveredSinceStart) is larger than the limit of \(options.maximumFrameByteCount) bytes")
        }
    }

    /// Reads once more; false at the end.
    private func readMore(until deadline: Deadline) throws(FrameStreamingError) -> Bool {
        guard junk <= options.maximumFrameByteCount else {
            throw error(.malformedInput, "contains no JPEG in \(junk) bytes: is it an MJPEG file?")
        }
        if window.count - tail < Self.chunk, head > 0 {
            unsafe window.withUnsafeMutableBytes { memory in
                // Rebasing checks that both ranges lie inside, and the copy may overlap itself
                // (memmove).
                unsafe UnsafeMutableRawBufferPointer(rebasing: memory[0..<tail - head])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[head..<tail]))
            }
            tail -= head
            head = 0
        }
        if window.count - tail < Self.chunk {
            window += [UInt8](repeating: 0, count: max(window.count, 2 * Self.chunk))
        }
        let count = try input.read(into: &window, at: tail, until: deadline)
        tail += count
        // A file never waits, so a long run of other bytes would outlast the deadline. The next
        // call continues the search.
        if junk > 0, count > 0, deadline.hasPassed { throw .timedOut("a JPEG picture in \(input.name)") }
        return count > 0
    }

    private func error(_ code: FrameStreamingError.Code, _ words: String) -> FrameStreamingError {
        FrameStreamingError(code, words, subject: input.name)
    }
}
