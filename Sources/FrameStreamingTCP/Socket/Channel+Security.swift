internal import FrameStreamingCore
internal import FrameStreamingSystem

extension Channel {
    /// Runs the handshake of the encryption on the calling thread. From then on every byte is
    /// encrypted.
    ///
    /// - Parameter objection: Looks at the first bytes of the peer, which are not read by it. An error
    ///   that it returns ends the handshake.
    /// - Throws: As ``SecuredStream/continueHandshake()``; `timedOut`; `closed`.
    func secure(
        by security: any ConnectionSecurity, host: String?, until deadline: Deadline,
        objection: ([UInt8]) -> FrameStreamingError?
    ) throws(FrameStreamingError) -> SecuredPeer {
        let plain = try stream()
        let secured = try security.begin(plain.socket, host: host, address: address)
        var isKnown = false
        do throws(FrameStreamingError) {
            // The peer of a listener says something first.
            if host == nil { try wait(for: PollEvents.input, on: plain, until: deadline.nanoseconds) }
            while true {
                if !isKnown, let bytes = try? plain.socket.peek(ForeignProtocol.longest), !bytes.isEmpty {
                    isKnown = true
                    if let error = objection(bytes) { throw error }
                }
                let step = try secured.continueHandshake()
                if step == .complete { break }
                if deadline.hasPassed { throw .timedOut("the peer's part of a handshake") }
                try wait(
                    for: step == .wantsInput ? PollEvents.input : PollEvents.output, on: plain,
                    until: deadline.nanoseconds)
            }
        } catch {
            throw lost(.secured(error))
        }
        try replace(by: ByteStream(plain.socket, secured: secured))
        return secured.peer
    }

    /// Ends a connection whose handshake failed, so that what this side has said arrives: a close
    /// with bytes unread would reset the connection.
    func dismiss(until deadline: Deadline) {
        guard let stream = try? stream() else { return }
        stream.socket.shutdownWriting()
        var scratch = [UInt8](repeating: 0, count: 4096)
        while true {
            var span = scratch.mutableSpan
            var bytes = unsafe span.mutableBytes
            do throws(SystemError) {
                guard try stream.socket.receive(into: &bytes, at: 0, wait: .nothing) > 0 else { return }
            } catch {
                guard error.code == Errno.again, !deadline.hasPassed else { return }
                do throws(FrameStreamingError) {
                    try wait(for: PollEvents.input, on: stream, until: deadline.nanoseconds)
                } catch {
                    return
                }
            }
            if deadline.hasPassed { return }
        }
    }
}
