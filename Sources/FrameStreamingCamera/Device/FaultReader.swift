internal import FrameStreamingCore

/// Reports dropped and damaged frames: the first one at once, then their sum once a second, because
/// a bad cable damages every frame.
struct FaultReader: Sendable {
    private var reported = CameraStatistics()
    private var reportedAt: MonotonicTime?

    static let interval = Duration.seconds(1)

    /// Returns events for what is new in `statistics`, if a report is due.
    mutating func read(_ statistics: CameraStatistics, path: String, now: MonotonicTime) -> [CameraEvent] {
        // Called for every frame: without a fault it costs one comparison.
        guard Self.count(statistics) > Self.count(reported) else { return [] }
        if let reportedAt, now.since(reportedAt) < Self.interval { return [] }
        var events: [CameraEvent] = []
        let dropped = statistics.driverDrops - reported.driverDrops
        if dropped > 0 {
            events.append(
                CameraEvent(
                    .dropped, "\(path): the driver dropped \(dropped) \(dropped == 1 ? "picture" : "pictures")",
                    frameCount: dropped))
        }
        let kinds: [(String, KeyPath<CameraStatistics, Int>)] = [
            ("truncated", \.truncatedFrames), ("suspect to the driver", \.errorBuffers), ("short", \.shortFrames),
            ("without an image", \.corruptFrames), ("inconsistent", \.invalidBuffers),
        ]
        let damaged = kinds.map { ($0, statistics[keyPath: $1] - reported[keyPath: $1]) }.filter { $0.1 > 0 }
        if !damaged.isEmpty {
            let words = damaged.map { "\($1) \($0)" }.joined(separator: ", ")
            events.append(
                CameraEvent(
                    .damaged, "\(path): damaged pictures: \(words)", frameCount: damaged.reduce(0) { $0 + $1.1 }))
        }
        if !events.isEmpty { (reported, reportedAt) = (statistics, now) }
        return events
    }

    private static func count(_ statistics: CameraStatistics) -> Int {
        statistics.driverDrops + statistics.truncatedFrames + statistics.errorBuffers + statistics.shortFrames
            + statistics.corruptFrames + statistics.invalidBuffers
    }
}
