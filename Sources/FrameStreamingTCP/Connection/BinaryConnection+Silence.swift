internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A peer that is no longer there, behind something that goes on confirming what it is sent.
extension BinaryConnection {
    /// The number of a PING that asks for nothing but an answer: no question about the clock has it.
    private static let question: UInt64 = 0

    /// Looks after the peer where it is time to; returns when to look next, nil = never.
    ///
    /// - Throws: `connectionLost` when it has not answered for too long.
    func lookAfterSilence() throws(FrameStreamingError) -> Int64? {
        guard let silence else { return nil }
        let now = monotonicNow()
        let next = silence.withLock { $0.lookAt }
        if next > now { return next }
        if reader.waitsForMemory {
            return silence.withLock { silence in
                silence.excuse(at: now)
                return silence.lookAt
            }
        }
        // Whoever ends the connection waits with a limit of its own.
        guard let received = channel.receivedBytes, let delivered = channel.deliveredBytes,
            !life.look({ $0.hasSaidFarewell || $0.goodbye != nil })
        else { return nil }
        let underWay = numbers.withLock { $0.underWay.reduce(0, &+) }
        switch silence.withLock({ $0.look(received: received, delivered: delivered, underWay: underWay, at: now) }) {
        case .waits: break
        case .ask: if try ask() { silence.withLock { $0.noteAsked(at: now) } }
        case .lost(let quiet):
            throw FrameStreamingError(
                .connectionLost,
                "the peer has said nothing for \(quiet.components.seconds) s and not answered a PING: it hangs or is gone, though something on the way confirms what it is sent",
                subject: channel.address, errno: Errno.timedOut)
        }
        return silence.withLock { $0.lookAt }
    }

    /// False: something else is being written, and the peer is not to blame.
    private func ask() throws(FrameStreamingError) -> Bool {
        do throws(FrameStreamingError) {
            return try writer.offer {
                MessageWriter.Outgoing(Ping(id: Self.question, sendTime: monotonicNow()).marshal())
            }
        } catch {
            // What cannot be written is told to those who write. What can still be read is read.
            if error.code == .closed { throw error }
            return false
        }
    }
}
