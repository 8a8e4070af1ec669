internal import FrameStreaming

/// Prints what happens to the window's streams, for people or for programs, as `frame-receive` does,
/// and decides how the program ends.
final class ViewReport: Sendable {
    private struct State {
        var total = ReceiverStatistics()
        var connections = 0
        var ends = StreamEnds()
        /// Why there will be no stream any more.
        var failure: FrameStreamingError?
        /// Whether the user closed the window, and so wanted no more pictures.
        var isClosedByUser = false
    }

    private let json: Bool
    private let state = Locked(State())
    /// How often peers reached a limit of the listener before they had a stream.
    private let listenerLimits = Locked<@Sendable () -> LimitCounts>({ LimitCounts() })

    init(json: Bool) {
        self.json = json
        if json { beginJSON() }
    }

    /// Prints where the program listens, and counts the listener's limits from here on.
    func listening(_ listener: TCPListener) {
        listenerLimits.withLock { $0 = { listener.statistics.limits } }
        if json {
            printJSON(ListeningEvent(address: listener.address, port: listener.port))
        } else {
            printLine("listening on \(listener.address)")
        }
    }

    /// Prints why the sender cannot be reached.
    func waiting(_ address: String, _ error: FrameStreamingError) {
        guard admits(.waiting, from: nil) else { return }
        printNote("waiting for \(address): \(error.message)")
        printEvent(ConnectionEvent("waiting", address, error.wholeMessage))
    }

    /// Prints why a peer was refused that has no stream.
    func refused(_ error: FrameStreamingError) {
        guard admits(.refused, from: nil) else { return }
        printError(error.description, error, at: error.subject)
    }

    func connected(_ peer: Peer) {
        guard admits(.connected, from: nil) else { return }
        if json {
            // The window is no place that other programs can see.
            printJSON(PeerEvent("connected", peer, url: nil))
        } else {
            printLine("\(name(of: peer)) \(connectionWords(peer))")
        }
    }

    /// Prints an event of a peer's stream other than a frame.
    func event(_ event: ReceiverEvent, from peer: Peer) {
        switch event {
        case .sourceLost(let reason):
            guard admits(.sourceLost, from: peer) else { return }
            printError(
                "\(name(of: peer)): its source is lost: \(String(printable: reason))",
                FrameStreamingError(.sourceLost, reason), at: peer.address, whole: "its source is lost: \(reason)")
        case .sourceRestored:
            guard admits(.sourceRestored, from: peer) else { return }
            if json { return printJSON(PeerEvent("source_restored", peer)) }
            printLine("\(name(of: peer)): its source is back")
        case .undecodable(let info, let error):
            guard admits(.undecodable, from: peer) else { return }
            printError(
                "\(name(of: peer)): frame \(info.sequence): \(error.message)", error, at: peer.address,
                whole: "\(wholeName(of: peer)): frame \(info.sequence): \(error.wholeMessage)")
        // A later version of the library may report other events, which the window does not show.
        @unknown default: break
        }
    }

    /// Prints a picture that the window cannot show.
    func cannotShow(_ error: FrameStreamingError, from peer: Peer?) {
        guard admits(.undecodable, from: peer) else { return }
        printError(error.description, error, at: peer?.address)
    }

    func snapshot(_ path: String) {
        if json { printJSON(SnapshotEvent(path: path)) } else { printLine("saved \(path)") }
    }

    func snapshotFailed(_ error: FrameStreamingError) {
        guard admits(.log, from: nil) else { return }
        printError(error.description, error)
    }

    /// Reports a connection that was no stream, which changes nothing.
    func stray(_ receiver: FrameReceiver, _ error: FrameStreamingError) {
        guard admits(.refused, from: nil) else { return }
        let peer = receiver.peer
        let words = "no stream came over the connection: "
        printError(
            "\(name(of: peer)): \(words)\(error.message)", error, at: peer.address,
            whole: "\(wholeName(of: peer)): \(words)\(error.wholeMessage)")
        printEvent(ConnectionEvent("disconnected", peer.address, error.wholeMessage))
    }

    /// Notes the end of a connection, and prints its figures.
    func ended(_ receiver: FrameReceiver) {
        let (peer, figures) = (receiver.peer, receiver.statistics)
        state.withLock { state in
            state.total.merge(figures)
            state.connections += 1
            if let end = receiver.end {
                state.ends.note(end, session: peer.session, connection: state.connections)
            }
        }
        guard admits(.summary, from: nil) else { return }
        if json {
            return printJSON(
                ReceiverEventLine("summary", scope: .connection, figures, peer: peer, end: receiver.end))
        }
        let time = seconds(figures.duration)
        printLine(
            "\(name(of: peer)): \(figures.frames) frames in \(fixed(time)) s: \(describe(figures, seconds: time)), "
                + frame_view.ended(receiver.end, peer))
        if let stages = stages(figures) { printLine(stages) }
    }

    /// Notes how the window was closed.
    ///
    /// - Parameter failure: Why there will be no stream; nil = no failure.
    func closed(byUser: Bool, _ failure: FrameStreamingError?) {
        state.withLock { state in
            state.isClosedByUser = byUser
            state.failure = failure
        }
    }

    /// Prints the last lines: the figures of a connection that is still open, the failure, and the
    /// total.
    ///
    /// - Returns: The program's status.
    func sumUp(_ open: FrameReceiver?, isInterrupted: Bool) -> CInt {
        if let open {
            open.cancel()
            ended(open)
        }
        printSuppressedLines(json: json, isLast: true)
        var last = state.withLock { $0 }
        last.total.limits.merge(listenerLimits.withLock { $0 }())
        let failure = isInterrupted ? nil : last.failure
        if let failure { printError(failure.description, failure) }
        let verdict = RunVerdict(
            isInterrupted: isInterrupted || last.isClosedByUser, failsOnDrop: false,
            remedy: "correct the sender's pictures")
        // The figures of a run that failed for another reason need no words.
        let complaints = failure == nil ? verdict.complaints(about: last.total) : []
        for complaint in complaints { printError(complaint) }
        let end: StreamEnd? = isInterrupted ? .cancelled : last.ends.worst
        if json {
            printJSON(ReceiverEventLine("summary", scope: .total, last.total, peer: nil, end: end), isLast: true)
        } else {
            let time = seconds(last.total.duration)
            printLine(
                "\(counted(last.total.frames, "frame")) of \(counted(last.connections, "connection")) in \(fixed(time)) s: \(describe(last.total, seconds: time))",
                isLast: true)
        }
        return failure == nil && complaints.isEmpty ? 0 : 1
    }

    private func admits(_ kind: LineKind, from peer: Peer?) -> Bool {
        // Nothing here happens once a second.
        printSuppressedLines(json: json)
        return admitsLine(kind, from: peer?.address)
    }

    private func name(of peer: Peer) -> String { senderName(peer.address, peer.stream) }
    private func wholeName(of peer: Peer) -> String { wholeSenderName(peer.address, peer.stream) }
}
