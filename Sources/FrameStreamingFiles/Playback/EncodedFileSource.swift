public import FrameStreamingCore
package import FrameStreamingSystem

/// JPEG pictures one after another (MJPEG) from a file, a FIFO or standard input, passed on as they are.
///
/// The end of a picture is found by walking through its segments; whatever lies between two pictures is left out. Make
/// it on the thread that uses it, or hand it over: one thread at a time.
public final class EncodedFileSource: FrameSource {
    /// A file's pictures wait for whoever takes them.
    public var isLive: Bool { false }
    /// Pictures per second: the options', else 30, as such a file does not say.
    public let frameRate: FrameRate

    private let options: PlaybackOptions
    private let pool: FramePool
    private var input: FileInput
    private var pacer: Pacer
    /// What was read and not yet handed out: from `head` to `tail`.
    private var window: [UInt8] = []
    private var head = 0
    private var tail = 0
    /// The walk through the picture that begins at `head`; nil where none was found yet.
    private var segments: JPEGSegments?
    /// The length of the picture at `head`, once it is all there.
    private var whole: Int?
    private var junk = 0
    private var delivered: UInt64 = 0
    private var deliveredSinceStart: UInt64 = 0
    private var outcome: Outcome?

    /// How it ended: told again to those who ask again.
    private enum Outcome { case end, failure(FrameStreamingError) }

    /// The room for each read: a pipe holds 64 KiB, and a file gives as much as there is room for.
    private static let chunk = 256 * 1024

    /// Opens a file, a FIFO or, with "-", standard input. Never waits.
    ///
    /// - Parameters:
    ///   - path: What to read. Standard input is read from where it stands, and not closed.
    ///   - options: Rate, loop, pace; the colour range of a JPEG is full, and that option says what the source's was.
    /// - Throws: `notFound`, `notPermitted`; `invalidArgument` for a directory; `unsupported` for a loop over what cannot be read
    ///   again; `truncatedInput` for an empty file.
    public convenience init(
        path: String, options: PlaybackOptions = PlaybackOptions()
    ) throws(FrameStreamingError) {
        try self.init(FileInput(path: path), options: options)
    }

    /// Reads from a descriptor, from where it stands. It is polled before each read, and stays blocking where it is.
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

    /// The next picture, when its time has come; nil at the end.
    ///
    /// - Throws: `timedOut` when it was not there or not due by the deadline: what was read of it is kept. `truncatedInput` where
    ///   the input ends inside a picture; `corruptImage` where one is damaged; `malformedInput` where there is none at all;
    ///   `limitExceeded` where one is larger than ``PlaybackOptions/largestFrame``. All after the whole pictures before, and
    ///   again when called again.
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
            // Rebasing checks that `length` bytes are there, the target is as long, and one is not in the other.
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

    /// Reads until the picture at `head` is whole; nil at the end.
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
                    "ends \(tail - head) bytes into a picture, after \(deliveredSinceStart) whole ones: it was cut")
            }
            guard delivered > 0 else {
                throw junk + tail == 0
                    ? input.empty : error(.malformedInput, "has no JPEG picture in it: is it an MJPEG file?")
            }
            guard options.loop, deliveredSinceStart > 0 else { return nil }
            try input.rewind(to: 0)
            (head, tail, junk, deliveredSinceStart) = (0, 0, 0, 0)
        }
    }

    /// Leaves out everything before the next FF D8 FF; false where there is none.
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
        // The last two bytes may be the start's first.
        junk += index - head
        head = index
        return false
    }

    /// Whether the bytes that are left are the first of a picture: a lone FF is padding.
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
        if (whole ?? tail - head) > options.largestFrame {
            throw error(
                .limitExceeded,
                "picture \(deliveredSinceStart) is larger than the limit of \(options.largestFrame) bytes")
        }
    }

    /// One more read; false at the end.
    private func readMore(until deadline: Deadline) throws(FrameStreamingError) -> Bool {
        guard junk <= options.largestFrame else {
            throw error(.malformedInput, "has no JPEG picture in \(junk) bytes: is it an MJPEG file?")
        }
        if window.count - tail < Self.chunk, head > 0 {
            unsafe window.withUnsafeMutableBytes { memory in
                // Both ranges lie inside, which rebasing checks, and the copy may overlap itself (memmove).
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
        // A file never waits, so long junk in one would outlast the deadline: the search goes on with the next call.
        if junk > 0, count > 0, deadline.hasPassed { throw .timedOut("a JPEG picture in \(input.name)") }
        return count > 0
    }

    private func error(_ code: FrameStreamingError.Code, _ words: String) -> FrameStreamingError {
        FrameStreamingError(code, words, subject: input.name)
    }
}
