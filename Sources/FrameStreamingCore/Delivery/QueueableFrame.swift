/// What a session must know about a frame that it queues. The library's frames are encodings that
/// several receivers share; those of the simulation are numbers.
protocol QueueableFrame: Sendable {
    /// When the source gave it.
    var offered: MonotonicTime { get }
    /// The capture time of the source.
    var captureTime: CaptureTime? { get }
    /// Whether the source decoded it in spite of warnings.
    var hasDecodeWarnings: Bool { get }
    /// The result of encoding; nil = not encoded yet. A frame that was encoded from
    /// the start has one from the start.
    var encoding: FrameEncoding? { get }
    /// Whether it was encoded when the source gave it, and is sent as it is.
    var comesEncoded: Bool { get }
    /// The pixel format in which it is sent; nil = it is not encoded yet.
    var sentFormat: PixelFormat? { get }
    /// Whether, as it is sent, it can only be decoded after the frame before it.
    var dependsOnPrevious: Bool { get }
    /// The frame before it was encoded for this receiver by an encoder with memory: what must be
    /// encoded again for another connection. Nil = it is no such frame.
    var original: Self? { get }
}

extension QueueableFrame {
    /// The capture time on this clock, or else the time when the source gave the frame.
    var captured: MonotonicTime {
        guard let time = captureTime, time.clock == .monotonic else { return offered }
        return min(offered, MonotonicTime(nanoseconds: time.nanoseconds))
    }
}

/// The result of encoding a frame.
enum FrameEncoding: Sendable {
    /// - Parameters:
    ///   - bytes: The size of the compressed frame.
    ///   - nanoseconds: Time in the codec; 0 for a frame that was encoded from the start.
    ///   - settings: The settings of the encoding; nil for a frame that was encoded from the start.
    case success(bytes: Int, nanoseconds: Int64, settings: EncodeSettings?)
    case failure(FrameStreamingError)
}
