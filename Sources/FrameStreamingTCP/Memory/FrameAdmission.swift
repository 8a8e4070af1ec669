internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Waits until there is memory for a frame's image. Until then it is not read, and TCP blocks the
/// sender.
struct FrameAdmission: Sendable {
    let account: FrameMemoryAccount
    let channel: Channel
    let writer: MessageWriter
    let state: ConnectionState
    let holdBacks: HoldBacks?

    /// Whether a frame was dropped. All that follow it are dropped as well: the receiver would take
    /// the gap for the peer's fault.
    private(set) var hasDropped = false
    private(set) var isWaiting = false

    enum Verdict { case admitted, dropped }

    /// How long the wait may delay the rest of a partly written message.
    private static let slice = Duration.milliseconds(20)

    /// Takes the memory if it is available now.
    func admitsAtOnce(_ byteCount: Int) -> Bool { !hasDropped && account.take(byteCount) }

    /// Waits for memory. Once this side has said goodbye, no consumer takes frames any more, and
    /// the peer's answer is behind them: frames for which there is no memory are dropped then.
    ///
    /// - Throws: `timedOut`; `closed`.
    mutating func admit(_ byteCount: Int, until limit: Deadline) throws(FrameStreamingError) -> Verdict {
        if !isWaiting { holdBacks?.note(.memory) }
        // What throws `timedOut` is called again for the same frame.
        isWaiting = true
        let verdict = try wait(for: byteCount, until: limit)
        isWaiting = false
        return verdict
    }

    private mutating func wait(for byteCount: Int, until limit: Deadline) throws(FrameStreamingError) -> Verdict {
        while !hasDropped {
            // No other thread writes the rest of an answer that the socket took in part.
            let until = writer.hasWork ? limit.earlier(.after(Self.slice)) : limit
            let outcome = account.take(byteCount, until: until.nanoseconds) {
                channel.isClosed || state.look { $0.hasSaidGoodbye }
            }
            switch outcome {
            case .taken: return .admitted
            case .isOver:
                if channel.isClosed { throw .closedConnection }
                hasDropped = true
            case .timedOut:
                if limit.hasPassed { throw .timedOut("memory for the next frame") }
                _ = try channel.drive(writer)
            }
        }
        account.pass()
        return .dropped
    }
}
