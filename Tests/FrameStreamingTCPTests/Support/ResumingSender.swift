import FrameStreamingCore
import FrameStreamingSystem

@testable import FrameStreamingTCP

/// The simplest sender that loses nothing: after a break it continues behind the frames that
/// the receiver reports as consumed.
struct ResumingSender {
    let connector: any TransportProvider
    let frames: UInt64
    var window: UInt64 = 4
    /// Called with each connection's peer.
    var onConnection: (Peer) -> Void = { _ in }

    /// Sends until all was acknowledged. What breaks a connection leads to the next.
    func run() throws {
        for _ in 0..<100 {
            do throws(FrameStreamingError) {
                if try stream() { return }
            } catch {
                guard error.isTransient else { throw error }
            }
        }
        throw FrameStreamingError(.timedOut, "a hundred connections were not enough")
    }

    private func stream() throws(FrameStreamingError) -> Bool {
        let transport = try connector.nextTransport(until: soon())
        defer { transport.close() }
        let peer = transport.peer
        onConnection(peer)
        let first = peer.resumedFrom
        var sent: UInt64 = 0
        var acknowledged: UInt64 = 0
        var credit = peer.initialCredit
        while first + acknowledged < frames {
            while first + sent < frames, sent < credit, sent - acknowledged < window {
                sent += 1
                let frame: Frame
                do { frame = try makeFrame(first + sent, byteCount: 10) } catch {
                    throw FrameStreamingError(.invalidArgument, "\(error)")
                }
                try transport.send(.frame(frame, FrameInfo(sequence: sent)), until: soon())
            }
            guard case .acknowledgement(let acknowledgement) = try transport.receive(until: soon()) else {
                return false
            }
            guard acknowledgement.sequence == acknowledged + 1 else {
                throw FrameStreamingError(.invalidArgument, "acknowledgement \(acknowledgement.sequence)")
            }
            acknowledged = acknowledgement.sequence
            credit = acknowledgement.creditThrough
        }
        try? transport.finish("all sent", until: soon())
        return true
    }
}
