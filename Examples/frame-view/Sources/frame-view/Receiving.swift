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
    private let report: ViewReport
    private let persistence: Persistence
    private let absence: Absence
    private let limits: ReceiverLimits
    /// The session of the stream that broke last and may come back; 0 = none.
    private let away = Atomic<UInt64>(0)
    private let turn = DispatchSemaphore(value: 1)
    private let hasEnded = DispatchSemaphore(value: 0)

    init(
        _ options: ViewOptions, _ way: Way, _ stage: Stage, _ codec: ViewingCodec, _ report: ViewReport,
        absence: Absence? = nil
    ) {
        self.absence = absence ?? Absence(patience: options.patience)
        self.way = way
        self.stage = stage
        self.codec = codec
        self.report = report
        persistence = options.persistence
        limits = options.limits.receiver
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
            try listener.serve(maximumConnections: 2, onError: refused, takeTurn)
        case .connecting(let connector):
            if !persistence.reconnects { return try run(try connector.nextTransport(until: .never)) }
            var said: String?
            try connector.serve(
                goesOn: !persistence.once,
                onWaiting: { [stage, report] error, _ in
                    // Attempts are made every few seconds, for days.
                    guard let error, error.message != said else { return }
                    said = error.message
                    report.waiting(connector.address, error)
                    stage.waits("waiting for \(connector.address): \(error.message)")
                }
            ) {
                said = nil
                try run($0)
            }
        }
    }

    private func takeTurn(_ transport: TCPTransport) {
        // A sender that returns before its old connection was found to be dead replaces it.
        stage.receiver(of: transport.peer.session)?.cancel()
        turn.wait()
        defer { turn.signal() }
        // The error of a broken connection was reported.
        try? run(transport)
    }

    /// Reports a peer of the listener that has no stream, which changes nothing.
    private func refused(_ error: any Error) {
        guard let error = error as? FrameStreamingError, error.code != .busy, error.code != .closed else { return }
        report.refused(error)
    }

    /// Shows the pictures of one connection.
    ///
    /// - Throws: Why it broke, which was reported by then.
    func run(_ transport: any Transport) throws(FrameStreamingError) {
        let receiver = try FrameReceiver(
            codec: codec, transport: transport, decode: DecodeSettings(pixelFormat: .i420), limits: limits,
            onEvent: { [stage, report] event in
                report.event(event, from: transport.peer)
                stage.note(event, of: transport.peer)
            })
        let session = receiver.peer.session
        let wasAway = session != 0 && away.load(ordering: .sequentiallyConsistent) == session
        let before = stage.enter(receiver)
        report.connected(receiver.peer)
        var isStream = persistence.connects || wasAway
        if isStream { absence.end() }
        do throws(FrameStreamingError) {
            while let received = try receiver.latest() {
                if !isStream { absence.end() }
                isStream = true
                stage.show(received)
            }
        } catch {
            receiver.cancel()
            if !isStream, persistence.isStray(receiver.peer, receiver.statistics, after: error) {
                report.stray(receiver, error)
                stage.leave(before)
                throw error
            }
            report.ended(receiver)
            stage.leave(.broken(error.message))
            if persistence.mayReturn(receiver.peer, after: error) {
                away.store(session, ordering: .sequentiallyConsistent)
                absence.begin { [stage] in stage.end(.over($0)) }
            } else if persistence.once {
                stage.end(.over(error))
            }
            throw error
        }
        if !isStream { absence.end() }
        receiver.close()
        report.ended(receiver)
        stage.leave(.ended(String(printable: receiver.peer.goodbye?.text ?? "the sender has no more pictures")))
        if persistence.once { stage.end(.over(nil)) }
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
