/// Decides, for one connection, when the newest picture is taken, encoded and sent: `(event, now) -> decision`, without
/// threads, clocks or pictures, so that millions of frames can be simulated. ``FrameSender`` drives one for each connection.
///
/// A picture waits in a slot for one. It is taken when three things allow it: nothing else is being encoded, fewer frames are
/// under way than the window, and the receiver has granted credit for its number.
public struct FlowControl: Sendable {
    /// What happened.
    public enum Event: Hashable, Sendable {
        /// The receiver takes frames up to this number (before its first acknowledgement).
        case creditGranted(through: UInt64)
        /// The source gave a picture, which now stands in the slot. Under `reliable` only while ``hasRoom``.
        case offered
        /// The picture that was taken was sent, so many bytes long.
        case sent(bytes: Int)
        /// The picture that was taken could not be encoded or sent; the connection goes on.
        case failed
        /// The receiver's word on a frame.
        case acknowledged(Acknowledgement)
        /// A picture that the source gave found no room before the stream was ended.
        case abandoned
        /// The connection is gone: nothing more will be sent or heard.
        case ended
    }

    /// What is to be done.
    public struct Decision: Hashable, Sendable {
        /// Take the picture out of the slot, encode it and send it with this number.
        public var take: Ticket?
        /// The picture that stood in the slot was replaced: let it go.
        public var replaced = false
        /// The time from handing over the frame just acknowledged to its acknowledgement, in nanoseconds.
        public var ackTime: Int64?
    }

    /// What a picture that is to be sent carries.
    public struct Ticket: Hashable, Sendable {
        /// Its number on this connection.
        public var sequence: UInt64
        /// Pictures dropped since the frame before.
        public var skipped: UInt32
    }

    /// How many frames may be sent and not acknowledged.
    public let window: Int
    /// What happens to pictures that come too fast.
    public let policy: DeliveryPolicy
    /// The highest number that the receiver takes.
    public private(set) var creditThrough: UInt64 = 0
    /// The number of the last frame sent; 0 before the first.
    public private(set) var sentThrough: UInt64 = 0
    /// The number of the last frame acknowledged; 0 before the first.
    public private(set) var acknowledgedThrough: UInt64 = 0
    /// What became of the pictures so far, times not included.
    public private(set) var counts = SenderStatistics()
    private var slotIsFull = false
    /// What is being encoded.
    private var taken: Ticket?
    private var hasEnded = false
    private var skippedSinceLast: UInt32 = 0
    /// When each frame under way was sent, oldest first.
    private var sendTimes: [MonotonicTime] = []

    /// - Parameters:
    ///   - policy: What happens to pictures that come too fast.
    ///   - window: How many frames may be sent and not acknowledged, at least 1: 1 waits for each acknowledgement.
    /// - Throws: `invalidArgument` for a window below 1.
    public init(policy: DeliveryPolicy, window: Int) throws(FrameStreamingError) {
        guard window >= 1 else {
            throw FrameStreamingError(.invalidArgument, "a window of \(window) sends nothing: 1 or more frames")
        }
        self.policy = policy
        self.window = window
    }

    /// Frames that were sent and not acknowledged.
    public var underWay: Int { Int(sentThrough - acknowledgedThrough) }

    /// Whether the slot takes a picture without losing another.
    public var hasRoom: Bool { !slotIsFull && !hasEnded }

    /// Whether nothing waits, is being encoded, or is under way.
    public var isDrained: Bool { hasEnded || (!slotIsFull && taken == nil && underWay == 0) }

    /// Takes note of an event.
    ///
    /// - Throws: `protocolViolation` where the receiver acknowledges what it cannot: out of order, not sent, or with credit that
    ///   falls. The connection must end.
    public mutating func handle(_ event: Event, at now: MonotonicTime) throws(FrameStreamingError) -> Decision {
        var decision = Decision()
        switch event {
        case .creditGranted(let through):
            creditThrough = max(creditThrough, through)
        case .offered:
            counts.produced += 1
            if hasEnded {
                counts.dropped.disconnected += 1
                return decision
            }
            if slotIsFull {
                counts.dropped.replaced += 1
                skippedSinceLast += 1
                decision.replaced = true
            }
            slotIsFull = true
        case .sent(let bytes):
            taken = nil
            sentThrough += 1
            counts.sent += 1
            counts.bytes += bytes
            sendTimes.append(now)
            if counts.firstSend == nil { counts.firstSend = now }
        case .failed:
            skippedSinceLast += 1 + (taken?.skipped ?? 0)
            taken = nil
            counts.failed += 1
        case .acknowledged(let acknowledgement):
            decision.ackTime = try acknowledge(acknowledgement, at: now)
        case .abandoned:
            counts.produced += 1
            counts.dropped.disconnected += 1
        case .ended:
            end()
            return decision
        }
        if slotIsFull, taken == nil, !hasEnded, underWay < window, sentThrough < creditThrough {
            slotIsFull = false
            taken = Ticket(sequence: sentThrough + 1, skipped: skippedSinceLast)
            // Pictures that are replaced while this one is encoded are skipped before the next.
            skippedSinceLast = 0
            decision.take = taken
        }
        return decision
    }

    private mutating func acknowledge(
        _ acknowledgement: Acknowledgement, at now: MonotonicTime
    ) throws(FrameStreamingError) -> Int64 {
        guard acknowledgement.sequence == acknowledgedThrough + 1, acknowledgement.sequence <= sentThrough else {
            throw FrameStreamingError(
                .protocolViolation,
                "the receiver acknowledged frame \(acknowledgement.sequence), but \(acknowledgedThrough + 1) is next of \(sentThrough) sent"
            )
        }
        guard acknowledgement.creditThrough >= creditThrough else {
            throw FrameStreamingError(
                .protocolViolation,
                "the receiver's credit fell from \(creditThrough) to \(acknowledgement.creditThrough)")
        }
        creditThrough = acknowledgement.creditThrough
        acknowledgedThrough += 1
        switch acknowledgement.outcome {
        case .consumed, .skipped: counts.acknowledged += 1
        default: counts.failed += 1
        }
        counts.lastAcknowledgement = now
        return now.nanoseconds - sendTimes.removeFirst().nanoseconds
    }

    private mutating func end() {
        guard !hasEnded else { return }
        hasEnded = true
        if slotIsFull { counts.dropped.disconnected += 1 }
        if taken != nil { counts.dropped.disconnected += 1 }
        slotIsFull = false
        taken = nil
        counts.lost += underWay
    }
}
