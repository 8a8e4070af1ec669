/// How a pair of each row is measured.
struct Measurements {
    /// Where frame-send and frame-receive are.
    let examples: String
    /// Where this program and the references in C are.
    let programs: String
    let python: String?
    let tutorial: String
    let clip: String
    let frames: Int
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
    var pipeline: RowGroup {
        let tenth = max(frames / 10, 100)
        let questions = [
            Question("window 4: frame rate of libturbojpeg alone", unit: "frames/s", wanted: 0.95),
            Question(
                "CPU of the sender: encode + range + read + 0.05 ms", unit: "us a frame", wanted: 1, isCeiling: true),
            Question("CPU of the receiver: decode + 0.05 ms", unit: "us a frame", wanted: 1, isCeiling: true),
            Question("peak memory of the sender: 40 MB", unit: "MB", wanted: 1, isCeiling: true, isSteady: true),
            Question("peak memory of the receiver: 40 MB", unit: "MB", wanted: 1, isCeiling: true, isSteady: true),
            Question(
                "memory of the sender after \(frames) frames: that after \(tenth)", unit: "MB", wanted: 1.05,
                isCeiling: true, isSteady: true),
            Question(
                "memory of the receiver after \(frames) frames: that after \(tenth)", unit: "MB", wanted: 1.05,
                isCeiling: true, isSteady: true),
        ]
        return RowGroup(questions) { pair in
            let (ours, reference) = try inTurn(pair) {
                try ends(window: 4, frames: frames)
            } reference: {
                try turbo()
            }
            let parts = try parts()
            let short = try ends(window: 4, frames: tenth)
            let rate = try need("fps", reference)
            let read = try need("readMicroseconds", parts)
            let range = try need("rangeMicroseconds", parts)
            let encode = try need("encodeMicroseconds", reference)
            let decode = try need("decodeMicroseconds", reference)
            let sender = ours.sender.cpuSeconds * 1e6 / Double(frames)
            let receiver = ours.receiver.cpuSeconds * 1e6 / Double(frames)
            note(
                "pipeline \(pair): \(places(ours.fps)) fps of \(places(rate)); sender \(places(sender)) us of encode \(places(encode)) + range \(places(range)) + read \(places(read)) + 50; receiver \(places(receiver)) us of decode \(places(decode)) + 50; peak \(places(ours.sender.peakMegabytes)) and \(places(ours.receiver.peakMegabytes)) MB"
            )
            return [
                (ours.fps, rate), (sender, encode + range + read + 50), (receiver, decode + 50),
                (ours.sender.peakMegabytes, 40), (ours.receiver.peakMegabytes, 40),
                (ours.sender.peakMegabytes, short.sender.peakMegabytes),
                (ours.receiver.peakMegabytes, short.receiver.peakMegabytes),
            ]
        }
    }

    /// One frame under way, against the loop that people copy. Nil without OpenCV.
    var stopAndWait: RowGroup? {
        guard let python else {
            note("no Python with OpenCV: the tutorial's loop is left out")
            return nil
        }
        return RowGroup([Question("window 1: the tutorial's loop with OpenCV", unit: "frames/s", wanted: 1.3)]) {
            pair in
            let (ours, reference) = try inTurn(pair) {
                try ends(window: 1, frames: frames).fps
            } reference: {
                try need("fps", try Child.figures([python, tutorial, clip, "\(frames)", "\(quality)"]))
            }
            note("window 1, \(pair): \(places(ours)) fps, the tutorial's loop \(places(reference))")
            return [(ours, reference)]
        }
    }

    /// The whole way beside other programs that encode, carry and decode the same clip.
    func ahead(of peers: [(name: String, command: [String])]) -> RowGroup {
        let count = min(frames, 900)
        let questions = peers.map { Question("window 4: \($0.name), clip to pixels", unit: "frames/s", wanted: 1) }
        return RowGroup(questions) { pair in
            let (ours, others) = try inTurn(pair) {
                try ends(window: 4, frames: frames).fps
            } reference: {
                // One that fails now and then costs its pair, not the table.
                peers.map { peer in
                    do {
                        return try need("fps", try Child.figures(peer.command + [clip, "\(count)", "\(quality)"]))
                    } catch {
                        note("\(peer.name): \(error)")
                        return .nan
                    }
                }
            }
            note("window 4, \(pair): \(places(ours)) fps; others \(others.map { places($0) }.joined(separator: ", "))")
            return others.map { (ours, $0) }
        }
    }

    /// Payloads of 100 kB without a codec, against a plain loop in C.
    var transport: [RowGroup] {
        [Level.transport, .pipeline].flatMap { level in
            [1, 4].map { window in
                let what = level == .transport ? "TCPTransport alone" : "FrameSender and FrameReceiver without a codec"
                // A second and more, also of the loop in C: of shorter runs one sees where
                // the scheduler put the processes.
                let count = max(frames * 5, window == 1 ? 12_000 : 36_000)
                let question = Question(
                    "\(what), window \(window): a plain C loop", unit: "frames/s",
                    wanted: level == .transport ? 0.9 : nil)
                return RowGroup([question]) { pair in
                    let (ours, reference) = try inTurn(pair) {
                        try carry(level, window: window, count: count)
                    } reference: {
                        try need(
                            "fps", try Child.figures(["\(programs)/LoopReference", "\(count)", "100000", "\(window)"]))
                    }
                    note(
                        "\(level.rawValue), window \(window), \(pair): \(places(ours)) of \(places(reference)) frames/s"
                    )
                    return [(ours, reference)]
                }
            }
        }
    }

    /// Frames a second of our own two ends without a codec.
    private func carry(_ level: Level, window: Int, count: Int) throws -> Double {
        let receiver = try Child(["\(programs)/frame-bench", "transport-receive", "--level", level.rawValue])
        guard let first = try receiver.line(), let port = numbers(in: first)["port"] else {
            throw Failure("the receiving end did not say its port")
        }
        let ours = try Child.figures([
            "\(programs)/frame-bench", "transport-send", "--to", "127.0.0.1:\(Int(port))", "--frames", "\(count)",
            "--bytes", "100000", "--window", "\(window)", "--level", level.rawValue,
        ])
        _ = try receiver.finish()
        return try need("fps", ours)
    }
}
