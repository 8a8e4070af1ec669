internal import FrameStreamingCore

/// Decides whether a peer that sends nothing is still there: `(bytes received, now) -> verdict`. It
/// has no I/O, and every call gets the time.
///
/// TCP confirms bytes that the machine at the other end of this connection has taken. If that is a
/// proxy, the peer may be gone for hours. So a quiet peer is asked by PING, which it answers at
/// once, however slow it is otherwise.
///
/// A receiver asks every sender for its clock at the start. A sender that answers none of those
/// questions does not know PING, and counts as present as long as TCP confirms.
struct SilenceDetector: Hashable {
    enum Verdict: Hashable {
        /// Nothing is known to be wrong. Look again at ``SilenceDetector/lookAt``.
        case waits
        /// Send a PING, and call ``SilenceDetector/noteAsked(at:)`` once it is written.
        case ask
        /// The peer has sent nothing for this long, and has not answered.
        case lost(Duration)
    }

    /// How long a peer may be quiet before it is asked, in nanoseconds.
    static let quiet: Int64 = 3_000_000_000
    /// The lowest assumed rate, in bytes per second, at which a proxy passes on the frames in front
    /// of the question, and the longest time that they are assumed to take, in nanoseconds.
    static let slowest: Int64 = 32_000
    static let longest: Int64 = 30_000_000_000
    /// Looks are at whole seconds, so that one thread looks after many connections in one wake-up.
    private static let step: Int64 = 1_000_000_000
    /// Confirmed bytes from one look to the next that are more than just questions.
    static let moving: UInt64 = 512

    private let patience: Int64
    /// Whether the peer is known to answer, so that no answer means that it is gone.
    private var isExpectedToAnswer: Bool
    private var heard: UInt64 = 0
    private var heardAt: Int64
    private var delivered: UInt64 = 0
    /// When the question was sent, or the last bytes in front of it were confirmed.
    private var askedAt: Int64?
    /// When to look next.
    private(set) var lookAt: Int64

    /// - Parameters:
    ///   - patience: How long the answer may take.
    ///   - isExpectedToAnswer: False if the peer may not know PING until ``noteKnowsPING()``.
    init(patience: Duration, isExpectedToAnswer: Bool = true, at now: Int64) {
        self.patience = min(patience.wholeNanoseconds, .max / 4)
        self.isExpectedToAnswer = isExpectedToAnswer
        heardAt = now
        lookAt = Self.whole(now + Self.quiet)
    }

    /// - Parameters:
    ///   - received: Bytes that have arrived from the peer so far.
    ///   - delivered: Bytes that the other end, or a proxy, has confirmed so far. While these go
    ///     on, the question may be on its way.
    ///   - underWay: Bytes of frames that the peer has not acknowledged. The question is behind
    ///     them.
    mutating func look(received: UInt64, delivered: UInt64, underWay: Int, at now: Int64) -> Verdict {
        if received != heard {
            heard = received
            heardAt = now
            askedAt = nil
        }
        // Questions are confirmed as well: a few of 24 bytes a second.
        if delivered &- self.delivered >= Self.moving { askedAt = askedAt.map { _ in now } }
        self.delivered = delivered
        guard now - heardAt >= Self.quiet else {
            lookAt = Self.whole(heardAt + Self.quiet)
            return .waits
        }
        lookAt = Self.whole(now + Self.step)
        guard let askedAt else { return .ask }
        guard isExpectedToAnswer else { return .waits }
        // Limited before the multiplication, so that it cannot overflow.
        let bytes = min(Int64(clamping: underWay), Self.longest / (1_000_000_000 / Self.slowest))
        if now - askedAt < patience + bytes * (1_000_000_000 / Self.slowest) { return .waits }
        return .lost(.nanoseconds(now - heardAt))
    }

    mutating func noteAsked(at now: Int64) { askedAt = now }

    /// Notes a PONG, or a PING of the peer's own: it knows them, and is expected to answer.
    mutating func noteKnowsPING() { isExpectedToAnswer = true }

    /// Starts the peer's time again, because this side has not read and so could not hear it.
    mutating func excuse(at now: Int64) {
        heardAt = now
        askedAt = nil
        lookAt = Self.whole(now + Self.quiet)
    }

    private static func whole(_ time: Int64) -> Int64 { (time + step - 1) / step * step }
}
