internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Lets a frame's image in as soon as there is memory for it: until then it is not read, and TCP holds its sender up.
struct FrameAdmission: Sendable {
    let account: FrameMemoryAccount
    let channel: Channel
    let writer: MessageWriter
    let state: ConnectionState

    enum Verdict { case admitted, dropped }

    /// How long the wait leaves alone what is half written.
    private static let slice = Duration.milliseconds(20)

    /// Whether there is memory already.
    func admitsAtOnce(_ byteCount: Int) -> Bool { account.take(byteCount) }

    /// Waits for memory. Once this side has said goodbye nobody takes frames any more, and what is behind them is waited for:
    /// those for which there is no memory are dropped then.
    ///
    /// - Throws: `timedOut`; `closed`.
    func admit(_ byteCount: Int, until limit: Deadline) throws(FrameStreamingError) -> Verdict {
        while true {
            // Nobody else writes the rest of an answer that the socket did not take whole.
            let until = writer.hasWork ? limit.earlier(.after(Self.slice)) : limit
            let outcome = account.take(byteCount, until: until.nanoseconds) {
                channel.isClosed || state.look { $0.hasSaidGoodbye }
            }
            switch outcome {
            case .taken: return .admitted
            case .isOver:
                if channel.isClosed { throw .closedConnection }
                account.pass()
                return .dropped
            case .timedOut:
                if limit.hasPassed { throw .timedOut("memory for the next frame") }
                _ = try channel.drive(writer)
            }
        }
    }
}
