package import ArgumentParser
package import FrameStreaming
internal import FrameStreamingSystem
internal import Glibc

/// What a receiving program prints, and how it ends: any number of connections, one after another or at once.
package final class ReceiverReport<Codec: FrameCodec>: Sendable {
    private struct State {
        var open: [Int: FrameReceiver<Codec>] = [:]
        var nextID = 0
        var total = ReceiverStatistics()
        var ends: [StreamEnd] = []
        var consumed = 0
        var stop: (@Sendable () -> Void)?
        var isStopping = false
        var hasFailed = false
    }

    private let output: OutputOptions
    private let frames: Int?
    private let once: Bool
    private let state = Monitor(State())
    private let interruption: Interruption

    /// Ctrl-C and SIGTERM are taken from here on: until something is received, they end the program with an empty summary.
    package init(_ output: OutputOptions, frames: Int?, once: Bool) {
        self.output = output
        self.frames = frames
        self.once = once
        interruption = Interruption {
            Self.printTotal(ReceiverStatistics(), ends: [], output, interrupted: true)
            exit(0)
        }
    }

    /// Says where it listens.
    package func listening(address: String, port: Int) {
        if output.json { printJSON(ListeningEvent(port: port)) } else { printLine("listening on \(address)") }
    }

    /// A connection that came to nothing, such as one that sent rubbish.
    package func failed(_ error: any Error) { printError("\(error)") }

    /// Runs `body`, which accepts connections until `stop` is called, and prints the total when it is done.
    package func during(
        stop: @escaping @Sendable () -> Void, _ body: () throws(FrameStreamingError) -> Void
    ) throws(ExitCode) {
        state.withLock { $0.stop = stop }
        interruption.does { [self] in stopAll() }
        let ticker = PerSecond { [self] seconds in progress(seconds) }
        var failure: FrameStreamingError?
        do throws(FrameStreamingError) { try body() } catch { failure = error }
        ticker.stop()
        let (total, ends) = state.withLock { ($0.total, $0.ends) }
        Self.printTotal(total, ends: ends, output, interrupted: interruption.happened)
        if let failure, !interruption.happened {
            printError(failure.description)
            throw ExitCode.failure
        }
        if state.withLock({ $0.hasFailed }) { throw ExitCode.failure }
    }

    /// Runs `body`, which consumes what the receiver gets, and prints the connection's summary when it is done.
    package func during(
        _ receiver: FrameReceiver<Codec>, _ body: () throws(FrameStreamingError) -> Void
    ) {
        let (id, isStopping) = state.withLock { state in
            state.nextID += 1
            state.open[state.nextID] = receiver
            return (state.nextID, state.isStopping)
        }
        if isStopping { receiver.stop() }
        if !output.json { printLine("\(name(receiver)) connected (\(receiver.peer.handshake) handshake)") }
        var failure: FrameStreamingError?
        do throws(FrameStreamingError) { try body() } catch { failure = error }
        if failure == nil { receiver.close() } else { receiver.cancel() }
        let statistics = receiver.statistics
        let end = receiver.end
        state.update { state in
            state.open[id] = nil
            state.total.merge(statistics)
            if let end { state.ends.append(end) }
            if failure != nil, once { state.hasFailed = true }
        }
        if output.json {
            printJSON(ReceiverEventLine("summary", scope: .connection, statistics, peer: receiver.peer, end: end))
        } else {
            printLine(
                "\(name(receiver)): \(statistics.frames) frames in \(fixed(statistics.seconds)) s: \(describe(statistics, seconds: statistics.seconds)), ended: \(end?.description ?? "open")\(receiver.peer.goodbye.map { " (\($0))" } ?? "")"
            )
            if let stages = stages(statistics) { printLine(stages) }
        }
        if let failure {
            // What failed may be something of this side, such as the recording: then its name is said, too.
            let isOfPeer = failure.subject == nil || failure.subject == receiver.peer.address
            printError("\(receiver.peer.address): \(isOfPeer ? failure.message : failure.description)")
        }
        if once { stopAll() }
    }

    /// Notes a frame that was consumed. False: it was the last that was asked for.
    package func goesOn(after received: ReceivedFrame, of receiver: FrameReceiver<Codec>) -> Bool {
        if output.verbose, !output.json {
            let delay = received.age.map { "\(fixed(milliseconds($0), 2)) ms" } ?? "delay unknown"
            printLine(
                "\(name(receiver)) frame \(received.info.sequence): \(delay), \(received.encoded.byteCount) bytes")
        }
        let consumed = state.withLock { state in
            state.consumed += 1
            return state.consumed
        }
        guard let frames, consumed >= frames else { return true }
        stopAll()
        return false
    }

    /// What happened to a stream beside its frames.
    package func event(_ event: ReceiverEvent) {
        switch event {
        case .sourceLost(let reason): printError("the sender's source is lost: \(reason)")
        case .sourceRestored: if !output.json { printLine("the sender's source is back") }
        case .undecodable(let info, let error): printError("frame \(info.sequence): \(error.message)")
        }
    }

    private func name(_ receiver: FrameReceiver<Codec>) -> String {
        receiver.peer.stream.map { "\(receiver.peer.address) \"\($0)\"" } ?? receiver.peer.address
    }

    private func stopAll() {
        let (receivers, stop) = state.withLock { state in
            state.isStopping = true
            return (Array(state.open.values), state.stop)
        }
        for receiver in receivers { receiver.stop() }
        stop?()
    }

    private func progress(_ seconds: Double) {
        let receivers = state.withLock { Array($0.open.values) }
        var sum = ReceiverStatistics()
        for receiver in receivers { sum.merge(receiver.takeInterval()) }
        if output.json {
            printJSON(ReceiverEventLine("progress", scope: .total, sum, peer: nil, end: nil, seconds: seconds))
        } else if let frames {
            let done = state.withLock { $0.consumed }
            printStatus("\(progressBar(done, of: frames)) \(describe(sum, seconds: seconds))")
        } else if !receivers.isEmpty {
            printStatus("\(receivers.count) connected: \(describe(sum, seconds: seconds))")
        }
    }

    private static func printTotal(
        _ total: ReceiverStatistics, ends: [StreamEnd], _ output: OutputOptions, interrupted: Bool
    ) {
        // The worst end counts: a program that reads the last line only must not miss it.
        let end: StreamEnd? =
            interrupted ? .cancelled : [StreamEnd.error, .eof, .cancelled, .over, .bye].first(where: ends.contains)
        if output.json {
            printJSON(ReceiverEventLine("summary", scope: .total, total, peer: nil, end: end))
        } else {
            printLine(
                "\(total.frames) frames of \(ends.count) connections in \(fixed(total.seconds)) s: \(describe(total, seconds: total.seconds))"
            )
        }
    }
}
