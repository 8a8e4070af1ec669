internal import FrameStreaming

/// The text of the overlay: the figures of the last second, and the picture's own.
struct Figures: Hashable {
    private var rate = ""
    private var picture = ""

    /// The lines from top to bottom; empty while nothing is known.
    var lines: [String] { [rate, picture].filter { !$0.isEmpty } }

    /// - Parameter seconds: How long the interval was.
    mutating func take(_ interval: ReceiverStatistics, seconds: Double) {
        var parts = ["\(tenths(Double(interval.frames) / max(seconds, 1e-9))) fps"]
        if let delay = interval.latency.summary {
            // The error of times across two machines. One machine has one clock, and no error.
            let error =
                interval.clockError.map { $0 > .zero ? " +-\(tenths((milliseconds($0) * 10).rounded(.up) / 10))" : "" }
                ?? ""
            parts.append("delay \(tenths(milliseconds(delay.p50))) ms\(error) (p99 \(tenths(milliseconds(delay.p99))))")
        } else if interval.frames > 0 {
            parts.append("delay unknown")
        }
        if let skipped = interval.skipped { parts.append("\(skipped) dropped") }
        if interval.decodeFailures > 0 { parts.append("\(interval.decodeFailures) undecodable") }
        rate = parts.joined(separator: "  ")
    }

    mutating func take(_ received: ReceivedFrame) {
        let (shape, jpeg) = (received.frame.format, received.encoded)
        let quality = jpeg.quality.map { "  quality \($0)" } ?? ""
        picture = "\(shape.width)x\(shape.height)\(quality)  \(tenths(Double(jpeg.byteCount) / 1000)) kB"
    }
}

/// `12.3`.
func tenths(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    let scaled = Int((abs(value) * 10).rounded())
    return "\(value < 0 && scaled > 0 ? "-" : "")\(scaled / 10).\(scaled % 10)"
}
