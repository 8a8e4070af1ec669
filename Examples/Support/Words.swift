package import FrameStreaming

// The same figures for people.

/// `30.0 fps, delay 1.2 ms (p99 3.4), 1.2 MB/s, 0 dropped`.
package func describe(_ statistics: ReceiverStatistics, seconds: Double) -> String {
    var parts: [String] = []
    if seconds > 0 { parts.append("\(fixed(Double(statistics.frames) / seconds)) fps") }
    if let delay = statistics.latency.summary {
        parts.append(
            "delay \(fixed(milliseconds(delay.p50))) ms\(error(statistics.clockError)) (p99 \(fixed(milliseconds(delay.p99))))"
        )
    }
    parts.append(amount(statistics.bytes, seconds))
    if let skipped = statistics.skipped { parts.append("\(skipped) dropped") }
    if statistics.decodeWarnings > 0 { parts.append("\(statistics.decodeWarnings) decoded with warnings") }
    if statistics.decodeFailures > 0 { parts.append("\(statistics.decodeFailures) undecodable or refused") }
    if statistics.droppedAtEnd > 0 { parts.append("\(statistics.droppedAtEnd) dropped at the end") }
    return parts.joined(separator: ", ")
}

/// The same of a sender, with the time to the acknowledgement.
package func describe(_ statistics: SenderStatistics, seconds: Double) -> String {
    var parts: [String] = []
    if seconds > 0 { parts.append("\(fixed(Double(statistics.acknowledged) / seconds)) fps") }
    if let ack = statistics.ackTime.summary {
        parts.append("ack \(fixed(milliseconds(ack.p50))) ms (p99 \(fixed(milliseconds(ack.p99))))")
    }
    parts.append(amount(statistics.bytes, seconds))
    parts.append("\(statistics.dropped.total) dropped")
    if statistics.failed > 0 { parts.append("\(statistics.failed) failed") }
    if statistics.lost > 0 { parts.append("\(statistics.lost) lost") }
    return parts.joined(separator: ", ")
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

/// The end of the line if receivers have paused: otherwise the sender would seem to hang.
package func describe(paused receivers: Int) -> String {
    switch receivers {
    case 0: ""
    case 1: ", paused by a receiver"
    default: ", paused by \(receivers) receivers"
    }
}

/// Bytes per second; or their number, if no time passed because nothing was consumed.
private func amount(_ bytes: Int, _ seconds: Double) -> String {
    seconds > 0 ? byteRate(Double(bytes) / seconds) : "\(bytes) bytes"
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

private func stages(_ stages: [Stage], _ clockError: Duration?) -> String? {
    let known = stages.compactMap { stage in
        stage.time.summary.map { summary in
            "\(stage.name) \(fixed(milliseconds(summary.p50)))/\(fixed(milliseconds(summary.p99)))\(stage.crosses ? error(clockError) : "")"
        }
    }
    return known.isEmpty ? nil : "stages (median/p99 ms): \(known.joined(separator: ", "))"
}

/// A bar of `done` of `all`, for the status line.
package func progressBar(_ done: Int, of all: Int) -> String {
    let width = 30
    let filled = all > 0 ? min(width, done * width / all) : width
    return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        + "] \(done)/\(all)"
}
