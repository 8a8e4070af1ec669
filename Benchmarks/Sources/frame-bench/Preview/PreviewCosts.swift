/// What those who look cost a receiver with a preview, beside a loop in plain C that sends the same
/// bytes to as many and reads their answers.
struct PreviewCosts {
    /// The directory of the programs.
    let programs: String
    let jpeg: String
    /// Bytes of that picture.
    let byteCount: Int
    let seconds: Double

    private static let counts = [1, 4, 16]

    var group: RowGroup {
        let live = Self.counts.map { count in
            Question(
                "preview, \(count) page\(count == 1 ? "" : "s"): CPU per viewer and picture, beside a plain send of it in C",
                unit: "us", wanted: 2, isCeiling: true)
        }
        let multipart = Self.counts.map { count in
            Question(
                "preview, \(count) of .mjpg: CPU per viewer and picture, beside a plain send of it in C", unit: "us",
                wanted: 2, isCeiling: true)
        }
        let idle = Question(
            "preview, nobody looks: CPU per picture, beside a plain send of it in C", unit: "us", wanted: 0.1,
            isCeiling: true)
        return RowGroup(live + multipart + [idle]) { pair in
            var result: [Pair] = []
            var plain: [Double] = []
            for multipart in [false, true] {
                for count in Self.counts {
                    let (ours, reference) = try inTurn(pair) {
                        try preview(viewers: count, multipart: multipart)
                    } reference: {
                        try self.reference(receivers: count)
                    }
                    plain.append(reference)
                    result.append((ours: ours, reference: reference))
                }
            }
            result.append((ours: try preview(viewers: 0, multipart: false), reference: median(plain)))
            return result
        }
    }

    /// Microseconds of CPU that each viewer adds for each picture that it got; without
    /// viewers, for each shown picture.
    private func preview(viewers: Int, multipart: Bool) throws -> Double {
        let server = try Child([
            "\(programs)/frame-bench", "preview-show", "--jpeg", jpeg, "--viewers", "\(viewers)", "--seconds",
            "\(seconds)",
        ])
        let port = Int(try server.figures(with: "port", within: 20_000)["port"] ?? 0)
        _ = try server.figures(with: "ready")
        guard viewers > 0 else {
            let figures = try server.figures(with: "cpuSeconds")
            return (figures["cpuSeconds"] ?? .nan) * 1e6 / (figures["shown"] ?? .nan)
        }
        let watch = try Child(
            ["\(programs)/frame-bench", "preview-watch", "--port", "\(port)", "--viewers", "\(viewers)"]
                + (multipart ? ["--multipart"] : []))
        let figures = try server.figures(with: "cpuSeconds")
        let cpu = (figures["cpuSeconds"] ?? .nan) - (figures["cpuSecondsAlone"] ?? .nan)
        let pictures = try watch.figures(with: "pictures")["pictures"] ?? .nan
        return cpu * 1e6 / pictures
    }

    /// One under way to each, as in a preview.
    private func reference(receivers: Int) throws -> Double {
        let figures = try Child.figures([
            "\(programs)/FanOutReference", "\(receivers)", "\(byteCount)", "1", "30", "\(seconds)",
        ])
        return (figures["cpuSeconds"] ?? .nan) * 1e6 / (figures["sent"] ?? .nan)
    }
}
