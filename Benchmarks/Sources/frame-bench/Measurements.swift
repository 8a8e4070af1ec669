/// The pairs that the criteria are made of.
struct Measurements {
    /// Where frame-send and frame-receive are.
    let examples: String
    /// Where this program and the references in C are.
    let programs: String
    let python: String?
    let tutorial: String
    let clip: String
    let frames: Int
    let pairs: Int
    let quality = 30

    struct Ends {
        var fps: Double
        var sender: Child.Usage
        var receiver: Child.Usage
    }

    /// Both ends on this machine: `frame-send` from the clip to `frame-receive`.
    func ends(window: Int, frames: Int) throws -> Ends {
        let receiver = try Child([
            "\(examples)/frame-receive", "--listen", "127.0.0.1:0", "--decode", "bgr", "--once", "--json",
        ])
        guard let first = try receiver.line(), let port = numbers(in: first)["port"] else {
            throw Failure("frame-receive did not say its port")
        }
        let sender = try Child([
            "\(examples)/frame-send", "--input", clip, "--loop", "--frames", "\(frames)", "--pace", "max",
            "--quality", "\(quality)", "--policy", "reliable", "--window", "\(window)", "--to",
            "127.0.0.1:\(Int(port))", "--json",
        ])
        let sent = try sender.finish()
        let received = try receiver.finish()
        let figures = numbers(in: received.last)
        guard figures["frames"] == Double(frames), let fps = figures["fps"] else {
            throw Failure("\(frames) frames were sent, but the receiver says: \(received.last)")
        }
        return Ends(fps: fps, sender: sent.usage, receiver: received.usage)
    }

    func need(_ key: String, _ figures: [String: Double]) throws -> Double {
        guard let value = figures[key] else { throw Failure("no \(key) in \(figures)") }
        return value
    }

    func turbo() throws -> [String: Double] {
        try Child.figures(["\(programs)/TurboReference", clip, "\(frames)", "\(quality)"])
    }

    /// Two at once, so that both cores are as busy as when both ends run.
    private func parts() throws -> [String: Double] {
        let arguments = [
            "\(programs)/frame-bench", "parts", "--clip", clip, "--frames", "\(min(frames, 600))", "--quality",
            "\(quality)",
        ]
        let other = try Child(arguments)
        let figures = try Child.figures(arguments)
        return figures.merging(numbers(in: try other.finish().last)) { ($0 + $1) / 2 }
    }

