import FoundationEssentials
import FrameStreaming
import Glibc

/// One stream over one link for some seconds.
struct StreamRun: Encodable {
    let name: String
    let ages: AgeSeries
    /// Of the whole run, the first second included.
    let everything: [AgeSeries.Point]
    /// CPU time per frame that arrived, in milliseconds.
    let senderCPU: Double
    let receiverCPU: Double
    /// In MB of 10^6 bytes.
    let senderPeak: Double
    let receiverPeak: Double
    /// What the sender said in the end beside that.
    let senderFigures: [String: Double]

    private enum CodingKeys: CodingKey {
        case name, fps, p50, p95, p99, worst, slope, senderCPU, receiverCPU, senderPeak, receiverPeak
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(name, forKey: .name)
        // JSON has no infinity: a stream of which nothing arrived has no figures.
        func put(_ value: Double, _ key: CodingKeys) throws {
            if value.isFinite { try values.encode(value, forKey: key) }
        }
        try put(ages.framesPerSecond, .fps)
        try put(ages.quantile(0.5), .p50)
        try put(ages.quantile(0.95), .p95)
        try put(ages.quantile(0.99), .p99)
        try put(ages.worst, .worst)
        try put(ages.slope, .slope)
        try put(senderCPU, .senderCPU)
        try put(receiverCPU, .receiverCPU)
        try put(senderPeak, .senderPeak)
        try put(receiverPeak, .receiverPeak)
    }

    static let head = """
        | case | program | fps | age p50 / p95 / worst, ms | slope, ms a second | CPU a frame, sender / receiver, ms | peak memory, sender / receiver, MB |
        | --- | --- | --- | --- | --- | --- | --- |
        """

    func row(_ scene: String) -> String {
        guard ages.framesPerSecond > 0 else { return "| \(scene) | \(name) | 0 | nothing arrived | - | - | - |" }
        let age = [0.5, 0.95, 1].map { places(ages.quantile($0)) }.joined(separator: " / ")
        return
            "| \(scene) | \(name) | \(places(ages.framesPerSecond, 1)) | \(age) | \(places(ages.slope, 1)) | \(places(senderCPU, 2)) / \(places(receiverCPU, 2)) | \(places(senderPeak, 0)) / \(places(receiverPeak, 0)) |"
    }
}

/// What the streams of a case have in common.
struct Scene {
    let name: String
    let shape: Link.Shape
    var framesPerSecond = 30.0
    var consumeMilliseconds = 0
    var duration = Duration.seconds(12)
    /// Left out of the figures: connections warm up, programs start.
    var warmUp = 1.0
}

/// Runs streams: the machine's side of the rig.
struct Rig {
    let programs: String
    let namespaces: Link.Namespaces?
    /// A JPEG of 100,000 bytes with room for a number, for those that send pictures as they are.
    let jpeg: String
    /// Where logs go.
    let work: String

    func run(_ contender: Contender, _ scene: Scene) throws -> StreamRun {
        let link = try Link(scene.shape, namespaces: namespaces, programs: programs)
        defer { link.restore() }
        let log = "\(work)/consumed-\(getpid()).log"
        defer { unlink(log) }
        unlink(log)
        let port = try freePort()
        func start(_ end: Contender.Listener, at address: String) throws -> Child {
            switch end {
            case .sender:
                try Child(
                    link.atSender + contender.sender + [
                        "--address", address, "--fps", "\(scene.framesPerSecond)", "--seconds",
                        "\(seconds(scene.duration))", "--jpeg", jpeg,
                    ])
            case .receiver:
                try Child(
                    link.atReceiver + contender.receiver + [
                        "--address", address, "--consume-ms", "\(scene.consumeMilliseconds)", "--jpeg", jpeg, "--log",
                        log,
                    ])
            }
        }
        let sender: Child
        let receiver: Child
        switch contender.listener {
        case .receiver:
            receiver = try start(.receiver, at: "\(link.receiverAddress):\(port)")
            _ = try receiver.figures(with: "ready", within: 30_000)
            sender = try start(.sender, at: try link.way(to: link.receiverAddress, port: port))
        case .sender:
            sender = try start(.sender, at: "\(link.senderAddress):\(port)")
            _ = try sender.figures(with: "ready", within: 30_000)
            receiver = try start(.receiver, at: try link.way(to: link.senderAddress, port: port))
        }
        let origin = try sender.figures(with: "start", within: 60_000)
        guard let begin = origin["start"], let period = origin["period"] else {
            throw Failure("\(contender.name) did not say its period")
        }
        for step in scene.shape.steps {
            SystemClock().sleep(until: MonotonicTime(reading: .nanoseconds(Int64(begin))).advanced(by: step.after))
            try link.limit(to: step.bitsPerSecond)
        }
        let end = MonotonicTime(reading: .nanoseconds(Int64(begin))).advanced(by: scene.duration)
        // A program that still waits for room after that must end. Ours
        // sends the frames in flight first.
        let sent = try sender.end(patience: max(MonotonicTime.now.duration(to: end), .zero) + .seconds(3))
        let received = try receiver.end(patience: .milliseconds(300))
        return outcome(contender, scene, log: log, begin: begin, period: period, sent, received)
    }

    private func outcome(
        _ contender: Contender, _ scene: Scene, log: String, begin: Double, period: Double, _ sent: [String: Double],
        _ received: [String: Double]
    ) -> StreamRun {
        let points = agePoints(of: log, begin: begin, period: period)
        let count = max(Double(points.count), 1)
        return StreamRun(
            name: contender.name,
            ages: AgeSeries(points, from: scene.warmUp, to: seconds(scene.duration)), everything: points,
            senderCPU: (sent["cpuSeconds"] ?? .nan) * 1000 / count,
            receiverCPU: (received["cpuSeconds"] ?? .nan) * 1000 / count, senderPeak: sent["peakMegabytes"] ?? .nan,
            receiverPeak: received["peakMegabytes"] ?? .nan, senderFigures: sent)
    }
}

/// What a receiver wrote: a line for each picture, its number and when it had it.
func agePoints(of log: String, begin: Double, period: Double) -> [AgeSeries.Point] {
    let lines = (try? Data(contentsOf: URL(filePath: log))).map {
        String(decoding: $0, as: UTF8.self).split(separator: "\n")
    }
    return (lines ?? []).compactMap { line in
        let words = line.split(separator: " ").compactMap { Double($0) }
        guard words.count == 2 else { return nil }
        return AgeSeries.Point(time: (words[1] - begin) / 1e9, age: (words[1] - begin - words[0] * period) / 1e6)
    }
}

/// A port on which no program listened a moment ago.
func freePort() throws -> Int {
    Int(try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .binary).port)
}
