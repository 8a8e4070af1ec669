public import FrameStreamingCore
internal import FrameStreamingSystem

/// A codec with memory: each frame is the difference to the one before. For tests of senders,
/// receivers and transports with codecs such as H.264.
///
/// A frame that is decoded with a wrong reference gives a wrong picture and no error, so a test that
/// compares pixels finds it. Frames of raw formats are taken; their size may change.
public final class DifferenceCodec: FrameCodec {
    /// The pixel format of a frame that stands alone or depends on another.
    public static let format = PixelFormat(rawValue: 0x4646_4944)

    /// What has been made and done.
    public struct Statistics: Hashable, Sendable {
        /// Encoders that were made.
        public var encoders = 0
        /// Pictures that were encoded.
        public var encoded = 0
        /// Of these, those that stand alone.
        public var keys = 0
        /// Decoders that were made.
        public var decoders = 0
    }

    private let counts = Monitor(Statistics())
    private let failsAt: Set<UInt64>

    /// Creates the codec.
    ///
    /// - Parameter failsAt: The source's numbers of pictures that are not encoded: `corruptImage`.
    public init(failsAt: Set<UInt64> = []) { self.failsAt = failsAt }

    /// What has been made and done so far.
    public var statistics: Statistics { counts.withLock { $0 } }

    /// True.
    public var hasMemory: Bool { true }
    /// The one format.
    public var encodedFormats: [PixelFormat] { [Self.format] }
    /// The one format.
    public var decodableFormats: [PixelFormat] { [Self.format] }

    /// Returns a frame that stands alone.
    public func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        try makeEncodingSession().encode(frame, settings, standsAlone: true)
    }

    /// Decodes a frame that stands alone.
    public func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        try makeDecodingSession().decode(frame, settings)
    }

    /// Makes an encoder without memory so far.
    public func makeEncodingSession() throws(FrameStreamingError) -> any EncodingSession {
        counts.withLock { $0.encoders += 1 }
        return Encoder(counts, failsAt)
    }

    /// Makes a decoder without memory so far.
    public func makeDecodingSession() throws(FrameStreamingError) -> any DecodingSession {
        counts.withLock { $0.decoders += 1 }
        return Decoder()
    }

    private final class Encoder: EncodingSession {
        private let counts: Monitor<Statistics>
        private let failsAt: Set<UInt64>
        private let last = Monitor<(format: FrameFormat, bytes: [UInt8])?>(nil)

        init(_ counts: Monitor<Statistics>, _ failsAt: Set<UInt64>) {
            self.counts = counts
            self.failsAt = failsAt
        }

        func encode(
            _ frame: Frame, _ settings: EncodeSettings, standsAlone: Bool
        ) throws(FrameStreamingError) -> Frame {
            guard !failsAt.contains(frame.sequence) else {
                throw FrameStreamingError(.corruptImage, "picture \(frame.sequence) is not encoded, as the test asks")
            }
            let bytes = DifferenceCodec.bytes(of: frame)
            let before = last.withLock { last in
                defer { last = (frame.format, bytes) }
                return last
            }
            let reference = standsAlone || before?.format != frame.format ? nil : before?.bytes
            counts.withLock { counts in
                counts.encoded += 1
                if reference == nil { counts.keys += 1 }
            }
            // The first four bytes are the raw format.
            let name = frame.format.pixelFormat.rawValue
            let head = (0..<4).map { UInt8(truncatingIfNeeded: name >> (8 * UInt32($0))) }
            let format = try FrameFormat(
                width: frame.format.width, height: frame.format.height, pixelFormat: DifferenceCodec.format)
            var result = try Frame.filled(format, byteCount: bytes.count + 4) { index in
                index < 4 ? head[index] : bytes[index - 4] ^ (reference?[index - 4] ?? 0)
            }
            result.takeDescription(of: frame)
            result.dependsOnPrevious = reference != nil
            return result
        }
    }

    private final class Decoder: DecodingSession {
        private let last = Monitor<[UInt8]?>(nil)

        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
            let bytes = DifferenceCodec.bytes(of: frame)
            guard bytes.count > 4 else { throw FrameStreamingError(.corruptImage, "\(bytes.count) bytes are no frame") }
            let name = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[$1]) << (8 * UInt32($1)) }
            let format = try FrameFormat(
                width: frame.format.width, height: frame.format.height, pixelFormat: PixelFormat(rawValue: name))
            guard format.byteCount == bytes.count - 4 else {
                throw FrameStreamingError(.corruptImage, "\(bytes.count) bytes are no frame of \(format)")
            }
            let reference = frame.dependsOnPrevious ? last.withLock { $0 } : nil
            let picture = bytes.dropFirst(4).enumerated().map { index, byte in
                byte ^ (reference.flatMap { index < $0.count ? $0[index] : nil } ?? 0)
            }
            last.withLock { $0 = picture }
            var result = try Frame.filled(format) { picture[$0] }
            result.takeDescription(of: frame)
            result.dependsOnPrevious = false
            return result
        }
    }

    private static func bytes(of frame: Frame) -> [UInt8] {
        let span = frame.samples
        return (0..<span.count).map { span[$0] }
    }
}
