/// What comes from a sender, in order.
enum ReceivedEvent: Sendable {
    case frame(ReceivedFrame)
    case notice(SourceNotice)
}

/// The frames of a receiver as a source: what makes a relay of a ``FrameReceiver`` and a
/// ``FrameSender``.
///
/// ```swift
/// let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport, decode: nil)
/// var source = ReceiverSource(receiver)
/// let sender = try FrameSender(codec: JPEGCodec(), provider: viewers, options: SenderOptions(for: source))
/// try sender.run(&source)
/// ```
///
/// Frames are passed on as they came (``ReceivedFrame/forwarded()``): nothing is encoded again, and
/// the capture time keeps its meaning and its error over every hop. Credit goes hop by hop: a frame
/// counts as consumed when the sender asks for the next, which under `latest` is at once, and under
/// `reliable` when there is room for it. "Source lost" and "restored" are passed on in order with
/// the frames, and so is the end: the sender's goodbye with its code, and an error as an error of
/// the source.
///
/// The caller must close the receiver when the run has ended
/// (`FrameReceiver.close(_:consumed:)`). Released without it, the receiver says that it failed.
/// After the sender's own goodbye there is nothing to close.
public struct ReceiverSource: FrameSource, Sendable {
    /// Where the frames come from.
    public let receiver: FrameReceiver
    /// Whether the newest frame counts.
    public let isLive: Bool
    private var isLost = false

    /// The frames of `receiver`. The source is the only one to ask it for frames.
    ///
    /// - Parameters:
    ///   - receiver: Where the frames come from, as their sender sent them: its `decode` is nil.
    ///   - isLive: False for a stream of which every frame is to arrive.
    public init(_ receiver: FrameReceiver, isLive: Bool = true) {
        self.receiver = receiver
        self.isLive = isLive
    }

    /// What the sender has said at its end, so that the relay's own receivers hear the same.
    public var goodbye: Goodbye? { receiver.relayedGoodbye }

    /// The next frame, or what the sender says of its source; nil when the stream is complete.
    ///
    /// - Throws: As ``FrameReceiver/next(until:)``.
    public mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        while true {
            switch try receiver.nextEvent(until: deadline) {
            case .frame(let received): return .frame(received.forwarded())
            case .notice(.lost(let reason)):
                isLost = true
                return .lost(error: FrameStreamingError(.sourceLost, reason))
            case .notice(.restored):
                // A return is reported only if the loss was.
                guard isLost else { continue }
                isLost = false
                return .restored
            case nil: return nil
            }
        }
    }
}
