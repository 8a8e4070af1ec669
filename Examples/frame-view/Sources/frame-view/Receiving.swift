internal import Dispatch
internal import FrameStreaming
internal import Synchronization

/// The connections of a window, on threads of their own: one after another, whatever way each ends.
final class Receiving: Sendable {
    /// Where the pictures come from.
    enum Way: Sendable {
        case listening(TCPListener)
        case connecting(TCPConnector)
    }

    private let way: Way
    private let stage: Stage
    private let codec: ViewingCodec
    private let output: Output
    private let once: Bool
    private let reconnects: Bool
    private let absence: Absence
    /// What ended the only stream that was wanted, which the window's end says.
    private let isOver = Atomic(false)
    private let turn = DispatchSemaphore(value: 1)
    private let hasEnded = DispatchSemaphore(value: 0)

    init(
        _ options: ViewOptions, _ way: Way, _ stage: Stage, _ codec: ViewingCodec, _ output: Output,
        absence: Absence? = nil
    ) {
        self.absence = absence ?? Absence(patience: options.patience)
        self.way = way
        self.stage = stage
        self.codec = codec
        self.output = output
        once = options.once
        reconnects = !options.noReconnect
    }

    /// Serves until ``stop()``.
    func start() throws(FrameStreamingError) {
        try startThread("receive") { [self] in
            var failure: FrameStreamingError?
            do { try serve() } catch { failure = error as? FrameStreamingError }
            stage.end(.over(failure))
            hasEnded.signal()
        }
    }

    private func serve() throws {
        switch way {
        case .listening(let listener):
            // One window, one stream: one more is let in and waits for its turn, so that a sender
            // that comes as the last one leaves is not turned away. Others are told that there is
            // no room, and try again until there is.
            try listener.serve(maximumConnections: 2, onError: failed, takeTurn)
        case .connecting(let connector):
            if !reconnects { return try run(try connector.nextTransport(until: .never)) }
            var said: String?
            try connector.serve(
                goesOn: !once,
                onWaiting: { [stage, output] error, _ in
                    // Attempts come every few seconds, for days.
                    guard let error, error.message != said else { return }
                    said = error.message
                    output.waiting(connector.address, error.message)
                    stage.waits("waiting for \(connector.address): \(error.message)")
                }
            ) {
                said = nil
                try run($0)
            }
        }
    }

    private func takeTurn(_ transport: TCPTransport) throws(FrameStreamingError) {
        // A sender that is back before its old connection was found
        // to be dead takes that one's place.
        stage.receiver(of: transport.peer.session)?.cancel()
        turn.wait()
        defer { turn.signal() }
        try run(transport)
    }

    /// A connection of the listener's that broke, or came to nothing.
    private func failed(_ error: any Error) {
        guard let error = error as? FrameStreamingError, error.code != .busy, error.code != .closed else { return }
        if isOver.load(ordering: .sequentiallyConsistent) { return }
        if once, !reconnects { return stage.end(.over(error)) }
        output.complain("Error: \(error)", .refused, from: nil)
    }

    /// Shows what comes over one connection.
    func run(_ transport: any Transport) throws(FrameStreamingError) {
        let receiver = try FrameReceiver(
            codec: codec, transport: transport, decode: DecodeSettings(pixelFormat: .i420), onEvent: event(transport))
        absence.end()
        stage.enter(receiver)
        output.connected(receiver.peer)
        do throws(FrameStreamingError) {
            while let received = try receiver.latest() { stage.show(received) }
        } catch {
            receiver.cancel()
            output.summary(receiver)
            stage.leave(.broken(error.message))
            if mayReturn(receiver.peer, after: error) {
                absence.begin { [stage] in stage.end(.over($0)) }
            } else if once {
                isOver.store(true, ordering: .sequentiallyConsistent)
                stage.end(.over(error))
            }
            throw error
        }
        receiver.close()
        output.summary(receiver)
        stage.leave(.ended(String(printable: receiver.peer.goodbye?.text ?? "the sender has no more pictures")))
        if once { stage.end(.over(nil)) }
    }

    /// Whether a stream that ended so may go on over another connection; where it is not the only
    /// one, another may come in its place.
    private func mayReturn(_ peer: Peer, after error: FrameStreamingError) -> Bool {
        guard reconnects, error.code == .connectionLost || error.code == .endedWithoutGoodbye else { return false }
        return peer.session != 0 || !once
    }

    private func event(_ transport: any Transport) -> @Sendable (ReceiverEvent) -> Void {
        { [stage, output] event in
            let peer = transport.peer
            switch event {
            case .sourceLost(let reason):
                output.source(of: peer, lost: reason)
                stage.note(.sourceLost(String(printable: reason)))
            case .sourceRestored:
                output.source(of: peer, lost: nil)
                stage.note(.live(StreamStatus.name(of: peer)))
            case .undecodable(let info, let error):
                output.complain("Error: frame \(info.sequence): \(error.message)", .undecodable, from: peer)
            // A later version of the library may report more, of
            // which a window has nothing to show.
            @unknown default: break
            }
        }
    }

    /// Takes no more connections, and waits until the one that there
    /// is has said goodbye; not for long.
    func stop() {
        switch way {
        case .listening(let listener):
            listener.stop()
            // Somebody may be in the middle of the handshake, and silent.
            if hasEnded.wait(timeout: .now() + .seconds(3)) == .timedOut { listener.close() }
        case .connecting(let connector):
            connector.cancel()
            _ = hasEnded.wait(timeout: .now() + .seconds(3))
        }
    }
}
