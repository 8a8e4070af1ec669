internal import Dispatch
internal import FrameStreaming
internal import Synchronization

/// Serves a window's connections on threads of their own, one after another, however each ends.
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
    /// Whether the only wanted stream is over. The window's end reports why.
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
            // The window shows one stream. A second sender is admitted and waits for its turn, so
            // that it is not refused when it connects while the last one leaves. Further senders
            // are refused, and try again until there is room.
            try listener.serve(maximumConnections: 2, onError: failed, takeTurn)
        case .connecting(let connector):
            if !reconnects { return try run(try connector.nextTransport(until: .never)) }
            var said: String?
            try connector.serve(
                goesOn: !once,
                onWaiting: { [stage, output] error, _ in
                    // Attempts are made every few seconds, for days.
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
        // A sender that returns before its old connection was found to be dead replaces it.
        stage.receiver(of: transport.peer.session)?.cancel()
        turn.wait()
        defer { turn.signal() }
        try run(transport)
    }

    /// Reports a connection of the listener that broke, or failed before it had a stream.
    private func failed(_ error: any Error) {
        guard let error = error as? FrameStreamingError, error.code != .busy, error.code != .closed else { return }
        if isOver.load(ordering: .sequentiallyConsistent) { return }
        if once, !reconnects { return stage.end(.over(error)) }
        output.complain("Error: \(error)", .refused, from: nil)
    }

    /// Shows the pictures of one connection.
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

    /// Whether a stream that ended with this error may continue over another connection; or,
    /// without `--once`, another stream may replace it.
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
            // A later version of the library may report other
            // events, which the window does not show.
            @unknown default: break
            }
        }
    }

    /// Accepts no more connections, and waits for the goodbye of the present one, up to a limit.
    func stop() {
        switch way {
        case .listening(let listener):
            listener.stop()
            // A silent peer may be in the middle of the handshake.
            if hasEnded.wait(timeout: .now() + .seconds(3)) == .timedOut { listener.close() }
        case .connecting(let connector):
            connector.cancel()
            _ = hasEnded.wait(timeout: .now() + .seconds(3))
        }
    }
}
