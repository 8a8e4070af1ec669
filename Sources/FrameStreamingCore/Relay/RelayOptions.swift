/// The options of a ``FrameRelay``.
public struct RelayOptions: Sendable {
    /// The most streams at once, at least 1, and as many more that receivers only wait for. A sender or
    /// receiver that would need one more is turned away.
    public var maximumStreams = 256
    /// How many frames may be sent to a receiver and not acknowledged.
    public var window = SendWindow.adaptive
    /// When a sender that sends no frames is given up. Frames are not decoded here.
    public var limits = ReceiverLimits()
    /// How long a lost sender is waited for on behalf of receivers that the relay connects to
    /// (``FrameRelay/forward(_:)``). Receivers that came here by themselves are kept as long as they
    /// stay.
    public var returnTimeout = Duration.seconds(60)
    /// Called for each event, on a thread of the stream or of a connection. It must return soon.
    public var onEvent: (@Sendable (RelayEvent) -> Void)?

    /// Creates the default options.
    public init() {}

    /// Returns the options if they are valid.
    ///
    /// - Throws: `invalidArgument`.
    func validated() throws(FrameStreamingError) -> RelayOptions {
        guard maximumStreams >= 1 else {
            throw FrameStreamingError(.invalidArgument, "maximumStreams must be at least 1, not \(maximumStreams)")
        }
        guard returnTimeout >= .zero else {
            throw FrameStreamingError(.invalidArgument, "returnTimeout must be at least 0, not \(returnTimeout)")
        }
        _ = try limits.validated()
        _ = try FlowControl(SenderOptions(policy: .latest, window: window))
        return self
    }
}

/// An event of a relay's streams. Names of streams and texts are the peers' words: print them through
/// `String(printable:)`.
@nonexhaustive
public enum RelayEvent: Sendable {
    /// The first frame of a stream came, from this sender.
    case began(stream: String, from: Peer)
    /// A stream's sender is lost, or says that it has lost its source. Its receivers get the news, and
    /// stay.
    case lost(stream: String, error: FrameStreamingError)
    /// Its frames are back, from this sender.
    case restored(stream: String, from: Peer)
    /// A stream has ended, and its receivers got this goodbye.
    case ended(stream: String, Goodbye)
    /// A stream is not sent on (``FrameRelay/forward(_:)``), for this reason.
    case notForwarded(stream: String, error: FrameStreamingError)
    /// What happened to a receiver of a stream.
    case receiver(stream: String, SenderEvent)
}
