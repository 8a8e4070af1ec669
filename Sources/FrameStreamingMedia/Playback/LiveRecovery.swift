internal import FrameStreamingCore

/// Decides what follows from a break of a live stream: `(event, now) -> what to do`. A value
/// without a clock, a thread or a connection.
struct LiveRecovery: Sendable {
    private enum State {
        /// No frame has come yet: a failure is the source's.
        case fresh
        /// Frames come.
        case streaming
        /// It is tried again at this time.
        case lost(retryAt: MonotonicTime)
    }

    /// What to do after a failure.
    enum Verdict: Equatable, Sendable {
        /// Report the failure, and end.
        case end
        /// Report that the source is lost, and try again after this time.
        case lost(retryAfter: Duration)
        /// Try again after this time: the loss is known.
        case stillLost(retryAfter: Duration)
    }

    /// A connection that streamed this long counts as healthy.
    static let healthyAfter = Duration.seconds(5)

    private let isEnabled: Bool
    private var state = State.fresh
    private var backOff = BackOff(upTo: .seconds(5))
    private var connectedAt: MonotonicTime

    /// - Parameter isEnabled: Whether a break is repaired.
    init(isEnabled: Bool, at now: MonotonicTime) {
        self.isEnabled = isEnabled
        connectedAt = now
    }

    /// When the next attempt is due; nil = there is a connection.
    var retryAt: MonotonicTime? { if case .lost(let time) = state { time } else { nil } }

    /// Notes that a connection was made, of which no frame has come yet.
    mutating func connected(at now: MonotonicTime) { connectedAt = now }

    /// Notes a frame. Returns whether it is the first one after a loss.
    mutating func delivers(at now: MonotonicTime) -> Bool {
        if now.since(connectedAt) >= Self.healthyAfter { backOff.reset() }
        switch state {
        case .fresh:
            state = .streaming
            return false
        case .streaming: return false
        case .lost:
            state = .streaming
            return true
        }
    }

    /// Notes that the connection broke, or could not be made.
    mutating func failed(at now: MonotonicTime) -> Verdict {
        guard isEnabled else { return .end }
        switch state {
        case .fresh: return .end
        case .streaming:
            let pause = backOff.next()
            state = .lost(retryAt: now.advanced(by: pause))
            return .lost(retryAfter: pause)
        case .lost:
            let pause = backOff.next()
            state = .lost(retryAt: now.advanced(by: pause))
            return .stillLost(retryAfter: pause)
        }
    }
}
