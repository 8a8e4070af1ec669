internal import FrameStreamingCore
internal import FrameStreamingSystem

extension Channel {
    /// How long a receiver has for its first byte behind WELCOME. Those of this package send a PING at
    /// once, so it is a round trip; others need not send anything.
    private static var patience: Duration { .milliseconds(500) }

    /// Waits until the receiver has shown that WELCOME reached it, by a byte of its own.
    ///
    /// A receiver whose WELCOME was lost with the connection comes back as a new one, and would miss the
    /// frames that the source gave for its first connection.
    ///
    /// - Throws: `endedWithoutGoodbye`, `connectionLost`; `closed`.
    func waitForSignOfLife(until deadline: Deadline) throws(FrameStreamingError) {
        let stream = try stream()
        try wait(for: PollEvents.input, on: stream, until: deadline.earlier(.after(Self.patience)).nanoseconds)
        do throws(SystemError) {
            guard try stream.socket.peek(1).isEmpty else { return }
        } catch {
            if error.code == Errno.again { return }
            throw lost(.socket(error))
        }
        throw .ended(address)
    }
}
