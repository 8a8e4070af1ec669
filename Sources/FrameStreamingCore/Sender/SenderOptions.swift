/// How a sender treats its pictures and its receivers.
public struct SenderOptions: Sendable {
    /// What happens to pictures that come faster than they can be sent.
    public var policy: DeliveryPolicy
    /// Frames that may be sent and not acknowledged, at least 1. More hides the round trip and adds age on a slow link.
    public var window: Int
    /// Quality and subsampling.
    public var encode: EncodeSettings
    /// How long a connection may take to accept a frame before it counts as broken.
    public var sendTimeout: Duration = .seconds(30)
    /// How long the last frames are waited for without any acknowledgement once the source has ended.
    public var drainTimeout: Duration = .seconds(30)
    /// How long the frames under way are waited for after ``FrameSender/stop()``.
    public var stopPatience: Duration = .seconds(1)
    /// How long the goodbye may take.
    public var finishTimeout: Duration = .seconds(2)

    /// Called with each acknowledgement and the time since its frame was handed to the connection, on the connection's thread:
    /// return soon.
    public var onAcknowledgement: (@Sendable (Acknowledgement, Duration) -> Void)?

    /// The newest picture counts, four frames may be under way, and the quality is 80, unless given.
    public init(policy: DeliveryPolicy = .latest, window: Int = 4, encode: EncodeSettings = EncodeSettings()) {
        self.policy = policy
        self.window = window
        self.encode = encode
    }

    /// The policy that fits a source: `latest` for a live one, `reliable` for a file.
    public init(for source: some FrameSource, window: Int = 4, encode: EncodeSettings = EncodeSettings()) {
        self.init(policy: source.isLive ? .latest : .reliable, window: window, encode: encode)
    }
}
