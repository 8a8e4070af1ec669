/// Many streams into one process, and one source to many receivers.
extension Rig {
    private static let counts = [1, 4, 16, 64]

    private func withReceiver<Value>(streams: Int, decode: Bool, _ body: (String) throws -> Value) throws
        -> (Value, [String: Double])
    {
        let receiver = try Child(
            ["\(programs)/frame-bench", "many-receive", "--streams", "\(streams)"] + (decode ? ["--decode"] : []))
        let port = Int(try receiver.figures(with: "port", within: 10_000)["port"] ?? 0)
        let value = try body("127.0.0.1:\(port)")
        return (value, try receiver.end(patience: .seconds(60)))
    }

    /// 1, 4, 16, 64 streams of 720p pictures into one process that decodes them.
    func fanIn(clip: String, frames: Int, into report: inout RigReport) throws {
        var rates: [Double] = []
        var peaks: [Double] = []
        for count in Self.counts {
            let (_, figures) = try withReceiver(streams: count, decode: true) { address in
                _ = try Child([
                    "\(programs)/frame-bench", "many-send", "--address", address, "--streams", "\(count)", "--frames",
                    "\(frames)", "--clip", clip,
                ]).finish()
            }
            rates.append(figures["fps"] ?? .nan)
            peaks.append(figures["peakMegabytes"] ?? .nan)
            let cpu = (figures["cpuSeconds"] ?? .nan) * 1000 / (figures["frames"] ?? .nan)
            report.rows.append(
                "| \(count) streams into one process, decoded | ours | \(places(rates.last ?? 0)) | - | - | - / \(places(cpu, 2)) | - / \(places(peaks.last ?? 0, 0)) |"
            )
            note(report.rows.last ?? "")
        }
        let each = zip(Self.counts, peaks).dropFirst().map { ($1 - peaks[0]) / Double($0 - 1) }
        report.verdicts += [
            .atLeast(
                0.9, loose: 0.6, "1, 4, 16, 64 streams into one process: frames/s of the slowest, of 1 stream's",
                "frames/frames", (rates.min() ?? .nan) / rates[0]),
            .atMost(
                8, loose: 12, "1, 4, 16, 64 streams into one process: memory of one more, at worst", "MB",
                each.max() ?? .nan),
        ]
    }

    /// One source to 1, 4, 16, 64 receivers, 100 kB at 30 fps, beside
    /// a loop in C with the same window.
    func fanOut(clip: String, seconds: Double, pairs: Int, into report: inout RigReport) throws {
        for count in Self.counts {
            var ratios: [Double] = []
            var (ours, theirs) = ([Double](), [Double]())
            for pair in 1...pairs {
                let (own, reference) = try inTurn(pair) {
                    try fanOutFigures(count, seconds: seconds, clip: nil)
                } reference: {
                    try Child.figures([
                        "\(programs)/FanOutReference", "\(count)", "100000", "4", "30", "\(seconds)",
                    ])
                }
                ours.append((own["cpuSeconds"] ?? .nan) * 1e6 / (own["sent"] ?? .nan))
                theirs.append((reference["cpuSeconds"] ?? .nan) * 1e6 / (reference["sent"] ?? .nan))
                ratios.append(ours[pair - 1] / theirs[pair - 1])
            }
            report.rows.append(
                "| 1 source to \(count) receivers, 30 fps | ours, window 4; CPU a frame and receiver | - | - | - | \(places(median(ours) / 1000, 3)); plain C \(places(median(theirs) / 1000, 3)) | - |"
            )
            note(report.rows.last ?? "")
            report.verdicts.append(
                .atMost(
                    1.2, loose: 4,
                    "1 source to \(count) receivers: CPU per frame and receiver of the plain C loop's", "us/us",
                    median(ratios)))
            let encoded = try fanOutFigures(count, seconds: min(seconds, 3), clip: clip)
            report.verdicts.append(
                .atMost(
                    1, loose: 1, "1 source to \(count) receivers: encodings of a picture", "encodings",
                    (encoded["encodings"] ?? .nan) / (encoded["pictures"] ?? .nan)))
        }
    }

    private func fanOutFigures(_ count: Int, seconds: Double, clip: String?) throws -> [String: Double] {
        try withReceiver(streams: count, decode: false) { address in
            try Child.figures(
                [
                    "\(programs)/frame-bench", "fan-out-send", "--address", address, "--receivers", "\(count)",
                    "--seconds", "\(seconds)", "--jpeg", jpeg,
                ] + (clip.map { ["--clip", $0, "--fps", "15"] } ?? []))
        }.0
    }
}
