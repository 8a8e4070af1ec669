import FrameStreaming

/// One line of the rig's plan: streams in a scene, and what is asked of ours.
struct Case {
    let scene: Scene
    /// Ours first: the one that is judged.
    let ours: [Contender]
    /// Whether the peers run it too.
    let hasPeers: Bool
    let judge: (_ ours: StreamRun, _ rig: RigResults) -> [Verdict]
}

/// What was measured so far.
struct RigResults {
    /// Frames a second that the negative control got through the link of 10 Mbit/s: all that TCP
    /// gets through it. Without a control what the headers leave: 1448 of 1514 bytes.
    var tenMegabitLimit = 10_000_000.0 / 800_000 * 1448 / 1514
}

extension Case {
    /// Frames of 100 kB.
    private static let bits = 800_000.0

    private static func slope(_ scene: Scene, _ run: StreamRun) -> Verdict {
        .atMost(2, loose: 25, "\(scene.name): age does not grow", "ms a second", run.ages.slope)
    }

    static let tenMegabit = Scene(name: "10 Mbit/s, 30 fps", shape: Link.Shape(bitsPerSecond: 10_000_000))

    /// The table of what is to be reached.
    ///
    /// - Parameter length: Of a stream, in seconds.
    static func all(_ programs: String, clip: String, length: Double) -> [Case] {
        let duration = Duration.milliseconds(Int(length * 1000))
        let ours = Contender.ours(programs: programs)
        func fixed(_ window: Int) -> Contender {
            .ours("ours, window \(window)", programs: programs, ["--window", "\(window)"])
        }
        func scene(_ name: String, _ shape: Link.Shape, _ change: (inout Scene) -> Void = { _ in }) -> Scene {
            var scene = Scene(name: name, shape: shape, duration: duration)
            change(&scene)
            return scene
        }
        let loopback = scene("loopback, 30 fps", .loopback)
        let thin = scene(tenMegabit.name, tenMegabit.shape)
        // The clip's pictures, some 100 kB each at the best quality, encoded and decoded
        // by us: the times are in the ages.
        let encoded = scene("10 Mbit/s, 30 fps, quality 20 to 80", tenMegabit.shape)
        let adaptive = Contender.ours(
            "ours, adaptive quality", programs: programs, ["--clip", clip, "--qualities", "20,80"],
            receiver: ["--decode"])
        let fixedQuality = Contender.ours(
            "ours, quality 80", programs: programs, ["--clip", clip], receiver: ["--decode"])
        let slow = scene("consumer 60 ms a frame, 30 fps", .loopback) { $0.consumeMilliseconds = 60 }
        let long = scene(
            "100 Mbit/s, RTT 40 ms, 60 fps",
            Link.Shape(bitsPerSecond: 100_000_000, roundTrip: .milliseconds(40))
        ) { $0.framesPerSecond = 60 }
        return [
            Case(scene: loopback, ours: [ours, fixed(1)], hasPeers: true) { run, _ in
                [
                    .atMost(1, loose: 10, "\(loopback.name): age p50", "ms", run.ages.quantile(0.5)),
                    .atMost(10, loose: 150, "\(loopback.name): age p99", "ms", run.ages.quantile(0.99)),
                    slope(loopback, run),
                ]
            },
            Case(scene: thin, ours: [ours, fixed(1), fixed(2)], hasPeers: true) { run, results in
                [
                    .atMost(105, loose: 150, "\(thin.name): age p50", "ms", run.ages.quantile(0.5)),
                    .atMost(125, loose: 250, "\(thin.name): age p95", "ms", run.ages.quantile(0.95)),
                    .atLeast(
                        0.95, loose: 0.8, "\(thin.name): of what TCP gets through the link", "frames/frames",
                        run.ages.framesPerSecond / results.tenMegabitLimit),
                    slope(thin, run),
                ]
            },
            Case(scene: encoded, ours: [adaptive, fixedQuality], hasPeers: false) { run, _ in
                [
                    .atLeast(28, loose: 18, "\(encoded.name): delivered", "frames/s", run.ages.framesPerSecond),
                    .atMost(50, loose: 100, "\(encoded.name): age p50", "ms", run.ages.quantile(0.5)),
                    slope(encoded, run),
                ]
            },
            Case(scene: slow, ours: [ours, fixed(1)], hasPeers: true) { run, _ in
                [
                    .atMost(50, loose: 110, "\(slow.name): age p95 before its own 60", "ms", run.ages.quantile(0.95)),
                    slope(slow, run),
                ]
            },
            Case(scene: long, ours: [ours, fixed(3)], hasPeers: true) { run, _ in
                [
                    .atLeast(58, loose: 40, "\(long.name): delivered", "frames/s", run.ages.framesPerSecond),
                    .atMost(30, loose: 90, "\(long.name): age p50", "ms", run.ages.quantile(0.5)),
                    slope(long, run),
                ]
            },
            steps(ours, duration),
        ]
    }

    /// 100, 5 and 100 Mbit/s again, a third of the time each.
    private static func steps(_ ours: Contender, _ duration: Duration) -> Case {
        let (fast, slow) = (100_000_000, 5_000_000)
        let third = duration / 3
        let changes = [(after: third, bitsPerSecond: slow), (after: third * 2, bitsPerSecond: fast)]
        let scene = Scene(
            name: "100 -> 5 -> 100 Mbit/s, 30 fps", shape: Link.Shape(bitsPerSecond: fast, steps: changes),
            duration: duration)
        return Case(scene: scene, ours: [ours], hasPeers: false) { run, _ in
            // A frame on its way at the rate, the wait for the newest, and 20 ms for the rest.
            func bound(_ rate: Int) -> Double { bits / Double(rate) * 1.05 * 1000 + 1000 / scene.framesPerSecond + 20 }
            return settling(run, changes[0], until: third * 2, bound(slow))
                + settling(run, changes[1], until: duration, bound(fast))
        }
    }

    /// How soon after a step age is below the limit, and how often it is above it then.
    private static func settling(
        _ run: StreamRun, _ change: (after: Duration, bitsPerSecond: Int), until end: Duration, _ limit: Double
    ) -> [Verdict] {
        let from = seconds(change.after)
        let to = seconds(end)
        let isAbove = run.everything.filter { $0.time >= from && $0.time < to }.map { $0.age > limit }
        // Back for four frames on end: an adaptive window tries one frame more now
        // and then, which is not the step.
        let settled = isAbove.indices.first { !isAbove[$0...].prefix(4).contains(true) } ?? 1000
        let later = isAbove.dropFirst(settled)
        let share = Double(later.count { $0 }) / Double(max(later.count, 1))
        let name = "rate step to \(change.bitsPerSecond / 1_000_000) Mbit/s"
        return [
            // Frames of a window, and the one that the step itself cut in two.
            .atMost(5, loose: 8, "\(name): frames until age is below \(places(limit)) ms", "frames", Double(settled)),
            .atMost(0.05, loose: 0.4, "\(name): frames above that afterwards", "of all", share),
        ]
    }
}
