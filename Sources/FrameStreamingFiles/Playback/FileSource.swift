public import FrameStreamingCore
package import FrameStreamingSystem

/// Reads a file, a FIFO or standard input whose first bytes say what it is: Y4M, or JPEGs (MJPEG),
/// with or without the headers of `multipart/x-mixed-replace`.
///
/// Headerless video has no such bytes: ``RawFileSource`` reads it with a given layout. One thread at
/// a time may use the source; it may be created on another.
public final class FileSource: FrameSource {
    /// False: the frames of a file wait until they are taken.
    public var isLive: Bool { false }
    /// Complete frames in one pass over the file; nil where that is not known, as for JPEGs and for
    /// everything but a regular file.
    public var frameCount: Int? {
        if case .raw(let source) = state { source.frameCount } else { nil }
    }
    /// JPEGs that were left out, because they are damaged.
    public var damagedFrameCount: Int {
        if case .encoded(let source) = state { source.damagedFrameCount } else { 0 }
    }

    private let options: PlaybackOptions
    private let looksEncoded: Bool
    private var state: State

    private enum State {
        /// The first bytes have not arrived.
        case unknown(FileInput)
        case raw(RawFileSource)
        case encoded(EncodedFileSource)
        /// Each later call reports the same.
        case failed(FrameStreamingError)
    }

    /// Opens a file, a FIFO or, with "-", standard input.
    ///
    /// Never waits: the bytes of a pipe are read by ``next(until:)``.
    ///
    /// - Parameters:
    ///   - path: The file to read. Standard input is read from its current position, and not closed.
    ///     A name that ends with .mjpg, .mjpeg, .jpg or .jpeg is searched for JPEGs, whatever it
    ///     begins with.
    ///   - options: Rate, loop, pace.
    /// - Throws: `unsupported` for an input of another kind, with its name and the way to read it.
    ///   Otherwise as ``RawFileSource`` and ``EncodedFileSource``.
    public convenience init(
        path: String, options: PlaybackOptions = PlaybackOptions()
    ) throws(FrameStreamingError) {
        let name = path.lowercased()
        let looksEncoded = [".mjpg", ".mjpeg", ".jpg", ".jpeg"].contains { name.hasSuffix($0) }
        try self.init(FileInput(path: path), looksEncoded: looksEncoded, options)
    }

    /// Reads from a descriptor, from its current position. The descriptor is polled before each
    /// read, and stays blocking.
    package convenience init(
        _ descriptor: Descriptor, name: String, options: PlaybackOptions = PlaybackOptions()
    ) throws(FrameStreamingError) {
        try self.init(FileInput(descriptor, name: name), looksEncoded: false, options)
    }

    private init(
        _ input: FileInput, looksEncoded: Bool, _ options: PlaybackOptions
    ) throws(FrameStreamingError) {
        try input.checkLoop(options.loop)
        self.options = options
        self.looksEncoded = looksEncoded
        state = .unknown(input)
        if input.size != nil { try recognize(until: .never) }
    }

    /// Returns the next frame when it is due, or a report of damaged ones; nil at the end.
    ///
    /// - Throws: As ``RawFileSource/next(until:)`` and ``EncodedFileSource/next(until:)``;
    ///   `unsupported` for an input of another kind.
    public func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        try recognize(until: deadline)
        switch state {
        case .raw(let source): return try source.next(until: deadline)
        case .encoded(let source): return try source.next(until: deadline)
        case .failed(let error): throw error
        case .unknown: throw .timedOut("the first bytes")
        }
    }

    /// Waits for the first bytes, if they have not arrived.
    private func recognize(until deadline: Deadline) throws(FrameStreamingError) {
        guard case .unknown(var input) = state else { return }
        do throws(FrameStreamingError) {
            let result = Result { () throws(FrameStreamingError) in
                try input.peek(InputKind.byteCount, until: deadline)
            }
            // The bytes that were read are kept, even at a deadline.
            state = .unknown(input)
            state = try open(input, InputKind(firstBytes: result.get()))
        } catch {
            if error.code != .timedOut { state = .failed(error) }
            throw error
        }
    }

    private func open(_ input: FileInput, _ kind: InputKind) throws(FrameStreamingError) -> State {
        switch kind {
        case .jpeg: .encoded(try EncodedFileSource(input, options: options))
        case .unknown where looksEncoded: .encoded(try EncodedFileSource(input, options: options))
        case .y4m, .unknown: .raw(try RawFileSource(input, layout: nil, options: options))
        case .foreign(let name):
            throw FrameStreamingError(
                .unsupported,
                "is \(name), which is not read: \(InputKind.remedy(for: name, input: input.isStandardInput ? "-" : "FILE"))",
                subject: input.name)
        }
    }
}
