import Glibc

/// What encryption costs: the same streams of the programs with a key and without, by turns.
struct TLSCosts {
    /// Where frame-send, frame-receive and frame-key are.
    let examples: String
    let clip: String
    /// A JPEG of 100,000 bytes.
    let picture: String
    /// Where the key is made.
    let work: String
    let frames: Int
    /// Of a stream of 60 pictures a second.
    let seconds: Double

    private struct Ends {
        var fps: Double
        /// Of both programs together, microseconds a frame.
        var cpu: Double
        /// Milliseconds.
        var age: (p50: Double, p99: Double)
    }

    /// A new key, and its path.
    private func makeKey() throws -> String {
        let path = "\(work)/bench-\(getpid()).key"
        unlink(path)
        _ = try Child(["\(examples)/frame-key", "generate", path]).finish()
        return path
    }

    private func ends(key: String?, decode: String, _ source: [String]) throws -> Ends {
        let secured = key.map { ["--key-file", $0] } ?? []
        let receiver = try Child(
            ["\(examples)/frame-receive", "--listen", "127.0.0.1:0", "--decode", decode, "--once", "--json"] + secured)
        guard let first = try receiver.line(), let port = numbers(in: first)["port"] else {
            throw Failure("frame-receive did not say its port")
        }
        let sender = try Child(
            ["\(examples)/frame-send", "--to", "127.0.0.1:\(Int(port))", "--json"] + source + secured)
        let sent = try sender.finish()
        let received = try receiver.finish()
        let figures = numbers(in: received.last)
        guard let count = figures["frames"], count > 0, let fps = figures["fps"] else {
            throw Failure("no frames arrived: \(received.last)")
        }
        return Ends(
            fps: fps, cpu: (sent.usage.cpuSeconds + received.usage.cpuSeconds) / count * 1e6,
            age: (figures["latency_ms.p50"] ?? .nan, figures["latency_ms.p99"] ?? .nan))
    }

    /// Both ways of the same stream; which of them begins changes from pair to pair.
    private func both(
        _ pair: Int, _ key: String, decode: String, _ source: [String]
    ) throws -> (secured: Ends, plain: Ends) {
        let (secured, plain) = try inTurn(pair) {
            try ends(key: key, decode: decode, source)
        } reference: {
            try ends(key: nil, decode: decode, source)
        }
        return (secured, plain)
    }

    var group: RowGroup {
        let questions = [
            Question(
                "TLS, 100 kB passed through at full speed: CPU of both ends without TLS", unit: "us a frame",
                wanted: 1.3, isCeiling: true),
            Question(
                "TLS, 720p encoded and decoded, quality 30: CPU of both ends without TLS", unit: "us a frame",
                wanted: 1.3, isCeiling: true),
            Question("TLS, 720p encoded and decoded: frame rate without TLS", unit: "frames/s", wanted: 0.92),
            Question("TLS, 100 kB at 60 a second: CPU of both ends without TLS", unit: "us a frame", wanted: nil),
            Question(
                "TLS, 100 kB at 60 a second: age p99 without TLS + 0.3 ms", unit: "ms", wanted: 1, isCeiling: true),
        ]
        return RowGroup(questions) { pair in
            let key = try makeKey()
            defer { unlink(key) }
            let reliable = ["--loop", "--pace", "max", "--policy", "reliable", "--frames"]
            let passed = try both(
                pair, key, decode: "none", ["--input", picture] + reliable + ["\(frames * 2)"])
            let coded = try both(
                pair, key, decode: "bgr",
                ["--input", clip, "--quality", "30", "--window", "4"] + reliable + ["\(min(frames, 1500))"])
            let paced = try both(
                pair, key, decode: "none",
                ["--input", picture, "--loop", "--rate", "60", "--frames", "\(Int(seconds * 60))"])
            note(
                "TLS \(pair): passed through \(places(passed.secured.cpu)) us of \(places(passed.plain.cpu)); 720p \(places(coded.secured.fps)) fps of \(places(coded.plain.fps)), \(places(coded.secured.cpu)) us of \(places(coded.plain.cpu)); at 60 a second age p50 \(places(paced.secured.age.p50)) ms of \(places(paced.plain.age.p50)), p99 \(places(paced.secured.age.p99)) of \(places(paced.plain.age.p99))"
            )
            return [
                (passed.secured.cpu, passed.plain.cpu), (coded.secured.cpu, coded.plain.cpu),
                (coded.secured.fps, coded.plain.fps), (paced.secured.cpu, paced.plain.cpu),
                (paced.secured.age.p99, paced.plain.age.p99 + 0.3),
            ]
        }
    }
}
