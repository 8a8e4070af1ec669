internal import FrameStreamingCore

/// Tells of pictures that did not come or were not whole: the first at once, and then their sum once a second, as a bad cable damages
/// every one.
struct FaultReader: Sendable {
    private var told = CameraStatistics()
    private var toldAt: MonotonicTime?

    static let interval = Duration.seconds(1)

    /// What is new in `statistics`, where it is time to tell.
    mutating func read(_ statistics: CameraStatistics, path: String, now: MonotonicTime) -> [CameraEvent] {
        // Asked for every picture: where all is well, it costs a comparison.
        guard Self.count(statistics) > Self.count(told) else { return [] }
        if let toldAt, now.since(toldAt) < Self.interval { return [] }
        var events: [CameraEvent] = []
        let dropped = statistics.driverDrops - told.driverDrops
        if dropped > 0 {
            events.append(
                CameraEvent(
                    .dropped, "\(path): the driver dropped \(dropped) \(dropped == 1 ? "picture" : "pictures")",
                    pictures: dropped))
        }
        let kinds: [(String, KeyPath<CameraStatistics, Int>)] = [
            ("truncated", \.truncatedFrames), ("suspect to the driver", \.errorBuffers), ("short", \.shortFrames),
            ("without a picture", \.corruptFrames), ("contradicting themselves", \.invalidBuffers),
        ]
        let damaged = kinds.map { ($0, statistics[keyPath: $1] - told[keyPath: $1]) }.filter { $0.1 > 0 }
        if !damaged.isEmpty {
            let words = damaged.map { "\($1) \($0)" }.joined(separator: ", ")
            events.append(
                CameraEvent(
                    .damaged, "\(path): pictures were not whole: \(words)", pictures: damaged.reduce(0) { $0 + $1.1 }))
        }
        if !events.isEmpty { (told, toldAt) = (statistics, now) }
        return events
    }

    private static func count(_ statistics: CameraStatistics) -> Int {
        statistics.driverDrops + statistics.truncatedFrames + statistics.errorBuffers + statistics.shortFrames
            + statistics.corruptFrames + statistics.invalidBuffers
    }
}
