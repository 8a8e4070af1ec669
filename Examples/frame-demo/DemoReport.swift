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
    }

    private let state = Locked(State())
    private let interruption: Interruption
    private let ticker: PerSecond

    init() {
        let state = state
        interruption = Interruption {
            printLine("ended before a picture arrived")
            return 0
        }
        ticker = PerSecond { seconds in
            guard let receiver = state.withLock({ $0.receiver }) else { return }
            let (summary, tile) = state.withLock { ($0.sender?.summary, $0.tile) }
            // The sender is in this process, so its window is known.
            tile?.window = summary?.receivers.first?.window
            let drops = summary?.total.dropped.total ?? 0
            let line = describe(receiver.takeInterval(), seconds: seconds)
            printLine("\(line) (\(drops) in all)")
        }
    }

    /// Prints the addresses of the page.
    func previews(_ addresses: [String]) { printPictures(at: addresses, "as long as this runs") }

    func watch(_ receiver: FrameReceiver, _ tile: PreviewStream?) {
        if let tile { printLine("for other programs: \(tile.address)") }
        state.withLock { state in
            state.receiver = receiver
            state.tile = tile
        }
    }

    /// Keeps the picture in memory of its own, so that the connection's buffers stay free.
    func note(_ received: ReceivedFrame) { state.withLock { $0.last = received.encoded } }

    /// Ends the stream cleanly after `seconds`, or with Ctrl-C.
    func stop(_ sender: FrameSender, after seconds: Int?) {
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

    /// Prints the figures, and saves the last picture if the user wants it.
    func summary(saveLast: String?) throws(FrameStreamingError) {
        ticker.stop()
        guard interruption.conclude() == 0 else {
            throw FrameStreamingError(.truncatedInput, "no picture arrived")
        }
        guard let saveLast, let last = state.withLock({ $0.last }) else { return }
        // A recording of one JPEG is a JPEG file.
        let file = try MJPEGRecorder(path: saveLast, options: RecordingOptions(existing: .replace))
        try file.write(last)
        file.close()
        printLine("the last picture is in \(file.path)")
    }

    /// Prints the figures; returns the program's status.
    private func sumUp(_ sender: FrameSender) -> CInt {
        let (receiver, last) = state.withLock { ($0.receiver, $0.last) }
        guard let received = receiver?.statistics, let last else {
            guard interruption.happened else { return 1 }
            printLine("ended before a picture arrived")
            return 0
        }
        let sent = sender.summary.total
        printLine(
            "\(received.frames) of \(sent.produced) pictures of \(last.format.width)x\(last.format.height) arrived in \(fixed(seconds(received.duration))) s: \(describe(received, seconds: seconds(received.duration)))"
        )
        if let delay = received.latency.summary {
            printLine(
                "delay from capture to consumed: p50 \(fixed(milliseconds(delay.p50), 2)) ms, p95 \(fixed(milliseconds(delay.p95), 2)), p99 \(fixed(milliseconds(delay.p99), 2)), max \(fixed(milliseconds(delay.max), 2))"
            )
        }
        if let stages = stages(received) { printLine(stages) }
        return 0
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
