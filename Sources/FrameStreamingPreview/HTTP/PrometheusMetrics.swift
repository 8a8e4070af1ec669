internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Formats the figures for Prometheus: text format 0.0.4, with names and units by its conventions.
enum PrometheusMetrics {
    /// - Parameter signIns: Of a preview with a token, what ``AccessCheck/counts`` says.
    static func text(
        of registry: StreamRegistry, _ viewers: ViewerLoop, _ signIns: (failures: Int, refusals: Int)? = nil
    ) -> String {
        let now = MonotonicTime.now
        // Copies, so that formatting holds no stream's lock.
        let streams = registry.entries.map { entry in (entry.name, entry.state.withLock { $0 }) }
        var text = ""

        func metric(_ name: String, _ type: String, _ help: String, _ samples: [(labels: [(String, String)], Double?)])
        {
            let known = samples.compactMap { sample in sample.1.flatMap { $0.isFinite ? (sample.labels, $0) : nil } }
            guard !known.isEmpty else { return }
            text += "# HELP framestreaming_\(name) \(help)\n# TYPE framestreaming_\(name) \(type)\n"
            for (labels, value) in known { text += line(name, labels, value) }
        }
        func each(_ value: (StreamEntry.State) -> Double?) -> [(labels: [(String, String)], Double?)] {
            streams.map { name, state in ([("stream", name)], value(state)) }
        }

        metric(
            "stream_up", "gauge", "Whether the stream is live: 0 where it is lost or has ended.",
            each {
                $0.status == .live ? 1 : 0
            })
        metric("stream_frames_total", "counter", "Frames received.", each { Double($0.figures.frames) })
        metric("stream_bytes_total", "counter", "Bytes of the frames received.", each { Double($0.figures.bytes) })
        metric(
            "stream_dropped_total", "counter", "Pictures that were not shown, by reason.",
            streams.flatMap { name, state in
                var dropped = state.dropped
                if let skipped = state.skippedBySender { dropped["skipped_by_sender"] = skipped }
                return dropped.sorted { $0.key < $1.key }.map { reason, count in
                    ([("stream", name), ("reason", reason)], Double(count))
                }
            })
        text += delay(streams, now)
        metric(
            "stream_clock_error_seconds", "gauge", "By how much the delay may be wrong, either way.",
            each { $0.clockError.map { $0 / 1e3 } })
        metric(
            "stream_width_pixels", "gauge", "Width of the newest picture.",
            each {
                $0.newest.map { Double($0.frame.format.width) }
            })
        metric(
            "stream_height_pixels", "gauge", "Height of the newest picture.",
            each {
                $0.newest.map { Double($0.frame.format.height) }
            })
        metric(
            "stream_jpeg_quality", "gauge", "JPEG quality of the newest picture, 1 to 100.",
            each {
                $0.newest?.frame.quality.map(Double.init)
            })
        metric(
            "stream_window_frames", "gauge", "Frames that the sender has under way at once.",
            each {
                $0.window.map(Double.init)
            })
        metric("stream_viewers", "gauge", "Viewers that look at the stream.", each { Double($0.viewers) })
        metric("stream_viewer_frames_total", "counter", "Pictures sent to viewers.", each { Double($0.sent) })
        metric(
            "stream_viewer_bytes_total", "counter", "Bytes of the pictures sent to viewers.",
            each {
                Double($0.sentBytes)
            })
        metric(
            "streams_refused_total", "counter", "Streams that had no place, because there were too many.",
            [([], Double(registry.refused))])
        metric(
            "picture_bytes", "gauge", "Bytes of the newest pictures of all streams.",
            [([], Double(registry.budget.bytes))])
        metric(
            "picture_bytes_limit", "gauge", "Bytes that the newest pictures of all streams may have.",
            [([], Double(registry.budget.limit))])
        if let limits = registry.limitCounts.withLock({ $0 })?() {
            metric(
                "limit_reached_total", "counter", "How often peers reached a limit, by limit: Docs/Limits.md.",
                PeerLimit.allCases.map { ([("limit", $0.rawValue)], Double(limits[$0])) })
        }
        let counts = viewers.counts
        metric("viewers", "gauge", "Viewers that are connected.", [([], Double(counts.viewers))])
        metric("viewers_limit", "gauge", "Viewers that may be connected.", [([], Double(viewers.maximumViewers))])
        metric(
            "viewers_refused_total", "counter", "Viewers that were turned away, because there were too many.",
            [([], Double(counts.turnedAway))])
        metric(
            "sign_in_failures_total", "counter", "Wrong tokens, cookies and links.",
            [([], signIns.map { Double($0.failures) })])
        metric(
            "sign_in_refused_total", "counter", "Requests refused because of too many wrong tokens before.",
            [([], signIns.map { Double($0.refusals) })])
        return text
    }

    private static func delay(_ streams: [(String, StreamEntry.State)], _ now: MonotonicTime) -> String {
        let known = streams.filter { $0.1.figures.delayCount > 0 }
        guard !known.isEmpty else { return "" }
        let name = "stream_delay_seconds"
        var text =
            "# HELP framestreaming_\(name) Age of a picture when it is shown; quantiles are of the last seconds.\n"
            + "# TYPE framestreaming_\(name) summary\n"
        for (stream, state) in known {
            if let delay = state.figures.delay(at: now.nanoseconds) {
                text += line(name, [("stream", stream), ("quantile", "0.5")], delay.p50 / 1e3)
                text += line(name, [("stream", stream), ("quantile", "0.99")], delay.p99 / 1e3)
            }
            text += line("\(name)_sum", [("stream", stream)], Double(state.figures.delaySum) / 1e9)
            text += line("\(name)_count", [("stream", stream)], Double(state.figures.delayCount))
        }
        return text
    }

    private static func line(_ name: String, _ labels: [(String, String)], _ value: Double) -> String {
        let pairs = labels.map { "\($0)=\"\(escaped($1))\"" }.joined(separator: ",")
        let number = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
        return "framestreaming_\(name)\(pairs.isEmpty ? "" : "{\(pairs)}") \(number)\n"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
