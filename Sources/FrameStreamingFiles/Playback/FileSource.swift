public import FrameStreamingCore
package import FrameStreamingSystem

/// Reads a file, a FIFO, a device or standard input whose first bytes say what it is: Y4M, or JPEGs
/// (MJPEG), with or without the headers of `multipart/x-mixed-replace`. Headerless frames are read
/// with a given shape.
///
/// A regular file is played at its frame rate. Everything else has its own pace: each frame is
/// handed out when it arrives, with its arrival as capture time. A device is live, and so is a
/// multipart that comes through a pipe: a thread of the source, fs-read, reads it and waits for
/// nothing else, and a newer frame replaces one that was not taken. ``PlaybackOptions/pace`` and
/// ``PlaybackOptions/live`` override both.
///
/// One thread at a time may use the source; it may be created on another.
public final class FileSource: FrameSource {
    /// Whether the newest frame counts. A pipe whose first bytes have not arrived says false, and
    /// may say true later.
    public var isLive: Bool { reader?.isLive ?? false }
    /// Complete frames in one pass over the file; nil where that is not known, as for JPEGs, for
    /// everything but a regular file, and for live inputs.
    public var frameCount: Int? { reader == nil ? input.withLock { $0.frameCount } : nil }
    /// JPEGs that were left out, because they are damaged.
    public var damagedFrameCount: Int { meter.statistics.damaged }
    /// Whether the input has its own pace: frames are handed out when they arrive.
    public let hasOwnPace: Bool
    /// Counts what the input delivers.
    public let meter = InputMeter()

    private let input: Monitor<RecognizedInput>
    /// Reads the input on a thread of its own; nil = the caller reads it.
    private var reader: LiveReader?

    /// Opens a file, a FIFO, a device or, with "-", standard input.
    ///
    /// Never waits: the bytes of a pipe are read later.
    ///
    /// - Parameters:
    ///   - path: The file to read. Standard input is read from its current position, and not closed.
    ///     A name that ends with .mjpg, .mjpeg, .jpg or .jpeg is searched for JPEGs, whatever it
    ///     begins with.
    ///   - content: What to read, if the first bytes do not tell.
    ///   - options: Rate, loop, pace, and whether it is live.
    /// - Throws: `unsupported` for an input of another kind, with its name and the way to read it;
    ///   `system` if no thread can be started. Otherwise as ``RawFileSource`` and
    ///   ``EncodedFileSource``.
    public convenience init(
        path: String, as content: FileContent = .recognized, options: PlaybackOptions = PlaybackOptions()
    ) throws(FrameStreamingError) {
        let name = path.lowercased()
        let looksEncoded = [".mjpg", ".mjpeg", ".jpg", ".jpeg"].contains { name.hasSuffix($0) }
        try self.init(FileInput(path: path, clock: options.clock), content, looksEncoded: looksEncoded, options)
    }

    /// Reads from a descriptor, from its current position. The descriptor is polled before each
    /// read, and stays blocking.
    package convenience init(
        _ descriptor: Descriptor, name: String, as content: FileContent = .recognized,
        options: PlaybackOptions = PlaybackOptions()
    ) throws(FrameStreamingError) {
        try self.init(
            FileInput(descriptor, name: name, clock: options.clock), content, looksEncoded: false, options)
    }

    private init(
        _ file: FileInput, _ content: FileContent, looksEncoded: Bool, _ options: PlaybackOptions
    ) throws(FrameStreamingError) {
        hasOwnPace = file.hasOwnPace && options.pace != .realtime
        let recognized = try RecognizedInput(file, as: content, looksEncoded: looksEncoded, options, meter)
        let isKnown = options.live ?? recognized.isLiveByNature
        input = Monitor(recognized)
        guard options.live ?? (file.hasOwnPace && options.pace == nil), isKnown != false else { return }
        reader = try LiveReader(input, isKnown == nil ? .recognizing : .live, meter)
    }

    /// Returns the next frame, when it is due or has arrived, or a report of damaged ones; nil at the
    /// end.
    ///
    /// - Throws: As ``RawFileSource/next(until:)`` and ``EncodedFileSource/next(until:)``;
    ///   `unsupported` for an input of another kind.
    public func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        if let reader {
            switch reader.take(until: deadline) {
            case .event(let event): return event
            case .ended(nil): return nil
            case .ended(let error?): throw error
            case .direct: self.reader = nil
            case nil: throw .timedOut("a frame")
            }
        }
        return try input.withLock { input throws(FrameStreamingError) in try input.next(until: deadline) }
    }
}
