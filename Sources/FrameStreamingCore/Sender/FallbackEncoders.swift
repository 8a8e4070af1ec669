internal import FrameStreamingSystem

/// Encodes pictures for the receivers that take none of the formats of the sender's codec, each picture
/// once for all of them: JPEGs for those that do not decode video.
final class FallbackEncoders: Sendable {
    private let codec: any FrameCodec
    /// The formats that the receivers must not take for this to be used.
    private let usual: [PixelFormat]
    private let own: [PixelFormat]
    /// The last pictures by their numbers.
    private let recent = Monitor<[SharedEncoding]>([])

    /// - Parameters:
    ///   - codec: A codec whose frames stand alone.
    ///   - usual: The formats of the sender's codec.
    init(_ codec: any FrameCodec, insteadOf usual: [PixelFormat]) {
        self.codec = codec
        self.usual = usual
        own = codec.encodedFormats
    }

    /// Whether a receiver that takes these formats gets such frames; empty = it takes any.
    func suits(_ formats: [PixelFormat]) -> Bool {
        !formats.isEmpty && !formats.contains(where: usual.contains)
            && (own.isEmpty || formats.contains(where: own.contains))
    }

    /// Has a picture encoded, and calls back, on an encoding thread or at once.
    func encode(
        _ frame: SharedEncoding, on pool: EncoderPool,
        _ done: @escaping @Sendable (FrameEncoding, SharedEncoding?) -> Void
    ) {
        guard let picture = frame.raw else { return done(.failure(.cancelled("encoding")), nil) }
        if own.contains(picture.format.pixelFormat) {
            // A camera's JPEG, which is only decoded for video.
            let whole = SharedEncoding(picture, madeOf: frame)
            return done(.success(bytes: picture.byteCount, nanoseconds: 0, settings: nil), whole)
        }
        let encoding = recent.withLock { recent in
            if let known = recent.first(where: { $0.number == frame.number }) { return known }
            let new = SharedEncoding(picture, isEncoded: false, number: frame.number, offered: frame.offered)
            recent.append(new)
            if recent.count > SharedChain.memory { recent.removeFirst() }
            return new
        }
        let report: @Sendable () -> Void = {
            guard let result = encoding.encoding else { return }
            done(result, encoding.compressed.map { SharedEncoding($0, madeOf: frame) })
        }
        switch encoding.request(report) {
        case .encode: pool.submit(Job(encoding: encoding, codec: codec))
        case .ready: report()
        case .wait: break
        }
    }

    private struct Job: EncodingJob {
        let encoding: SharedEncoding
        let codec: any FrameCodec

        func encode(with usual: any FrameCodec, _ settings: EncodeSettings) -> [@Sendable () -> Void] {
            encoding.encode(with: codec, settings)
        }

        func giveUp() { encoding.giveUp() }
    }
}
