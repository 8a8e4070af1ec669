internal import FrameStreamingCore

/// Whether a peer that says nothing is still there: `(bytes heard, now) -> verdict`. No I/O, and time is what it is told.
///
/// TCP confirms what the machine at the other end of this connection has taken. Where that is a proxy, the peer may be gone for hours. So a
/// peer that has been quiet is asked by a PING, which it answers at once however slow it is otherwise.
///
/// A receiver asks every sender for its clock at the start. A sender that answers none of that does not know PING, and is believed to
/// be there for as long as TCP confirms.
struct SilenceDetector: Hashable {
    enum Verdict: Hashable {
        /// All is well, or may be; look again at ``SilenceDetector/lookAt``.
        case waits
        /// Ask, and call ``SilenceDetector/noteAsked(at:)`` once the question is written.
        case ask
        /// It has not answered, nor said anything else, for so long.
        case lost(Duration)
    }

    /// How long a peer may be quiet before it is asked, in nanoseconds.
    static let quiet: Int64 = 3_000_000_000
    /// Bytes per second at which frames that a proxy has confirmed are believed to go on at least, for the question stands behind them; and
    /// how long that is believed at most, in nanoseconds.
    static let slowest: Int64 = 32_000
    static let longest: Int64 = 30_000_000_000
    /// Looks fall on whole seconds, so that one thread looks after many connections at once.
    private static let step: Int64 = 1_000_000_000
    /// Bytes from one look to the next that are more than questions.
    static let moving: UInt64 = 512

    private let patience: Int64
    /// Whether the peer is known to answer, so that no answer means that it is gone.
    private var isExpectedToAnswer: Bool
    private var heard: UInt64 = 0
    private var heardAt: Int64
    private var delivered: UInt64 = 0
    /// Since when nothing has moved that the question may stand behind.
    private var askedAt: Int64?
    /// When to look next.
    private(set) var lookAt: Int64

    /// - Parameters:
    ///   - patience: How long the answer may take.
    ///   - isExpectedToAnswer: False: only once it has answered something, see ``noteAnswer()``.
    init(patience: Duration, isExpectedToAnswer: Bool = true, at now: Int64) {
        self.patience = min(patience.wholeNanoseconds, .max / 4)
        self.isExpectedToAnswer = isExpectedToAnswer
        heardAt = now
        lookAt = Self.whole(now + Self.quiet)
    }

    /// - Parameters:
    ///   - received: Bytes that have come from the peer so far.
    ///   - delivered: Bytes that something at the other end has confirmed so far: while that goes on, the question may be on its way.
    ///   - underWay: Bytes of frames that the peer has not acknowledged: the question waits behind them.
    mutating func look(received: UInt64, delivered: UInt64, underWay: Int, at now: Int64) -> Verdict {
        if received != heard {
            heard = received
            heardAt = now
            askedAt = nil
        }
        // Questions are delivered, too, a few of 24 bytes a second.
        if delivered &- self.delivered >= Self.moving { askedAt = askedAt.map { _ in now } }
        self.delivered = delivered
        guard now - heardAt >= Self.quiet else {
            lookAt = Self.whole(heardAt + Self.quiet)
            return .waits
        }
        lookAt = Self.whole(now + Self.step)
        guard let askedAt else { return .ask }
        guard isExpectedToAnswer else { return .waits }
        // More than the longest takes is as long as that: no overflow.
        let bytes = min(Int64(clamping: underWay), Self.longest / (1_000_000_000 / Self.slowest))
        if now - askedAt < patience + bytes * (1_000_000_000 / Self.slowest) { return .waits }
        return .lost(.nanoseconds(now - heardAt))
    }

    mutating func noteAsked(at now: Int64) { askedAt = now }

    /// A PONG came.
    mutating func noteAnswer() { isExpectedToAnswer = true }

    /// This side has not read, so what the peer may have said was not heard: it has its time anew.
    mutating func excuse(at now: Int64) {
        heardAt = now
        askedAt = nil
        lookAt = Self.whole(now + Self.quiet)
    }

    private static func whole(_ time: Int64) -> Int64 { (time + step - 1) / step * step }
}
