import ArgumentParser
import ExampleSupport
import FrameStreaming
import FrameStreamingPreview

/// Prints the demonstration's line per second and its summary.
final class DemoReport: Sendable {
    private struct State {
        var receiver: FrameReceiver?
        var sender: FrameSender?
        var tile: PreviewStream?
        var last: Frame?
        /// The file of the last picture; nil = it was not saved.
        var saved: Result<String, FrameStreamingError>?
        /// What ended the stream before its end.
        var failure: FrameStreamingError?
    }

    private let state = Locked(State())
    private let output: DemoOutput
    private let interruption: Interruption
    private let ticker: PerSecond

    init(_ output: DemoOutput) {
        let state = state
        self.output = output
        interruption = Interruption(outputs: printedOutputs, announce: announceStop) {
            output.summary(nil, nil, nil)
            return 0
        }
        ticker = PerSecond { seconds in
            guard let receiver = state.withLock({ $0.receiver }) else { return }
            let (summary, tile) = state.withLock { ($0.sender?.summary, $0.tile) }
            // The sender is in this process, so its window is known.
            tile?.window = summary?.receivers.first?.window
            output.progress(receiver.takeInterval(), dropped: summary?.total.dropped.total ?? 0, seconds: seconds)
        }
    }

    /// Prints the addresses of the page.
    func previews(_ addresses: [String]) { output.previews(addresses) }

    func watch(_ receiver: FrameReceiver, _ tile: PreviewStream?) {
        if let tile { output.shows(at: tile.address) }
        state.withLock { state in
            state.receiver = receiver
            state.tile = tile
        }
    }

    /// Keeps the picture in memory of its own, so that the connection's buffers stay free.
    func note(_ received: ReceivedFrame) { state.withLock { $0.last = received.encoded } }

    /// Ends the stream cleanly after `seconds`, or with Ctrl-C.
    func stop(_ sender: FrameSender, after seconds: Int?) {
        state.withLock { $0.sender = sender }
        interruption.does { [self] in
            sumUp(sender)
        } _: {
            sender.stop()
        }
        guard let seconds else { return }
        let end = MonotonicTime.now.advanced(by: .seconds(seconds))
        startThreadOrExit("end") {
            SystemClock().sleep(until: end)
            sender.stop()
        }
    }

    func inBackground(
        _ body: @escaping @Sendable () throws(FrameStreamingError) -> Void
    ) throws(FrameStreamingError) -> Background {
        try Background(body)
    }

    /// Runs `body`, which streams to the end. Then saves the last picture if the user wants it, and
    /// prints the figures, however the stream ended.
    func during(saveLast: String?, _ body: () throws(FrameStreamingError) -> Void) throws(ExitCode) {
        do throws(FrameStreamingError) {
            try body()
        } catch {
            state.withLock { $0.failure = error }
        }
        // Before the figures: after an interruption the program exits with them.
        if let saveLast, let last = state.withLock({ $0.last }) { save(last, saveLast) }
        if interruption.conclude() != 0 { throw ExitCode.failure }
    }

    private func save(_ picture: Frame, _ path: String) {
        do throws(FrameStreamingError) {
            // A recording of one JPEG is a JPEG file.
            let file = try MJPEGRecorder(path: path, options: RecordingOptions(existing: .replace))
            try file.write(picture)
            file.close()
            state.withLock { $0.saved = .success(file.path) }
        } catch {
            state.withLock { $0.saved = .failure(error) }
        }
    }

    /// Prints the figures; returns the program's status.
    private func sumUp(_ sender: FrameSender) -> CInt {
        // After an interruption this is another thread than the one that runs the program.
        ticker.stop()
        let (receiver, last, saved, failure) = state.withLock { ($0.receiver, $0.last, $0.saved, $0.failure) }
        let received = receiver?.statistics
        let sent = sender.summary
        let isInterrupted = interruption.happened
        var complaints: [String] = []
        if let failure, !isInterrupted {
            // The figures of a run that failed for another reason need no words.
            printError(failure.description, failure)
        } else {
            let verdict = RunVerdict(isInterrupted: isInterrupted, failsOnDrop: output.failsOnDrop)
            complaints = verdict.complaints(about: sent.total, leftOut: 0)
            if let received { complaints = verdict.complaints(about: received) + complaints }
            if complaints.isEmpty, last == nil, !isInterrupted { complaints = ["no picture arrived"] }
            for complaint in complaints { printError(complaint) }
        }
        var path: String?
        do throws(FrameStreamingError) {
            path = try saved?.get()
        } catch {
            printError(error.description, error)
            complaints.append(error.description)
        }
        output.summary(received, sent, last?.format, saved: path)
        return complaints.isEmpty && (failure == nil || isInterrupted) ? 0 : 1
    }
}

/// A thread whose result is waited for.
final class Background: Sendable {
    private let outcome = Locked<Result<Void, FrameStreamingError>?>(nil)

    init(_ body: @escaping @Sendable () throws(FrameStreamingError) -> Void) throws(FrameStreamingError) {
        let outcome = outcome
        try startThread("receiver") {
            do throws(FrameStreamingError) {
                try body()
                outcome.withLock { $0 = .success(()) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
        }
    }

    /// Waits for the end, however it is.
    func wait() { _ = outcome.wait(until: nil) { $0 } }

    /// Waits for the end.
    ///
    /// - Throws: What the body threw.
    func finish() throws(FrameStreamingError) {
        try outcome.wait(until: nil) { $0 }?.get()
    }
}
