internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Notices that a peer is gone although a proxy in between still confirms the bytes for it.
/// ``SilenceDetector`` decides.
struct SilenceWatch: Sendable {
    /// The number of a PING that asks for nothing but an answer. No question about the clock has
    /// it.
    private static let question: UInt64 = 0

    private let detector: Monitor<SilenceDetector>
    private let channel: Channel
    private let writer: MessageWriter
    private let state: ConnectionState
    private let sent: Monitor<SentFrames>

    /// Nil if the kernel does not count received bytes: the socket is not TCP.
    ///
    /// - Parameter isExpectedToAnswer: False if the peer may not know PING until it has answered
    ///   one.
    init?(
        _ channel: Channel, _ writer: MessageWriter, _ state: ConnectionState, sent: Monitor<SentFrames>,
        answerTimeout: Duration, isExpectedToAnswer: Bool
    ) {
        guard channel.receivedBytes != nil else { return nil }
        detector = Monitor(
            SilenceDetector(patience: answerTimeout, isExpectedToAnswer: isExpectedToAnswer, at: monotonicNow()))
        self.channel = channel
        self.writer = writer
        self.state = state
        self.sent = sent
    }

    /// Notes a PONG.
    func noteKnowsPING() { detector.withLock { $0.noteKnowsPING() } }

    /// Looks whether the peer is still there, if it is time to; returns when to look next, nil =
    /// never.
    ///
    /// - Parameter waitsForMemory: Whether this side does not read now, and so does not hear the
    ///   peer.
    /// - Throws: `connectionLost` when it has not answered for too long.
    func look(waitsForMemory: Bool) throws(FrameStreamingError) -> Int64? {
        let now = monotonicNow()
        let next = detector.withLock { $0.lookAt }
        if next > now { return next }
        if waitsForMemory {
            return detector.withLock { detector in
                detector.excuse(at: now)
                return detector.lookAt
            }
        }
        // A goodbye has a limit of its own.
        guard let received = channel.receivedBytes, let delivered = channel.deliveredBytes,
            !state.look({ $0.isEnding })
        else { return nil }
        let underWay = sent.withLock { $0.unacknowledgedBytes }
        let verdict = detector.withLock {
            $0.look(received: received, delivered: delivered, underWay: underWay, at: now)
        }
        switch verdict {
        case .waits: break
        case .ask: if try ask() { detector.withLock { $0.noteAsked(at: now) } }
        case .lost(let quiet):
            throw FrameStreamingError(
                .connectionLost,
                "the peer has sent nothing for \(quiet.components.seconds) s and has not answered a PING: it hangs or is gone, and a proxy on the way goes on confirming what it is sent",
                subject: channel.address, errno: Errno.timedOut)
        }
        return detector.withLock { $0.lookAt }
    }

    /// - Returns: False if something else is being written. The peer is not to blame for that.
    private func ask() throws(FrameStreamingError) -> Bool {
        do throws(FrameStreamingError) {
            return try writer.offer {
                MessageWriter.Outgoing(Ping(id: Self.question, sendTime: monotonicNow()).marshal())
            }
        } catch {
            // The writing threads report a failed write. What has arrived is still read.
            if error.code == .closed { throw error }
            return false
        }
    }
}
