import ArgumentParser
import ExampleSupport
import FrameStreaming

/// What the demonstration prints: lines for people, or objects for programs.
struct DemoOutput: ParsableArguments, Sendable {
    @Flag(help: "Print one JSON object a line on standard output, for programs.")
    var json = false

    @Flag(
        name: .customLong("fail-on-drop"),
        help: "For scripts: end with status 1 if one picture was dropped, lost or undecodable.")
    var failsOnDrop = false

    func previews(_ addresses: [String]) {
        guard json else { return printPictures(at: addresses, "as long as this runs") }
        guard let first = addresses.first else { return }
        printJSON(PreviewEvent(url: first, others: Array(addresses.dropFirst())))
    }

    func shows(at address: String) {
        if !json { printLine("for other programs: \(address)") }
    }

    func progress(_ interval: ReceiverStatistics, dropped: Int, seconds: Double) {
        if json {
            printJSON(ReceiverEventLine("progress", scope: .total, interval, peer: nil, end: nil, seconds: seconds))
        } else {
            var parts = figures(interval, seconds: seconds)
            if let last = parts.popLast() {
                parts.append(StatusPart("\(last.text) (\(dropped) in all)", short: last.text, rank: last.rank))
            }
            printProgress(parts, always: true)
        }
    }

    /// Prints the figures of both ends; nil = that end was never made.
    ///
    /// - Parameter saved: The file of the last picture; nil = none.
    func summary(
        _ received: ReceiverStatistics?, _ sent: SenderSummary?, _ format: FrameFormat?, saved: String? = nil
    ) {
        if json {
            if let saved { printJSON(SavedEvent(path: saved)) }
            let end = sent?.receivers.first?.end
            printJSON(
                SenderEventLine("summary", scope: .total, sent?.total ?? SenderStatistics(), peer: nil, end: end))
            printJSON(
                ReceiverEventLine("summary", scope: .total, received ?? ReceiverStatistics(), peer: nil, end: end),
                isLast: true)
            return
        }
        guard let received, let sent, let format else {
            return printLine("ended before a picture arrived", isLast: true)
        }
        let time = seconds(received.duration)
        var lines = [
            "\(received.frames) of \(sent.total.produced) pictures of \(format.width)x\(format.height) arrived in \(fixed(time)) s: \(describe(received, seconds: time))"
        ]
        if let delay = received.latency.summary {
            lines.append(
                "delay from capture to consumed: p50 \(fixed(milliseconds(delay.p50), 2)) ms, p95 \(fixed(milliseconds(delay.p95), 2)), p99 \(fixed(milliseconds(delay.p99), 2)), max \(fixed(milliseconds(delay.max), 2))"
            )
        }
        if let stages = stages(received) { lines.append(stages) }
        if let saved {
            lines.append("the last picture is in \(RecordingPath.isStandardOutput(saved) ? "standard output" : saved)")
        }
        for (index, line) in lines.enumerated() { printLine(line, isLast: index == lines.count - 1) }
    }
}
