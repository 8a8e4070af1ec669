internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Turns peers away while a listener has no room.
///
/// One thread rejects all peers, with a short time for each, so a flood of peers costs no more
/// than that thread.
final class BusyRejector: Sendable {
    private struct State {
        var waiting: [(Channel, String)] = []
        var isRunning = false
        var isClosed = false
    }

    private let handshakeDriver: HandshakeDriver
    /// Whether peers of both roles connect.
    private let anyRole: Bool
    private let onError: @Sendable (any Error) -> Void
    private let state = Monitor(State())

    /// Connections beyond this are closed without a REJECT.
    private static let longestQueue = 64
    /// How long to wait for the first byte, which shows whether the peer understands REJECT, and
    /// for its HELLO.
    private static let patience = Duration.milliseconds(250)

    init(_ handshakeDriver: HandshakeDriver, anyRole: Bool = false, onError: @escaping @Sendable (any Error) -> Void) {
        self.handshakeDriver = handshakeDriver
        self.anyRole = anyRole
        self.onError = onError
    }

    func turnAway(_ channel: Channel, _ words: String, _ limit: PeerLimit) {
        onError(FrameStreamingError(.busy, "turned away: \(words)", subject: channel.address, limit: limit))
        enum Step { case close, queued, start }
        let step: Step = state.update { state in
            guard !state.isClosed, state.waiting.count < Self.longestQueue else { return .close }
            state.waiting.append((channel, words))
            if state.isRunning { return .queued }
            state.isRunning = true
            return .start
        }
        switch step {
        case .queued: return
        case .close: channel.close()
        case .start:
            do {
                _ = try SystemThread(name: "fs-reject") { self.run() }
            } catch {
                state.update { $0.isRunning = false }
                close()
            }
        }
    }

    private func run() {
        while true {
            let next: (Channel, String)? = state.update { state in
                if state.waiting.isEmpty {
                    state.isRunning = false
                    return nil
                }
                return state.waiting.removeFirst()
            }
            guard let (channel, words) = next else { return }
            refuse(channel, words)
            channel.close()
        }
    }

    /// Reads what the peer says before it answers. A close with bytes unread would reset the
    /// connection, and the REJECT could be lost.
    private func refuse(_ channel: Channel, _ words: String) {
        var reply = handshakeDriver.refusal(words)
        guard !reply.isEmpty else { return }
        do throws(FrameStreamingError) {
            let deadline = Deadline.after(Self.patience)
            let secured = try handshakeDriver.secure(channel, host: nil, until: deadline)
            let writer = MessageWriter(channel, timeout: Self.patience)
            var input = InputBuffer()
            func read() throws(FrameStreamingError) -> Int {
                _ = input.drop(upTo: input.count)
                return try input.fill { bytes throws(FrameStreamingError) in
                    try channel.read(into: &bytes, until: deadline.nanoseconds, driving: writer)
                }
            }
            guard try read() > 0, let first = input.first, first >= 0x80 else { return }
            var handshake = handshakeDriver.refusing(words, secured, anyRole: anyRole)
            hello: while true {
                switch handshake.take(from: &input) {
                case .failed(_, reply: let words):
                    reply = words
                    break hello
                case .established: break hello
                case nil:
                    // An incomplete HELLO is refused as well.
                    guard let count = try? read(), count > 0 else { break hello }
                }
            }
            let answer = reply
            try writer.send(.goodbye, until: .after(Self.patience)) { MessageWriter.Outgoing(answer) }
            channel.shutdownWriting()
            while try read() > 0 {}
        } catch {
            // The peer was reported when it connected.
        }
    }

    func close() {
        let waiting = state.update { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for (channel, _) in waiting { channel.close() }
    }
}
