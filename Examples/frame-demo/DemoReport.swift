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
    }

    private let state = Locked(State())
    private let output: DemoOutput
    private let interruption: Interruption
    private let ticker: PerSecond

    init(_ output: DemoOutput) {
        let state = state
        self.output = output
        interruption = Interruption(announce: announceStop) {
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

    /// Saves the last picture if the user wants it, and prints the figures.
    func summary(saveLast: String?) throws(ExitCode) {
        ticker.stop()
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
        let (receiver, last, saved) = state.withLock { ($0.receiver, $0.last, $0.saved) }
        let received = receiver?.statistics
        let sent = sender.summary
        let verdict = RunVerdict(isInterrupted: interruption.happened, failsOnDrop: output.failsOnDrop)
        var complaints = verdict.complaints(about: sent.total, leftOut: 0)
        if let received { complaints = verdict.complaints(about: received) + complaints }
        if complaints.isEmpty, last == nil, !interruption.happened { complaints = ["no picture arrived"] }
        for complaint in complaints { printError(complaint) }
        var path: String?
        do throws(FrameStreamingError) {
            path = try saved?.get()
        } catch {
            printError(error.description, error)
            complaints.append(error.description)
        }
        output.summary(received, sent, last?.format, saved: path)
        return complaints.isEmpty ? 0 : 1
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

    /// Waits for the end.
    func finish() throws(FrameStreamingError) {
        try outcome.wait(until: nil) { $0 }?.get()
    }
}