    /// Frame rate, CPU time and memory of the whole way, against libturbojpeg alone.
    func pipeline() throws -> [Criterion] {
        var rate: [(Double, Double)] = []
        var senderCPU: [(Double, Double)] = []
        var receiverCPU: [(Double, Double)] = []
        var memory: [(sender: Double, receiver: Double)] = []
        var short: [(sender: Double, receiver: Double)] = []
        for pair in 1...pairs {
            let ours = try ends(window: 4, frames: frames)
            let reference = try turbo()
            let parts = try parts()
            let tenth = try ends(window: 4, frames: max(frames / 10, 100))
            rate.append((ours.fps, try need("fps", reference)))
            let read = try need("readMicroseconds", parts)
            let range = try need("rangeMicroseconds", parts)
            let encode = try need("encodeMicroseconds", reference)
            let decode = try need("decodeMicroseconds", reference)
            senderCPU.append((ours.sender.cpuSeconds * 1e6 / Double(frames), encode + range + read + 100))
            receiverCPU.append((ours.receiver.cpuSeconds * 1e6 / Double(frames), decode + 100))
            memory.append((ours.sender.peakMegabytes, ours.receiver.peakMegabytes))
            short.append((tenth.sender.peakMegabytes, tenth.receiver.peakMegabytes))
            note(
                "pipeline \(pair): \(places(ours.fps)) fps of \(places(rate[pair - 1].1)); sender \(places(senderCPU[pair - 1].0)) us of encode \(places(encode)) + range \(places(range)) + read \(places(read)) + 100; receiver \(places(receiverCPU[pair - 1].0)) us of decode \(places(decode)) + 100; peak \(places(ours.sender.peakMegabytes)) and \(places(ours.receiver.peakMegabytes)) MB"
            )
        }
        return [
            Criterion("window 4: frame rate of libturbojpeg alone", unit: "frames/s", rate, wanted: 0.9),
            Criterion(
                "CPU of the sender: encode + range + read + 0.1 ms", unit: "us a frame", senderCPU, wanted: 1,
                isCeiling: true),
            Criterion(
                "CPU of the receiver: decode + 0.1 ms", unit: "us a frame", receiverCPU, wanted: 1, isCeiling: true),
            Criterion(
                "peak memory of the sender: 40 MB", unit: "MB", memory.map { ($0.sender, 40) }, wanted: 1,
                isCeiling: true),
            Criterion(
                "peak memory of the receiver: 40 MB", unit: "MB", memory.map { ($0.receiver, 40) }, wanted: 1,
                isCeiling: true),
            Criterion(
                "memory of the sender after \(frames) frames: that after \(max(frames / 10, 100))", unit: "MB",
                zip(memory, short).map { ($0.sender, $1.sender) }, wanted: 1.05, isCeiling: true),
            Criterion(
                "memory of the receiver after \(frames) frames: that after \(max(frames / 10, 100))", unit: "MB",
                zip(memory, short).map { ($0.receiver, $1.receiver) }, wanted: 1.05, isCeiling: true),
        ]
    }

    /// One frame under way, against the loop that people copy.
    func stopAndWait() throws -> [Criterion] {
        guard let python else {
            note("no Python with OpenCV: the tutorial's loop is left out")
            return []
        }
        var pairsOfRates: [(Double, Double)] = []
        for pair in 1...pairs {
            let ours = try ends(window: 1, frames: frames)
            let reference = try Child.figures([python, tutorial, clip, "\(frames)", "\(quality)"])
            pairsOfRates.append((ours.fps, try need("fps", reference)))
            note("window 1, \(pair): \(places(ours.fps)) fps, the tutorial's loop \(places(pairsOfRates[pair - 1].1))")
        }
        return [
            Criterion("window 1: the tutorial's loop with OpenCV", unit: "frames/s", pairsOfRates, wanted: 1.3)
        ]
    }

    /// Payloads of 100 kB without a codec, against a plain loop in C.
    func transport() throws -> [Criterion] {
        var result: [Criterion] = []
        let count = frames * 5
        for level in [Level.transport, .pipeline] {
            for window in [1, 4] {
                var rates: [(Double, Double)] = []
                for pair in 1...pairs {
                    let receiver = try Child([
                        "\(programs)/frame-bench", "transport-receive", "--level", level.rawValue,
                    ])
                    guard let first = try receiver.line(), let port = numbers(in: first)["port"] else {
                        throw Failure("the receiving end did not say its port")
                    }
                    let ours = try Child.figures([
                        "\(programs)/frame-bench", "transport-send", "--to", "127.0.0.1:\(Int(port))", "--frames",
                        "\(count)", "--bytes", "100000", "--window", "\(window)", "--level", level.rawValue,
                    ])
                    _ = try receiver.finish()
                    let reference = try Child.figures(["\(programs)/LoopReference", "\(count)", "100000", "\(window)"])
                    rates.append((try need("fps", ours), try need("fps", reference)))
                    note(
                        "\(level.rawValue), window \(window), \(pair): \(places(rates[pair - 1].0)) of \(places(rates[pair - 1].1)) frames/s"
                    )
                }
                let what = level == .transport ? "TCPTransport alone" : "FrameSender and FrameReceiver without a codec"
                result.append(
                    Criterion(
                        "\(what), window \(window): a plain C loop", unit: "frames/s", rates,
                        wanted: level == .transport ? 0.9 : nil))
            }
        }
        return result
    }
}
