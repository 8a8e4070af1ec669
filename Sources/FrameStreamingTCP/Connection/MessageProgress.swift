internal import FrameStreamingCore

/// Decides whether a message that has begun makes progress: `(bytes moved so far, now) -> verdict`,
/// without a clock of its own.
///
/// The total time does not count: a large frame on a slow link may take as long as it moves. A
/// stall ends the connection. So does less than a minimum rate over a minute: a peer could send
/// single bytes to keep its connection.
struct MessageProgress: Hashable, Sendable {
    /// The limits for a message.
    struct Limits: Hashable, Sendable {
        /// Nanoseconds in which at least one byte must move.
        let standstill: Int64
        /// Nanoseconds in which at least ``leastBytes`` must move, again and again.
        let window: Int64
        let leastBytes: UInt64

        /// - Parameters:
        ///   - standstill: How long no byte may move.
        ///   - minimumRate: Bytes per second, averaged over `window`; 0 = no minimum.
        init(standstill: Duration, minimumRate: Int = 0, window: Duration = TCPOptions.rateWindow) {
            // Half of the clock's range is as good as for ever, and can be added to any time.
            self.standstill = min(standstill.wholeNanoseconds, .max / 2)
            self.window = min(window.wholeNanoseconds, .max / 2)
            let product = UInt64(max(0, minimumRate)).multipliedFullWidth(by: UInt64(max(0, self.window)))
            let second: UInt64 = 1_000_000_000
            leastBytes = product.high < second ? second.dividingFullWidth(product).quotient : .max
        }
    }

    enum Verdict: Hashable {
        /// It makes progress. Look again by then.
        case goesOn(until: MonotonicTime)
        /// No byte has moved for the longest permitted time.
        case standsStill
        /// Too few bytes move.
        case tooSlow
    }

    private let limits: Limits
    private var bytes: UInt64
    private var lastMoved: Int64
    private var windowStart: Int64
    private var bytesAtStart: UInt64

    /// - Parameter bytes: The counter's value at the start of the message.
    init(_ limits: Limits, from bytes: UInt64 = 0, at now: MonotonicTime) {
        self.limits = limits
        self.bytes = bytes
        lastMoved = now.nanoseconds
        windowStart = now.nanoseconds
        bytesAtStart = bytes
    }

    /// Judges the message by the bytes that have moved so far.
    mutating func look(_ bytes: UInt64, at now: MonotonicTime) -> Verdict {
        let now = now.nanoseconds
        if bytes != self.bytes {
            self.bytes = bytes
            lastMoved = now
        }
        if now - lastMoved >= limits.standstill { return .standsStill }
        if now - windowStart >= limits.window {
            if bytes &- bytesAtStart < limits.leastBytes { return .tooSlow }
            windowStart = now
            bytesAtStart = bytes
        }
        return .goesOn(
            until: MonotonicTime(
                nanoseconds: min(
                    lastMoved.addingClamped(limits.standstill), windowStart.addingClamped(limits.window))))
    }
}

extension MessageProgress.Verdict {
    /// The error that ends the connection; nil if the message makes progress.
    ///
    /// - Parameter limits: The limits by which it was judged.
    func error(_ limits: MessageProgress.Limits, address: String) -> FrameStreamingError? {
        switch self {
        case .goesOn: nil
        case .standsStill:
            FrameStreamingError(
                .connectionLost,
                "no byte of a message moved for \(Duration.nanoseconds(limits.standstill)): the peer hangs or was stopped, or the link is cut",
                subject: address, limit: .messageTime)
        case .tooSlow:
            FrameStreamingError(
                .connectionLost,
                "fewer than \(limits.leastBytes) bytes of a message moved in \(Duration.nanoseconds(limits.window)): the peer trickles, or the link is below the minimum rate; for a slower link send smaller frames, or lower that rate (TCPOptions.minimumRate)",
                subject: address, limit: .minimumRate)
        }
    }
}

extension TCPOptions {
    var progressLimits: MessageProgress.Limits {
        MessageProgress.Limits(standstill: standstillTimeout, minimumRate: minimumRate, window: rateWindow)
    }
}
