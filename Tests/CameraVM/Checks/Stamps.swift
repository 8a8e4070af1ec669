import FrameStreamingCamera
import FrameStreamingCore

extension CameraChecks {
    /// Capture times of a driver that stamps with CLOCK_MONOTONIC at the `start` of the
    /// exposure or at the `end` of the frame.
    static func stamps(_ path: String, source: String) throws {
        let camera = try open(path)
        defer { camera.close() }
        // The first ones wait in the driver while everything else is set up.
        for _ in 0..<5 { _ = try camera.picture() }
        let before = camera.statistics.restamped
        var last: Int64 = 0
        var ages: [Int64] = []
        var edges: [CaptureTime.Edge] = []
        for _ in 0..<60 {
            let picture = try camera.picture()
            let now = SystemClock().now
            guard let time = picture.captureTime else { throw Failure(description: "a picture without a time") }
            try check(time.clock == .monotonic, "the clock is \(time.clock)")
            try check(time.nanoseconds > last, "\(time.nanoseconds) follows \(last)")
            try check(time.nanoseconds <= now.nanoseconds, "a picture of the future")
            last = time.nanoseconds
            ages.append(now.nanoseconds - time.nanoseconds)
            edges.append(time.edge)
        }
        let median = ages.sorted()[ages.count / 2]
        let replaced = camera.statistics.restamped - before
        print(
            "ages in ms: median \(median / 1_000_000), most \((ages.max() ?? 0) / 1_000_000); \(replaced) of \(ages.count) stamps could not be right"
        )
        // The median and not the largest, because the emulation sometimes stops for longer.
        try check(median < 100_000_000, "the median age is \(median) ns")
        if source == "start" {
            try check(replaced == 0, "\(replaced) stamps were replaced")
            try check(edges.allSatisfy { $0 == .startOfExposure }, "the edges are \(Set(edges))")
        } else {
            // vivid stamps the end of the frame before that moment: stamps in the
            // future are replaced, and have no edge.
            try check(edges.count { $0 == .unspecified } == replaced, "each replaced stamp is without an edge")
            try check(edges.allSatisfy { $0 == .endOfFrame || $0 == .unspecified }, "the edges are \(Set(edges))")
        }
    }
}
