/// The options of a sender.
public struct SenderOptions: Sendable {
    /// What happens to pictures that are made faster than they can be sent.
    public var policy: DeliveryPolicy { didSet { following.remove(.policy) } }
    /// How many frames may be sent and not acknowledged.
    public var window: SendWindow { didSet { following.remove(.window) } }
    /// Quality, subsampling and scale.
    public var encode: EncodeSettings
    /// Adapts the quality, and if allowed scale and rate, to the link, instead of the settings in
    /// ``encode``; nil = fixed settings. It needs a single receiver, because several share one
    /// encoding. It has no effect on pictures that are encoded already.
    public var adaptiveQuality: AdaptiveQuality?
    /// The bits a second that frames of a codec with memory have at most (``FrameCodec/hasMemory``); nil =
    /// as many as the quality needs. Codecs without memory do not take it: for them there is
    /// ``adaptiveQuality``. It has no effect on pictures that are encoded already.
    public var bitRate: BitRate?
    /// Encodes pictures for receivers that take none of the formats of the sender's codec
    /// (``Peer/pixelFormats``): JPEGs for those that do not decode video. Each is encoded once for all of
    /// them; one that the source gives in such a format is sent as it is. Nil = such a receiver is refused.
    /// It goes with a codec with memory, and has none itself. ``bitRate`` does not hold for it.
    public var fallbackCodec: (any FrameCodec)?
    /// How many pictures are encoded at once, each on a thread of its own; they are
    /// sent in order. More than one helps if one core cannot keep up with the source
    /// and the window is larger than 1. With a codec with memory (``FrameCodec/hasMemory``) each
    /// receiver's pictures are encoded one after another, and those of several at once.
    public var encoders = 1
    /// Whether JPEGs of the source are sent as they are, whatever the codec; true by default. Without it
    /// they are given to the codec, unless that makes JPEGs.
    public var passesOnJPEG = true
    /// Whether another connection is made after one has ended. Only with a ``TransportProvider``: a
    /// ``Transport`` is one connection.
    public var reconnection = Reconnection.afterBreak { didSet { following.remove(.reconnection) } }
    /// The options that change if the source turns out to be live: see ``forLiveSource``.
    private(set) var following: SourceFollowing = []
    /// Whether `FrameSender.run(_:)` continues when no receiver is left, because
    /// `FrameSender.add` may add another.
    public var waitsForReceivers = false
    /// Whether the source is a relay's. It is asked before the first receiver has come, because it finds
    /// out by itself whether anybody wants a frame, and it passes on requests for key frames.
    package var isRelay = false
    /// How long a connection may make no progress with a partly sent frame before it counts as
    /// broken. While bytes reach the receiver's machine, a frame may take any time. For a
    /// connection that does not know this, it is the limit for each frame.
    public var sendTimeout: Duration = .seconds(30)
    /// How long a receiver may make no progress after the source's end
    /// before it is given up; nil = for ever.
    ///
    /// No progress means: no frame acknowledged, no byte taken, no connection made, for
    /// any reason, including a pause that it asked for. A receiver that makes progress
    /// is waited for, however slow it is.
    public var drainTimeout: Duration? = .seconds(30)
    /// The same before the source's end, under `reliable`: how long a receiver may make no
    /// progress while the source, and so every other receiver, waits for it; nil = for ever. A
    /// pause that it asked for does not count.
    ///
    /// A receiver that is given up has failed, and the others continue.
    /// ``SenderEvent/stalled(_:duration:givesUpAfter:)`` reports the wait.
    public var stallTimeout: Duration?
    /// The limit, instead of ``stallTimeout`` and a longer ``drainTimeout``, for receivers that
    /// connected to this side by themselves, through a listener
    /// (`FrameSender.serve`, a listening ``TransportProvider``); nil = the
    /// other two hold.
    public var incomingStallTimeout: Duration? = .seconds(10)
    /// Under `reliable`: how long to wait for the return of a receiver that connected to
    /// this side by itself and whose connection broke; nil = for ever. The others wait
    /// meanwhile, once its queue is full.
    public var incomingReturnTimeout: Duration? = .seconds(5)
    /// How long the end may take after ``FrameSender/stop(_:)``: for the frames in flight, and then
    /// for the receivers' answers to the goodbye, which get a third of the time.
    public var stopTimeout: Duration = .milliseconds(750)
    /// How long the goodbye may take at the source's end.
    public var finishTimeout: Duration = .seconds(2)

