/// How a sender treats its pictures and its receivers.
public struct SenderOptions: Sendable {
    /// What happens to pictures that come faster than they can be sent.
    public var policy: DeliveryPolicy
    /// Frames that may be sent and not acknowledged.
    public var window: SendWindow
    /// Quality, subsampling and scale.
    public var encode: EncodeSettings
    /// Chooses quality, and where allowed scale and rate, by what the link delivers, in place of those of ``encode``; nil = not. With one
    /// receiver only: several share one encoding. Without effect on pictures that are compressed already.
    public var adaptiveQuality: AdaptiveQuality?
    /// Pictures that are encoded at once, each on a thread of its own; they are sent in order. More than one pays where one core does
    /// not keep up with the source and the window is larger than 1.
    public var encoders = 1
    /// Whether another connection is made when one has ended. Only with a ``TransportProvider``: a ``Transport`` is one connection.
    public var reconnection = Reconnection.afterBreak
    /// Whether ``FrameSender/run(_:)`` goes on when no receiver is left, for those that `FrameSender.add` may bring.
    public var waitsForReceivers = false
    /// How long a connection may stand still with a frame that it has not taken whole before it counts as broken: as long as bytes reach the
    /// receiver's machine, it may take as long as it needs. A connection that cannot tell has so long for each frame.
    public var sendTimeout: Duration = .seconds(30)
    /// How long a receiver may stand still, once the source has ended, until it is given up; nil = it is waited for as long as it takes.
    ///
    /// Standing still is: not a frame acknowledged, not a byte taken, no connection made, whatever the reason, its own wish for a pause
    /// included. However slow it gets on, it is waited for.
    public var drainTimeout: Duration? = .seconds(30)
    /// The same before the source's end, under `reliable`: how long a receiver may stand still while the source, and with it every other
    /// receiver, waits for it; nil = it is waited for as long as it takes. One that asked for a pause may have it.
    ///
    /// Who is given up has failed, and the others go on. ``SenderEvent/stalled(_:_:givesUpAfter:)`` says that somebody is waited for.
    public var stallTimeout: Duration?
    /// As ``stallTimeout`` and, where it is shorter, ``drainTimeout``, for receivers that connected to this side by themselves, through a listener
    /// (``FrameSender/serve(_:policy:window:)``, a listening ``TransportProvider``): they may stand still for so long; nil = as the other two say.
    public var incomingStallTimeout: Duration? = .seconds(10)
    /// Under `reliable`: how long a receiver that connected to this side by itself, and whose connection broke, is waited for to come back
    /// and go on; nil = for as long as it takes. The others do not get on meanwhile, once its few frames under way are all there is room for.
    public var incomingReturnTimeout: Duration? = .seconds(5)
    /// How long the end may take after ``FrameSender/stop(_:)``: the frames under way are waited for, and then the receivers' answers to
    /// the goodbye, for which a third of the time is kept.
    public var stopPatience: Duration = .milliseconds(750)
    /// How long the goodbye may take at the source's end.
    public var finishTimeout: Duration = .seconds(2)

    /// Called with each acknowledgement and the time since its frame was handed to the connection, on the thread that listens to the
    /// receivers, to all of them: return soon.
    public var onAcknowledgement: (@Sendable (Acknowledgement, Duration) -> Void)?
    /// Called when a connection is made, breaks or cannot be made, and when the receiver asks for something, on the connection's
    /// thread or the one that listens to all, and when a receiver stands still, on the thread that waits for it: return soon.
    public var onEvent: (@Sendable (SenderEvent) -> Void)?

    /// The newest picture counts, the window is adaptive (4 under `reliable`) and the quality is 80, unless given.
    public init(
        policy: DeliveryPolicy = .latest, window: SendWindow? = nil, encode: EncodeSettings = EncodeSettings()
    ) {
        self.policy = policy
        self.window = window ?? .standard(for: policy)
        self.encode = encode
    }

    /// The policy that fits a source: `latest` for a live one, `reliable` for a file. A live source goes on when its receiver left
    /// and may come back.
    public init(
        for source: some FrameSource, window: SendWindow? = nil, encode: EncodeSettings = EncodeSettings()
    ) {
        self.init(policy: source.isLive ? .latest : .reliable, window: window, encode: encode)
        if source.isLive { reconnection = .always }
    }
}

/// What quality, scale and rate are chosen from, so that pictures are as large as the link delivers in time and no larger.
public struct AdaptiveQuality: Hashable, Sendable {
    /// The qualities, within 1...100. It begins with the best.
    public var range: ClosedRange<Int>
    /// Whether pictures may be made smaller, to a quarter of width and height at most, where the lowest quality does not suffice.
    public var allowsScale: Bool
    /// Whether pictures may be left out where nothing else suffices.
    public var allowsRate: Bool

    /// Quality alone, unless more is allowed.
    public init(_ range: ClosedRange<Int>, allowsScale: Bool = false, allowsRate: Bool = false) {
        self.range = range
        self.allowsScale = allowsScale
        self.allowsRate = allowsRate
    }
}

extension SendWindow {
    /// What a policy has unless another is given: with `reliable` the source waits, and nothing gets old by a larger window.
    static func standard(for policy: DeliveryPolicy) -> SendWindow { policy == .reliable ? 4 : .adaptive }
}
