package import FrameStreaming

// The same figures for people.

/// `1 picture`, `2 pictures`.
package func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// `30.0 fps, delay 1.2 ms (p99 3.4), 1.2 MB/s, 0 dropped`.
package func describe(_ statistics: ReceiverStatistics, seconds: Double) -> String {
    statusLine(figures(statistics, seconds: seconds))
}

/// The same of a sender, with the time to the acknowledgement.
package func describe(_ statistics: SenderStatistics, seconds: Double) -> String {
    statusLine(figures(statistics, seconds: seconds))
}

/// The figures of a receiver, each for itself: `30.0 fps`, `delay 1.2 ms (p99 3.4)`, ...
package func figures(_ statistics: ReceiverStatistics, seconds: Double) -> [StatusPart] {
    var parts = rate(statistics.frames, seconds)
    if let delay = statistics.latency.summary {
        parts.append(percentiles("delay", delay, error(statistics.clockError)))
    }
    parts.append(amount(statistics.bytes, seconds))
    if let skipped = statistics.skipped { parts.append(StatusPart("\(skipped) dropped", rank: 4)) }
    if statistics.decodeWarnings > 0 { parts.append(warnings(statistics.decodeWarnings)) }
    if statistics.decodeFailures > 0 {
        parts.append(
            StatusPart(
                "\(statistics.decodeFailures) undecodable or refused",
                short: "\(statistics.decodeFailures) undecodable",
                rank: 3))
    }
    if statistics.droppedAtEnd > 0 {
        parts.append(StatusPart("\(statistics.droppedAtEnd) dropped at the end", rank: 6))
    }
    return parts
}

/// The figures of a sender, each for itself: `30.0 fps`, `ack 1.2 ms (p99 3.4)`, ...
package func figures(_ statistics: SenderStatistics, seconds: Double) -> [StatusPart] {
    var parts = rate(statistics.acknowledged, seconds)
    if let ack = statistics.ackTime.summary { parts.append(percentiles("ack", ack, "")) }
    parts.append(amount(statistics.bytes, seconds))
    parts.append(StatusPart("\(statistics.dropped.total) dropped", rank: 4))
    if statistics.decodeWarnings > 0 { parts.append(warnings(statistics.decodeWarnings)) }
    if statistics.failed > 0 { parts.append(StatusPart("\(statistics.failed) failed", rank: 3)) }
    if statistics.lost > 0 { parts.append(StatusPart("\(statistics.lost) lost", rank: 3)) }
    return parts
}

private func warnings(_ count: Int) -> StatusPart { StatusPart("\(count) decoded with warnings", rank: 6) }

private func rate(_ frames: Int, _ seconds: Double) -> [StatusPart] {
    seconds > 0 ? [StatusPart("\(fixed(Double(frames) / seconds)) fps", rank: 1)] : []
}

/// `delay 1.2 ms ± 0.4 (p99 3.4)`.
private func percentiles(_ name: String, _ times: DurationSummary, _ error: String) -> StatusPart {
    let median = "\(name) \(fixed(milliseconds(times.p50))) ms"
    return StatusPart("\(median)\(error) (p99 \(fixed(milliseconds(times.p99))))", short: median, rank: 2)
}

/// `ended: bye (the source has no more pictures)`: how a connection ended,
/// and the text of the peer's goodbye.
package func ended(_ end: StreamEnd?, _ peer: Peer) -> String {
    "ended: \(end?.description ?? "open")\(goodbye(of: peer))"
}

/// ` (the source has no more pictures)`: the text of the peer's goodbye, in
/// printable form; empty if there is none.
package func goodbye(of peer: Peer) -> String {
    guard let goodbye = peer.goodbye else { return "" }
    // A goodbye other than a regular end is printed with its code.
    return goodbye.code == .complete ? " (\(String(printable: goodbye.text)))" : " (\(goodbye))"
}

/// The part about receivers that have paused: otherwise the sender would seem to hang.
package func figures(paused receivers: Int) -> [StatusPart] {
    switch receivers {
    case 0: []
    case 1: [StatusPart("paused by a receiver", short: "paused", rank: 1)]
    default: [StatusPart("paused by \(receivers) receivers", short: "\(receivers) paused", rank: 1)]
    }
}

/// `aims at 1.9 Mbit/s`: the bit rate of video, if something other than its quality decides it.
package func figures(target bitsPerSecond: Int?) -> [StatusPart] {
    guard let bitsPerSecond else { return [] }
    let text =
        bitsPerSecond < 1_000_000
        ? "\(fixed(Double(bitsPerSecond) / 1e3, 0)) kbit/s" : "\(fixed(Double(bitsPerSecond) / 1e6)) Mbit/s"
    return [StatusPart("aims at \(text)", short: text, rank: 5)]
}

/// Bytes per second; or their number, if no time passed because nothing was consumed.
private func amount(_ bytes: Int, _ seconds: Double) -> StatusPart {
    StatusPart(seconds > 0 ? byteRate(Double(bytes) / seconds) : "\(bytes) bytes", rank: 5)
}

/// ` ± 0.4`: by how much times across two machines may be wrong. Empty on
/// one machine, which has one clock.
package func error(_ time: Duration?) -> String {
    guard let time, time > .zero else { return "" }
    // Rounded up, because it is an upper bound.
    return " ± \(fixed((milliseconds(time) * 10).rounded(.up) / 10))"
}

/// Where the time went: `stages (median/p99 ms): capture 0.1/0.3, wait 1.2/30.1, encode 2.0/2.5,
/// ...`. Unknown stages are left out; nil if all are unknown.
package func stages(_ statistics: ReceiverStatistics) -> String? { stages(statistics.stages, statistics.clockError) }

/// The same of a sender.
package func stages(_ statistics: SenderStatistics) -> String? { stages(statistics.stages, statistics.clockError) }

private func stages(_ stages: [StageTime], _ clockError: Duration?) -> String? {
    let known = stages.compactMap { stage in
        stage.time.summary.map { summary in
            "\(stage.name) \(fixed(milliseconds(summary.p50)))/\(fixed(milliseconds(summary.p99)))\(stage.crosses ? error(clockError) : "")"
        }
    }
    return known.isEmpty ? nil : "stages (median/p99 ms): \(known.joined(separator: ", "))"
}

/// A bar of `done` of `all`, for the status line.
package func progressBar(_ done: Int, of all: Int) -> StatusPart {
    let width = 30
    let filled = all > 0 ? min(width, max(0, done) * width / all) : width
    let bar = "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled) + "]"
    return StatusPart("\(bar) \(done)/\(all)", short: "\(done)/\(all)", rank: 0, shortRank: 6)
}

/// The name of a stream for the status line, in printable form. The peer may have chosen a long one.
package func streamName(_ name: String) -> StatusPart {
    StatusPart(prefix(of: String(printable: name), columns: 24), rank: 7)
}
