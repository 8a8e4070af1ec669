package import ArgumentParser
package import FrameStreaming
internal import Glibc

/// Prints what a receiving program has to report, and decides how it ends. It handles any number of
/// connections, one after another or at once.
package final class ReceiverReport: Sendable {
    private struct State {
        var open: [Int: FrameReceiver] = [:]
        var nextID = 0
        var total = ReceiverStatistics()
        var connections = 0
        var ends = StreamEnds()
        /// How the last connection ended.
        var lastEnd: StreamEnd?
        var consumed = 0
        var stop: (@Sendable () -> Void)?
        /// The goodbye for senders when the program ends; nil = it does not end.
        var goodbye: Goodbye?
        var hasFailed = false
        /// Streams that broke and may come back: until when, and their names.
        var away: [UInt64: (until: Deadline, peer: Peer)] = [:]
        /// Those that were back before their old connection was found to be broken.
        var back: Set<UInt64> = []
        /// The error of a broken connection that was reported already.
        var reported: FrameStreamingError?
        /// What ended the program's work.
        var failure: (any Error)?
        /// Whether the summary was made. Connections that end later are not reported.
        var isSummedUp = false

        var isStopping: Bool { goodbye != nil }
    }

    private let output: OutputOptions
    /// Whether each frame is reported. Read once, because reading a command-line option goes
    /// through generic code of ArgumentParser.
    private let tellsFrames: Bool
    private let frames: Int?
    /// What helps with pictures that are not decoded.
    private let remedy: String
    private let persistence: Persistence
    private let waiting: Waiting
    private let state = Locked(State())
    private let interruption: Interruption
    private let ticker = Locked<PerSecond?>(nil)
    /// How often peers reached a limit of the listener before they had a stream.
    private let listenerLimits = Locked<@Sendable () -> LimitCounts>({ LimitCounts() })
    /// The same at the last line of progress.
    private let limitsBefore = Locked(LimitCounts())

    /// Handles Ctrl-C and SIGTERM from here on: until something is received, they end
    /// the program with an empty summary.
    ///
    /// - Parameter remedy: What helps with pictures that are not decoded; nil = the usual.
    package init(_ output: OutputOptions, frames: Int?, _ persistence: Persistence, remedy: String? = nil) {
        self.output = output
        self.remedy = remedy ?? RunVerdict.usualRemedy
        tellsFrames = output.verbose && !output.json
        self.frames = frames
        self.persistence = persistence
        waiting = Waiting(output)
        interruption = Interruption(outputs: printedOutputs, announce: announceStop) {
            Self.printTotal(State(), output, interrupted: true)
            return 0
        }
    }

    /// Prints where the program listens, and counts the listener's limits from here on.
    package func listening(_ listener: TCPListener) {
        listenerLimits.withLock { $0 = { listener.statistics.limits } }
        if output.json {
            printJSON(ListeningEvent(address: listener.address, port: listener.port))
        } else {
            printLine("listening on \(listener.address)")
        }
    }

    /// How often peers have reached each limit.
    package var limits: LimitCounts {
        let (receivers, before) = state.withLock { (Array($0.open.values), $0.total.limits) }
        var result = before
        for receiver in receivers { result.merge(receiver.statistics.limits) }
        result.merge(listenerLimits.withLock { $0 }())
        return result
    }

    /// Prints the addresses of the page with the pictures, the one for this machine first; nil =
    /// there is no page.
    package func previews(_ addresses: [String]?) {
        guard let addresses, let first = addresses.first else { return }
        if output.json {
            printJSON(PreviewEvent(url: first, others: Array(addresses.dropFirst())))
        } else {
            printPictures(at: addresses)
        }
    }

    /// Reports a connection that failed before it had a stream, such as one that sent rubbish.
    package func failed(_ error: any Error) {
        guard admitsLine(.refused, from: nil) else { return }
        let known = error as? FrameStreamingError
        printError("\(error)", known, at: known?.subject)
    }

    /// Returns a function that reports why the sender at `address` cannot be reached.
    package func waits(for address: String) -> (FrameStreamingError?, Duration) -> Void {
        { [waiting] reason, _ in if let reason { waiting.note(address, reason) } }
    }

    /// Runs `body`, which makes or accepts connections until `stop` is called, and
    /// prints the total when it is done.
    ///
    /// - Parameters:
    ///   - interrupted: Ends the waits of the consumers with `cancelled`.
    ///   - finished: Called before the total is printed.
    package func during(
        stop: @escaping @Sendable () -> Void, interrupted: @escaping @Sendable () -> Void,
        finished: () -> Void = {}, _ body: () throws -> Void
    ) throws(ExitCode) {
        state.withLock { $0.stop = stop }
        interruption.does { [self] in
            sumUp()
        } _: { [self] in
            stopAll(.stopped("receiver stopped"))
            interrupted()
        }
        let ticker = PerSecond { [self] seconds in
            progress(seconds)
            printSuppressedLines(json: output.json)
            giveUp()
        }
        self.ticker.withLock { $0 = ticker }
        do {
            try body()
        } catch {
            state.withLock { $0.failure = error }
        }
        finished()
        if interruption.conclude() != 0 { throw ExitCode.failure }
    }

    /// Prints the summary, including connections that have not ended, without waiting for
    /// them. Returns the program's status.
    private func sumUp() -> CInt {
        // After an interruption this is another thread than the one that runs the program.
        ticker.withLock { $0 }?.stop()
        let atListener = listenerLimits.withLock { $0 }()
        let last = state.withLock { state in
            state.isSummedUp = true
            state.total.limits.merge(atListener)
            for receiver in state.open.values {
                receiver.cancel()
                state.total.merge(receiver.statistics)
                state.connections += 1
                state.ends.note(.cancelled, session: 0, connection: state.nextID)
            }
            return state
        }
        for receiver in last.open.values where admitsLine(.summary, from: nil) {
            printSummary(receiver, receiver.statistics, .cancelled)
        }
        printSuppressedLines(json: output.json, isLast: true)
        let isInterrupted = interruption.happened
        let failure = isInterrupted ? nil : last.failure
        if let failure, failure as? FrameStreamingError != last.reported || last.reported == nil {
            printError("\(failure)", failure as? FrameStreamingError)
        }
        let isFailed = failure != nil || last.hasFailed
        // The figures of a run that failed for another reason need no words.
        let complaints =
            isFailed
            ? []
            : RunVerdict(isInterrupted: isInterrupted, failsOnDrop: output.failOnDrop, remedy: remedy)
                .complaints(about: last.total)
        for complaint in complaints { printError(complaint) }
        // The total is the last line, also of `--json`.
        Self.printTotal(last, output, interrupted: isInterrupted)
        return isFailed || !complaints.isEmpty || hasFailedStream(last) && !isInterrupted ? 1 : 0
    }

    /// Whether a stream broke or failed, and did not come back. A program that connects takes the
    /// sender's next stream instead of a broken one, so that only its last one counts.
    private func hasFailedStream(_ last: State) -> Bool {
        let end = persistence.connects ? last.lastEnd : last.ends.worst
        return end == .error || end == .eof
    }

    /// Runs `body`, which consumes the receiver's frames, and prints the
    /// connection's summary when it is done.
    ///
    /// - Parameter url: Where the pictures are shown; nil = nowhere.
    /// - Throws: The error of `body`, which was reported by then.
    package func during(
        _ receiver: FrameReceiver, shownAt url: String? = nil, _ body: () throws(FrameStreamingError) -> Void
    ) throws(FrameStreamingError) {
        let (id, goodbye, wasAway) = state.withLock { state in
            state.nextID += 1
            state.open[state.nextID] = receiver
            let wasAway = state.away.removeValue(forKey: receiver.peer.session) != nil
            if persistence.connects { state.away = [:] }
            return (state.nextID, state.goodbye, wasAway)
        }
        if let goodbye { receiver.stop(goodbye) }
        waiting.end(receiver.peer.address)
        if admitsLine(.connected, from: nil) {
            if output.json {
                printJSON(PeerEvent("connected", receiver.peer, url: url))
            } else {
                let place = url.map { ", pictures at \($0)" } ?? ""
                printLine("\(name(receiver)) \(connectionWords(receiver.peer))\(place)")
            }
        }
        var failure: FrameStreamingError?
        do throws(FrameStreamingError) { try body() } catch { failure = error }
        // The failure may be on this side, such as in the recording: then the sender gets a goodbye
        // with it, and its name is printed here.
        var isOwn = failure.map { $0.subject != nil && $0.subject != receiver.peer.address } ?? false
        if isOwn, failure?.code == .cancelled, interruption.happened {
            // Ctrl-C, and no failure.
            receiver.close(.stopped("receiver stopped"), consumed: false)
            (failure, isOwn) = (nil, false)
        } else if let failure, isOwn {
            receiver.close(.failed(failure.message), consumed: false)
        } else if failure == nil {
            receiver.close()
        } else {
            receiver.cancel()
        }
        let statistics = receiver.statistics
        let end = isOwn ? .error : receiver.end
        let session = receiver.peer.session
        let mayReturn = failure.map { persistence.mayReturn(receiver.peer, after: $0) } ?? false
        // A stream that came back and broke before its next picture is away again.
        let isBack = state.withLock { $0.back.remove(session) != nil } || wasAway
        if let failure, !isOwn, !isBack, persistence.isStray(receiver.peer, statistics, after: failure) {
            noteStray(receiver, id, failure)
            throw failure
        }
        let isSummedUp = state.withLock { state in
            if state.isSummedUp { return true }
            state.open[id] = nil
            state.total.merge(statistics)
            state.connections += 1
            if let end {
                state.ends.note(end, session: session, connection: id)
                state.lastEnd = end
            }
            state.reported = failure
            if isOwn || (failure != nil && persistence.once && !mayReturn) { state.hasFailed = true }
            if mayReturn, let patience = persistence.patience {
                if let next = state.open.values.first(where: { persistence.connects || $0.peer.session == session }) {
                    state.back.insert(next.peer.session)
                } else {
                    state.away[session] = (.after(patience), receiver.peer)
                }
            }
            return false
        }
        if isSummedUp {
            if let failure { throw failure }
            return
        }
        let isSaid = admitsLine(.summary, from: nil)
        if isSaid { printSummary(receiver, statistics, end) }
        if let failure, isSaid {
            // If this side connects again, the line about the wait has the reason.
            if !(mayReturn && persistence.connects) {
                let words = isOwn ? failure.description : failure.message
                printError("\(receiver.peer.address): \(words)", failure, at: receiver.peer.address)
            }
            if mayReturn, persistence.once, !persistence.connects {
                waiting.note(
                    receiver.peer.address,
                    FrameStreamingError(.endedWithoutGoodbye, "its stream may go on; Ctrl-C ends this"),
                    named: name(receiver))
            }
        }
        if persistence.once, !mayReturn { stopAll(Self.isEnough) }
        if let failure { throw failure }
    }

    /// Reports a connection that was no stream, which changes nothing.
    private func noteStray(_ receiver: FrameReceiver, _ id: Int, _ failure: FrameStreamingError) {
        let isSummedUp = state.withLock { state in
            state.open[id] = nil
            state.reported = failure
            return state.isSummedUp
        }
        guard !isSummedUp, admitsLine(.refused, from: nil) else { return }
        let address = receiver.peer.address
        let words = "no stream came over the connection: "
        printError(
            "\(name(receiver)): \(words)\(failure.message)", failure, at: address,
            whole: "\(wholeSenderName(address, receiver.peer.stream)): \(words)\(failure.wholeMessage)")
        if output.json { printJSON(ConnectionEvent("disconnected", address, failure.wholeMessage)) }
    }

    private func printSummary(
        _ receiver: FrameReceiver, _ statistics: ReceiverStatistics, _ end: StreamEnd?
    ) {
        if output.json {
            printJSON(ReceiverEventLine("summary", scope: .connection, statistics, peer: receiver.peer, end: end))
            return
        }
        let figures = describe(statistics, seconds: seconds(statistics.duration))
        printLine(
            "\(name(receiver)): \(statistics.frames) frames in \(fixed(seconds(statistics.duration))) s: \(figures), \(ended(end, receiver.peer))"
        )
        if let stages = stages(statistics) { printLine(stages) }
    }

    /// Ends the wait for a stream that stayed away for too long: its sender may have
    /// ended, and its goodbye was lost.
    private func giveUp() {
        guard let patience = persistence.patience else { return }
        let peer: Peer? = state.withLock { state in
            guard !state.isStopping, let late = state.away.values.first(where: \.until.hasPassed) else { return nil }
            state.hasFailed = true
            return late.peer
        }
        guard let peer else { return }
        let words =
            "the stream broke and has not come back within \(patience.components.seconds) s, so pictures may be missing: "
            + "see to its sender and the link, or wait for longer with --return-within"
        printError(
            "\(senderName(peer.address, peer.stream)): \(words)", at: peer.address,
            whole: "\(wholeSenderName(peer.address, peer.stream)): \(words)")
        stopAll(.stopped("receiver ended"))
    }

    /// Ends the program, because something that all streams need has failed, which was reported.
    package func cannotGoOn(_ reason: FrameStreamingError) {
        state.withLock { $0.hasFailed = true }
        stopAll(.failed(reason.message))
    }

    /// Waits like a slow consumer, for `duration` or until the program must end.
    package func pause(_ duration: Duration) {
        guard duration > .zero else { return }
        _ = state.wait(until: MonotonicTime.now.advanced(by: duration)) { $0.isStopping ? true : nil }
    }

    /// Notes a consumed frame. Returns false if it was the last that the user wants.
    package func goesOn(after received: ReceivedFrame, of receiver: FrameReceiver) -> Bool {
        if tellsFrames, admitsLine(.frame, from: receiver.peer.address) {
            let delay = received.age.map { "\(fixed(milliseconds($0), 2)) ms" } ?? "delay unknown"
            printLine(
                "\(name(receiver)) frame \(received.info.sequence): \(delay), \(received.encoded.byteCount) bytes")
        }
        let consumed = state.withLock { state in
            state.consumed += 1
            return state.consumed
        }
        guard let frames, consumed >= frames else { return true }
        stopAll(Self.isEnough)
        return false
    }

    /// Reports an event of a peer's stream other than a frame.
    package func event(_ event: ReceiverEvent, from peer: Peer) {
        switch event {
        case .sourceLost(let reason):
            guard admitsLine(.sourceLost, from: peer.address) else { return }
            printError(
                "\(senderName(peer.address, peer.stream)): its source is lost: \(String(printable: reason))",
                FrameStreamingError(.sourceLost, reason), at: peer.address, whole: "its source is lost: \(reason)")
        case .sourceRestored:
            guard admitsLine(.sourceRestored, from: peer.address) else { return }
            if output.json { return printJSON(PeerEvent("source_restored", peer)) }
            printLine("\(senderName(peer.address, peer.stream)): its source is back")
        case .undecodable(let info, let error):
            guard admitsLine(.undecodable, from: peer.address) else { return }
            printError(
                "\(senderName(peer.address, peer.stream)): frame \(info.sequence): \(error.message)", error,
                at: peer.address,
                whole: "\(wholeSenderName(peer.address, peer.stream)): frame \(info.sequence): \(error.wholeMessage)")
        }
    }

    private func name(_ receiver: FrameReceiver) -> String {
        senderName(receiver.peer.address, receiver.peer.stream)
    }

    /// The goodbye once the wanted number of pictures has arrived.
    private static var isEnough: Goodbye { .complete("the receiver has what it wanted") }

    private func stopAll(_ goodbye: Goodbye) {
        let (receivers, stop) = state.withLock { state in
            state.goodbye = state.goodbye ?? goodbye
            return (Array(state.open.values), state.stop)
        }
        // First, because a sender that got the goodbye tries again at once.
        stop?()
        for receiver in receivers { receiver.stop(goodbye) }
    }

    private func progress(_ seconds: Double) {
        let receivers = state.withLock { Array($0.open.values) }
        var sum = ReceiverStatistics()
        for receiver in receivers {
            let interval = receiver.takeInterval()
            sum.merge(interval)
            guard output.json else { continue }
            printJSON(
                ReceiverEventLine(
                    "progress", scope: .stream, interval, peer: receiver.peer, end: nil, seconds: seconds))
        }
        if output.json {
            let atListener = listenerLimits.withLock { $0 }()
            sum.limits.merge(
                limitsBefore.withLock { before in
                    defer { before = atListener }
                    return atListener.since(before)
                })
            printJSON(ReceiverEventLine("progress", scope: .total, sum, peer: nil, end: nil, seconds: seconds))
        } else if let frames {
            let done = state.withLock { $0.consumed }
            printProgress([progressBar(done, of: frames)] + figures(sum, seconds: seconds))
        } else if let first = receivers.first {
            let name = receivers.count == 1 ? first.peer.stream.map { [streamName($0)] } ?? [] : []
            let count = StatusPart("\(receivers.count) connected", rank: 3)
            printProgress(name + [count] + figures(sum, seconds: seconds))
        }
    }

    private static func printTotal(_ last: State, _ output: OutputOptions, interrupted: Bool) {
        let end: StreamEnd? = interrupted ? .cancelled : last.ends.worst
        let total = last.total
        if output.json {
            printJSON(ReceiverEventLine("summary", scope: .total, total, peer: nil, end: end), isLast: true)
        } else {
            printLine(
                "\(counted(total.frames, "frame")) of \(counted(last.connections, "connection")) in \(fixed(seconds(total.duration))) s: \(describe(total, seconds: seconds(total.duration)))",
                isLast: true)
        }
    }
}