    /// Called with each acknowledgement and the time since its frame was handed to the connection,
    /// on the thread that reads the acknowledgements of all receivers. It must return soon.
    public var onAcknowledgement: (@Sendable (Acknowledgement, Duration) -> Void)?
    /// Called for each event. It must return soon.
    ///
    /// A stalled receiver is reported on the thread that waits for it, damaged frames of the source
    /// on the thread that reads it, and all other events on the connection's thread or on the
    /// thread that reads acknowledgements.
    public var onEvent: (@Sendable (SenderEvent) -> Void)?

    /// Makes options. By default the policy is `latest`, the window adaptive (4
    /// under `reliable`) and the quality 80.
    public init(
        policy: DeliveryPolicy = .latest, window: SendWindow? = nil, encode: EncodeSettings = EncodeSettings()
    ) {
        self.policy = policy
        self.window = window ?? .standard(for: policy)
        self.encode = encode
    }

    /// Makes the options that fit a source: `latest` for a live one, `reliable` for another. With a
    /// live source the sender continues when its receiver has left, because it may come back.
    ///
    /// A pipe does not tell whether it is live before its first bytes have arrived. If
    /// ``FrameSource/isLive`` has become true by the first frame, `FrameSender.run(_:)` changes
    /// policy, window and reconnection to those for a live source, except those that were set by
    /// hand.
    public init(
        for source: some FrameSource, window: SendWindow? = nil, encode: EncodeSettings = EncodeSettings()
    ) {
        self.init(policy: source.isLive ? .latest : .reliable, window: window, encode: encode)
        if source.isLive {
            reconnection = .always
        } else {
            following = window == nil ? [.policy, .window, .reconnection] : [.policy, .reconnection]
        }
    }

    /// The options for a source that has turned out to be live with its first frame; nil = these
    /// do not change.
    var forLiveSource: SenderOptions? {
        guard !following.isEmpty else { return nil }
        var options = self
        if following.contains(.policy) {
            options.policy = .latest
            if following.contains(.window) { options.window = .standard(for: .latest) }
        }
        if following.contains(.reconnection) { options.reconnection = .always }
        options.following = []
        return options
    }
}

/// The options that change if the source turns out to be live.
struct SourceFollowing: OptionSet, Hashable, Sendable {
    let rawValue: UInt8
    static let policy = SourceFollowing(rawValue: 1)
    static let window = SourceFollowing(rawValue: 2)
    static let reconnection = SourceFollowing(rawValue: 4)
}

/// The range of quality, scale and rate for pictures that are as large as the link
/// delivers in time, and no larger.
public struct AdaptiveQuality: Hashable, Sendable {
    /// The qualities, within 1...100. It begins with the best.
    public var range: ClosedRange<Int>
    /// Whether pictures may be scaled down, to a quarter of width and height at most, if the
    /// lowest quality does not suffice.
    public var allowsScale: Bool
    /// Whether pictures may be dropped if nothing else suffices.
    public var allowsRate: Bool

    /// Makes a range of qualities. Scale and rate are fixed by default.
    public init(_ range: ClosedRange<Int>, allowsScale: Bool = false, allowsRate: Bool = false) {
        self.range = range
        self.allowsScale = allowsScale
        self.allowsRate = allowsRate
    }
}

extension SendWindow {
    /// The default window of a policy. Under `reliable` the source waits, so a
    /// larger window makes no picture older.
    static func standard(for policy: DeliveryPolicy) -> SendWindow { policy == .reliable ? 4 : .adaptive }
}
