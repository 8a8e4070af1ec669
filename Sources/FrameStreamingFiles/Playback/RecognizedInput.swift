import FrameStreamingCore

/// Reads an input as what it is, which its first bytes tell. One thread at a time may use it.
final class RecognizedInput: LiveInput {
    private let options: PlaybackOptions
    private let content: FileContent
    private let looksEncoded: Bool
    private let meter: InputMeter
    private var state: State
    private var search = InputSearch()
    /// Whether the input is live by its nature; nil = its first bytes have not arrived.
    private(set) var isLiveByNature: Bool?

    private enum State {
        /// The first bytes have not arrived.
        case unknown(FileInput)
        case raw(RawFileSource)
        case encoded(EncodedFileSource)
        /// Each later call reports the same.
        case failed(FrameStreamingError)
    }

    /// Never waits, except for the first bytes of a regular file.
    ///
    /// - Parameter looksEncoded: Whether the input's name says that it has JPEGs.
    init(
        _ input: FileInput, as content: FileContent, looksEncoded: Bool, _ options: PlaybackOptions, _ meter: InputMeter
    ) throws(FrameStreamingError) {
        try input.checkLoop(options.loop)
        self.options = options
        self.content = content
        self.looksEncoded = looksEncoded
        self.meter = meter
        if case .raw(let layout) = content {
            state = .raw(try RawFileSource(input, layout: layout, options: options, meter: meter))
            isLiveByNature = input.isDevice
            return
        }
        state = .unknown(input)
        if input.isDevice { isLiveByNature = true }
        if input.size != nil { try recognize(until: .never) }
    }

    /// Complete frames in one pass over a regular file; nil where that is not known.
    var frameCount: Int? {
        if case .raw(let source) = state { source.frameCount } else { nil }
    }

    /// The next event: as ``FileSource/next(until:)``.
    func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        try recognize(until: deadline)
        switch state {
        case .raw(let source): return try source.next(until: deadline)
        case .encoded(let source): return try source.next(until: deadline)
        case .failed(let error): throw error
        case .unknown: throw .timedOut("the first bytes")
        }
    }

    /// A live input is read by a thread of its own.
    func mode(until deadline: Deadline) throws(FrameStreamingError) -> LiveInbox.Mode {
        try recognize(until: deadline)
        return isLiveByNature ?? false ? .live : .direct
    }

    /// Waits for the first bytes, if they have not arrived.
    func recognize(until deadline: Deadline) throws(FrameStreamingError) {
        guard case .unknown(var input) = state else { return }
        do throws(FrameStreamingError) {
            let result = Result { () throws(FrameStreamingError) in
                try recognizedKind(of: &input, until: deadline)
            }
            // The bytes that were read are kept, even at a deadline.
            state = .unknown(input)
            let kind = try result.get()
            isLiveByNature = input.isDevice || kind == .multipart && input.hasOwnPace
            state = try open(input, kind)
        } catch {
            if error.code != .timedOut {
                isLiveByNature = isLiveByNature ?? false
                state = .failed(error)
            }
            throw error
        }
    }

    private func recognizedKind(
        of input: inout FileInput, until deadline: Deadline
    ) throws(FrameStreamingError) -> InputKind {
        var bytes = try input.peek(InputKind.byteCount, until: deadline)
        let kind = InputKind(firstBytes: bytes)
        guard kind == .unknown, content != .jpeg, !looksEncoded else { return kind }
        while true {
            let known = bytes.count
            bytes = try input.peekFurther(until: deadline)
            if let found = search.kind(of: bytes) { return found }
            if bytes.count == known || bytes.count >= InputSearch.byteCount { return .unknown }
        }
    }

    private func open(_ input: FileInput, _ kind: InputKind) throws(FrameStreamingError) -> State {
        if content == .jpeg { return try encoded(input) }
        return switch kind {
        case .jpeg, .multipart: try encoded(input)
        case .unknown where looksEncoded: try encoded(input)
        case .y4m, .unknown: .raw(try RawFileSource(input, layout: nil, options: options, meter: meter))
        case .foreign(let name): throw unread(input, name, InputKind.remedy(for: name, input: input))
        case .httpError(let status):
            throw unread(input, "the error \(status) of an HTTP server", InputKind.wrongAddress)
        }
    }

    private func unread(_ input: FileInput, _ name: String, _ remedy: String) -> FrameStreamingError {
        FrameStreamingError(.unsupported, "is \(name), which is not read: \(remedy)", subject: input.name)
    }

    private func encoded(_ input: FileInput) throws(FrameStreamingError) -> State {
        .encoded(try EncodedFileSource(input, options: options, meter: meter))
    }
}
