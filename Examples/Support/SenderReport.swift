package import ArgumentParser
package import FrameStreaming
internal import Glibc

/// Prints what a sending program has to report, and decides how it ends.
package final class SenderReport: Sendable {
    private let output: OutputOptions
    private let frames: Int?
    private let input: InputReport?
    private let interruption: Interruption
    private let waiting: Waiting
    private let needsAll: Bool
    private let outcome = Locked<FrameStreamingError?>(nil)
    /// The pictures of the source that were left out.
    private let damaged = Locked(0)
    /// An error outside the sender that keeps the program from going on.
    private let obstacle = Locked<FrameStreamingError?>(nil)
    private let ticker = Locked<PerSecond?>(nil)
    /// How often receivers reached a limit in a connection.
    private let limits = Locked(LimitCounts())
    /// The same before they had a connection.
    private let listenerLimits = Locked<@Sendable () -> LimitCounts>({ LimitCounts() })
    /// Both at the last line of progress.
    private let limitsBefore = Locked(LimitCounts())

    /// Handles Ctrl-C and SIGTERM from here on: until there is a sender, they end the program with an
    /// empty summary.
    ///
    /// It must be made before the source, which may have a thread of its own: a signal that went to
    /// that would end the program without a summary.
    package static func interruption(_ output: OutputOptions) -> Interruption {
        Interruption(outputs: printedOutputs, announce: announceStop) {
            Self.printTotal(SenderSummary(receivers: []), LimitCounts(), output, interrupted: true)
            return 0
        }
    }

    /// - Parameters:
    ///   - interruption: What handles Ctrl-C.
    ///   - frames: How many pictures there will be; nil = not known.
    ///   - input: The file or pipe that is read, if any.
    ///   - needsAll: Whether one receiver that did not get its frames is a failure. True if the
    ///     user named the receivers, false if they connected themselves.
    package init(
        _ output: OutputOptions, _ interruption: Interruption, frames: Int?, input: InputReport? = nil, needsAll: Bool
    ) {
        self.output = output
        self.interruption = interruption
        self.frames = frames
        self.input = input
        self.needsAll = needsAll
        waiting = Waiting(output)
    }

    /// Prints where the program listens.
    ///
    /// - Parameter limits: Returns how often peers reached a limit before they had a connection.
    package func listening(address: String, port: Int, limits: @escaping @Sendable () -> LimitCounts) {
        listenerLimits.withLock { $0 = limits }
        if output.json {
            printJSON(ListeningEvent(address: address, port: port))
        } else {
            printLine("listening on \(address)")
        }
    }

    /// How often receivers have reached each limit.
    private var allLimits: LimitCounts {
        var result = listenerLimits.withLock { $0 }()
        result.merge(limits.withLock { $0 })
        return result
    }

    /// Reports why a peer that connected was refused.
    package func turnedAway(_ error: FrameStreamingError) { failed(error) }

    /// Reports a connection that failed before it had a stream.
    package func failed(_ error: any Error) {
        guard admitsLine(.refused, from: nil) else { return }
        let known = error as? FrameStreamingError
        printError("\(error)", known, at: known?.subject)
    }

    /// Reports an error that keeps the program from going on: it ends with
    /// status 1, once the sender has ended.
    package func cannotGoOn(_ error: FrameStreamingError) {
        obstacle.withLock { $0 = error }
        printError(error.description, error)
    }

    /// Runs `body` on a thread of its own for as long as it takes.
    package func inBackground(_ body: @escaping @Sendable () -> Void) { startThreadOrExit("listen", body) }

    /// Reports an event of a connection other than a frame.
    package func event(_ event: SenderEvent) {
        switch event {
        case .connected(let peer):
            waiting.end(peer.address)
            guard output.json, admitsLine(.connected, from: nil) else { return }
            printJSON(PeerEvent("connected", peer))
        case .disconnected(let peer, let error):
            limits.withLock { $0.note(error?.limit) }
            guard admitsLine(.disconnected, from: nil) else { return }
            if output.json {
                let reason = error?.wholeMessage ?? "it said goodbye\(peer.goodbye.map { " (\($0.text))" } ?? "")"
                printJSON(ConnectionEvent("disconnected", peer.address, reason))
            } else {
                printNote("\(peer.address): \(error?.message ?? "it said goodbye\(goodbye(of: peer))")")
            }
        case .ended(let peer, let error):
            limits.withLock { $0.note(error?.limit) }
            // The summary has the end of a receiver that left.
            guard admitsLine(.disconnected, from: nil) else { return }
            if let error { printNote("\(peer.address): \(error.message)") }
            if output.json { printJSON(ConnectionEvent("disconnected", peer.address, error?.wholeMessage)) }
        case .waiting(let address, let error, _): waiting.note(address, error)
        case .stalled(let peer, let quiet, let left):
            let end =
                left.map { "; gives up in \(fixed(milliseconds($0) / 1000, 0)) s" } ?? " (--give-up-after is for that)"
            guard admitsLine(.stalled, from: peer.address) else { return }
            let reason = "nothing acknowledged for \(quiet.components.seconds) s\(end)"
            printNote("waiting for \(peer.address): \(reason)")
            if output.json { printJSON(ConnectionEvent("stalled", peer.address, reason)) }
        case .requested(let peer, let request):
            guard admitsLine(.requested, from: peer.address) else { return }
            if output.json {
                printJSON(ConnectionEvent("requested", peer.address, "\(request)"))
            } else {
                printNote("\(peer.address) asks for: \(request)")
            }
        case .refused(let peer, let request, let error):
            guard admitsLine(.requested, from: peer.address) else { return }
            if output.json {
                printJSON(ConnectionEvent("request refused", peer.address, "\(request): \(error.wholeMessage)"))
            } else {
                printNote("\(peer.address) asks for \(request), and does not get it: \(error.message)")
            }
        case .sourceDamaged(let count, let latest):
            // The source limits these: the first at once, and then one line a minute.
            damaged.withLock { $0 += count }
            printNote("\(counted(count, "damaged picture")) \(count == 1 ? "was" : "were") left out: \(latest)")
            if output.json { printJSON(DamageEvent(count: count, reason: "\(latest)")) }
        case .sourceHeldUp(let time): input?.heldUp(time)
        }
    }

    /// For ``SenderOptions/onAcknowledgement``: the delay of each frame, as
    /// the tutorial's client prints it.
    package var onAcknowledgement: (@Sendable (Acknowledgement, Duration) -> Void)? {
        guard output.verbose, !output.json else { return nil }
        return { word, time in
            guard admitsLine(.frame, from: nil) else { return }
            printLine("frame \(word.sequence): \(word.outcome) after \(fixed(milliseconds(time), 2)) ms")
        }
    }

    /// Prints a line per second while `body` runs the sender, and the summary
    /// when it is done, however it ends.
    ///
    /// - Parameter deliversAll: Whether every picture must arrive, so
    ///   that a missing one is a failure. Asked at the end.
    package func during(
        _ sender: FrameSender, deliversAll: @escaping @Sendable () -> Bool,
        _ body: () throws(FrameStreamingError) -> Void
    ) throws(ExitCode) {
        interruption.does { [self] in
            sumUp(sender, deliversAll: deliversAll())
        } _: {
            sender.stop()
        }
        let ticker = PerSecond { [self] seconds in
            progress(sender, seconds)
            printSuppressedLines(json: output.json)
        }
        self.ticker.withLock { $0 = ticker }
        do throws(FrameStreamingError) {
            try body()
        } catch {
            outcome.withLock { $0 = error }
        }
        if interruption.conclude() != 0 { throw ExitCode.failure }
    }

    /// Prints the summary and the failures. Returns the program's status.
    private func sumUp(_ sender: FrameSender, deliversAll: Bool) -> CInt {
        // After an interruption this is another thread than the one that runs the program.
        ticker.withLock { $0 }?.stop()
        // Connections that have not ended by now count as ended, and are not waited for.
        if interruption.happened { sender.cancel() }
        let summary = sender.summary
        for receiver in summary.receivers where admitsLine(.summary, from: nil) {
            if output.json {
                printJSON(
                    SenderEventLine(
                        "summary", scope: .connection, receiver.statistics, peer: receiver.peer, end: receiver.end,
                        targetBitRate: receiver.targetBitRate, limits: limits(of: receiver)))
            } else {
                let figures = describe(receiver.statistics, seconds: seconds(receiver.statistics.duration))
                printLine("\(receiver.peer.address): \(figures), \(ended(receiver.end, receiver.peer))")
                if let stages = stages(receiver.statistics) { printLine(stages) }
            }
            if let failure = receiver.failure { printNote("\(receiver.peer.address): \(failure.message)") }
        }
        printSuppressedLines(json: output.json, isLast: true)
        let isInterrupted = interruption.happened
        let leftOut = damaged.withLock { $0 }
        input?.sumUp(damaged: leftOut)
        // A sender that listens may have no receiver for a long time.
        let unwanted = needsAll ? input?.unwanted ?? 0 : 0
        // Pictures that are missing at the end of an interrupted run are no failure.
        let isFailed = !isInterrupted && hasFailed(summary, deliversAll: deliversAll)
        // The figures of a run that failed for another reason need no words.
        let complaints =
            isFailed
            ? []
            : RunVerdict(isInterrupted: isInterrupted, failsOnDrop: output.failOnDrop)
                .complaints(about: summary.total, leftOut: leftOut + (input?.dropped ?? 0) + unwanted)
        for complaint in complaints { printError(complaint) }
        if leftOut > 0, !isInterrupted, !output.json {
            printNote("\(counted(leftOut, "damaged picture")) of the source \(leftOut == 1 ? "was" : "were") left out")
        }
        // The total is the last line, also of `--json`.
        Self.printTotal(summary, allLimits, output, interrupted: isInterrupted)
        return isFailed || !complaints.isEmpty ? 1 : 0
    }

    /// Prints the failures of the run and of its receivers. Returns whether there were any that
    /// count.
    private func hasFailed(_ summary: SenderSummary, deliversAll: Bool) -> Bool {
        let failure = outcome.withLock { $0 }
        if let failure { printError(failure.description, failure) }
        let shortfalls = summary.receivers.map { deliversAll ? shortfall(of: $0) : nil }
        let missing = shortfalls.compactMap(\.self)
        for (words, whole) in missing.prefix(Self.mostShortfalls) { printError(words, whole: whole) }
        if missing.count > Self.mostShortfalls {
            printNote("... and \(missing.count - Self.mostShortfalls) more like it")
        }
        // If receivers connected by themselves, it is enough that one has everything.
        let isShort =
            !shortfalls.isEmpty && (needsAll ? shortfalls.contains { $0 != nil } : shortfalls.allSatisfy { $0 != nil })
        let isBroken = needsAll && summary.receivers.contains { $0.failure != nil }
        return failure != nil || obstacle.withLock({ $0 != nil }) || isShort || isBroken
    }

    /// A listening sender may have had thousands of receivers: the first failures show the cause.
    private static let mostShortfalls = 100

    /// `38 of 1000 pictures were delivered: the receiver failed: ...`; nil if all were.
    ///
    /// - Returns: The words for people, and with the whole text of the peer.
    private func shortfall(of receiver: SenderSummary.Receiver) -> (words: String, whole: String)? {
        let figures = receiver.statistics
        let all = max(frames ?? 0, figures.produced)
        let isMissing = figures.lost + figures.dropped.disconnected > 0
        // A receiver that joined in mid-stream has to get the frames from then on. A frame that the
        // receiver could not decode counts as delivered.
        guard isMissing || needsAll && receiver.end != nil && figures.acknowledged + figures.failed < all else {
            return nil
        }
        let goodbye = receiver.peer.goodbye
        let (reason, whole) =
            switch goodbye?.code {
            case _ where receiver.failure != nil:
                (receiver.failure?.message ?? "", receiver.failure?.wholeMessage ?? "")
            case .stopped?: ("the receiver was stopped", "the receiver was stopped")
            case .complete?:
                (
                    "the receiver wanted no more (\(String(printable: goodbye?.text ?? "")))",
                    "the receiver wanted no more (\(goodbye?.text ?? ""))"
                )
            default: ("the connection ended before that", "the connection ended before that")
            }
        let words = "\(receiver.peer.address): \(figures.acknowledged) of \(all) pictures were delivered: "
        return (words + reason, words + whole)
    }

    private func progress(_ sender: FrameSender, _ seconds: Double) {
        let interval = sender.takeInterval()
        let summary = sender.summary
        let paused = summary.receivers.count(where: \.isPaused)
        if output.json {
            printJSON(
                SenderEventLine(
                    "progress", scope: .total, interval, peer: nil, end: nil, paused: paused,
                    targetBitRate: summary.targetBitRate, limits: takeLimits(), seconds: seconds))
            return
        }
        let line =
            figures(interval, seconds: seconds) + figures(paused: paused) + figures(target: summary.targetBitRate)
        if let frames {
            let done = summary.total
            printProgress([progressBar(done.acknowledged + done.dropped.total + done.failed, of: frames)] + line)
        } else {
            printProgress(line)
        }
    }

    /// How often receivers have reached each limit since the last call.
    private func takeLimits() -> LimitCounts {
        let now = allLimits
        return limitsBefore.withLock { before in
            defer { before = now }
            return now.since(before)
        }
    }

    private func limits(of receiver: SenderSummary.Receiver) -> LimitCounts {
        var result = LimitCounts()
        result.note(receiver.failure?.limit)
        return result
    }

    private static func printTotal(
        _ summary: SenderSummary, _ limits: LimitCounts, _ output: OutputOptions, interrupted: Bool
    ) {
        let total = summary.total
        // The worst end counts: a program that reads the last line only must not miss it.
        let ends = summary.receivers.compactMap(\.end)
        let end: StreamEnd? =
            interrupted ? .cancelled : [StreamEnd.error, .eof, .cancelled, .over, .bye].first(where: ends.contains)
        if output.json {
            printJSON(
                SenderEventLine(
                    "summary", scope: .total, total, peer: nil, end: end, targetBitRate: summary.targetBitRate,
                    limits: limits), isLast: true)
        } else {
            printLine(
                "\(total.acknowledged) of \(total.produced) pictures delivered in \(fixed(seconds(total.duration))) s: \(describe(total, seconds: seconds(total.duration)))",
                isLast: true)
        }
    }
}

extension SenderSummary {
    /// The largest of all receivers' targets.
    fileprivate var targetBitRate: Int? { receivers.compactMap(\.targetBitRate).max() }
}
