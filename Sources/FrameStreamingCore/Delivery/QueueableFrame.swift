/// What a session must know of a frame that it queues: the product's frames are encodings that
/// several receivers share, those of the simulation are numbers.
protocol QueueableFrame: Sendable {
    /// When the source gave it.
    var offered: MonotonicTime { get }
    /// When it was captured, as the source says.
    var captureTime: CaptureTime? { get }
    /// What encoding came to; nil = it is not encoded yet. A frame that was compressed from the
    /// start has one from the start.
    var encoding: FrameEncoding? { get }
    /// Whether it was compressed from the start, so that nothing is encoded.
    var isCompressed: Bool { get }
    /// The pixel format in which it is sent; nil = it is not encoded yet.
    var sentFormat: PixelFormat? { get }
}

extension QueueableFrame {
    /// When it was captured; when the source gave it, where that is not known on this clock.
    var captured: MonotonicTime {
        guard let time = captureTime, time.clock == .monotonic else { return offered }
        return min(offered, MonotonicTime(nanoseconds: time.nanoseconds))
    }
}

/// What encoding a frame came to.
enum FrameEncoding: Sendable {
    /// - Parameters:
    ///   - bytes: The size of the compressed frame.
    ///   - nanoseconds: Time in the codec; 0 for a frame that was compressed from the start.
    ///   - settings: What it was encoded with; nil for a frame that was compressed from the start.
    case success(bytes: Int, nanoseconds: Int64, settings: EncodeSettings?)
    case failure(FrameStreamingError)
}
