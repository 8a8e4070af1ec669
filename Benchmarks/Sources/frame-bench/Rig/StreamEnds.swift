import ArgumentParser
import FrameStreaming
import FrameStreamingTesting
import Glibc

/// Our sender on the rig, as a program of a user's has it: pictures at a rate,
/// compressed already or from a clip.
struct StreamSend: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
    @Option var address: String
    @Option var fps: Double
    @Option var seconds: Double
    @Option var jpeg: String
    /// Its pictures are encoded by us; without one the JPEG is sent as it is.
    @Option var clip: String?
    @Option var quality = 80
    /// The lowest and the highest quality to choose from: `20,80`.
    @Option var qualities: String?
    /// Frames under way, or `adaptive`; the library's own choice unless given.
    @Option var window: String?
    @Option var policy = "latest"

    func run() throws {
        let pictures = try clip.map { try picturesOfClip($0, count: 20) } ?? [try pictureOfFile(jpeg)]
        guard let policy = DeliveryPolicy(name: policy) else { throw Failure("no policy \(policy)") }
        var options = SenderOptions(policy: policy, encode: EncodeSettings(quality: quality))
        if let window {
            guard window == "adaptive" || Int(window) != nil else { throw Failure("no window \(window)") }
            options.window = Int(window).map { .fixed($0) } ?? .adaptive
        }
        if let words = qualities?.split(separator: ",").compactMap({ Int($0) }), words.count == 2 {
            options.adaptiveQuality = AdaptiveQuality(words[0]...words[1])
        }
        let transport = try TCPTransport.connect(to: address, role: .sender, until: .after(.seconds(10)))
        let sender = try FrameSender(codec: JPEGCodec(), transport: transport, options: options)
        var source = CameraLikeSource(pictures: pictures, framesPerSecond: fps, seconds: seconds)
        let summary = try sender.run(&source)
        var figures = source.usage.figures
        figures["sent"] = Double(summary.total.sent)
        figures["bytes"] = Double(summary.total.bytes)
        printFigures(figures)
    }
}

/// Our receiver on the rig: takes its time for each picture.
struct StreamReceive: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
    @Option var address: String
    @Option var consumeMs = 0
    @Option var jpeg: String?
    @Option var log: String
    @Flag var decode = false

    func run() throws {
        let listener = try TCPListener(on: address, role: .receiver, handshake: .binary)
        printFigures(["ready": 1])
        let transport = try listener.accept(until: .after(.seconds(60)))
        let receiver = try FrameReceiver(
            codec: JPEGCodec(), transport: transport, decode: decode ? DecodeSettings() : nil)
        guard let file = fopen(log, "w") else { throw Failure("\(log) cannot be written: error \(errno)") }
        setvbuf(file, nil, _IOLBF, 0)
        var usage: OwnUsage?
        while let received = try receiver.next() {
            let now = MonotonicTime.now
            if usage == nil { usage = OwnUsage() }
            fputs("\(received.frame.sequence) \(nanoseconds(now))\n", file)
            if consumeMs > 0 { usleep(UInt32(consumeMs) * 1000) }
        }
        fclose(file)
        printFigures(usage?.figures ?? [:])
    }
}

/// A camera's rate without a camera: picture n is taken at start + n / rate,
/// and a late caller gets the newest.
struct CameraLikeSource: FrameSource {
    let pictures: [Frame]
    let period: Int64
    let length: Int64
    /// When the first picture was asked for.
    private var start: MonotonicTime?
    private var last: Int64 = -1
    private(set) var usage = OwnUsage()
    /// Pictures handed out.
    private(set) var count = 0

    var isLive: Bool { true }

    init(pictures: [Frame], framesPerSecond: Double, seconds: Double) {
        self.pictures = pictures
        period = Int64(1e9 / framesPerSecond)
        length = Int64(seconds * 1e9)
    }

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        let start = self.start ?? begin()
        let number = max((nanoseconds(.now) - nanoseconds(start)) / period, last + 1)
        let due = start.advanced(by: .nanoseconds(number * period))
        guard number * period < length else { return nil }
        if let limit = deadline.time, limit < due {
            SystemClock().sleep(until: limit)
            throw .timedOut("the next picture's time")
        }
        SystemClock().sleep(until: due)
        last = number
        count += 1
        var frame = pictures[Int(number) % pictures.count]
        frame.captureTime = CaptureTime(due)
        frame.sequence = UInt64(number)
        return .frame(frame)
    }

    private mutating func begin() -> MonotonicTime {
        let now = MonotonicTime.now
        start = now
        usage = OwnUsage()
        printFigures(["start": Double(nanoseconds(now)), "period": Double(period)])
        return now
    }
}

extension FrameStreamingError {
    fileprivate static func timedOut(_ what: String) -> FrameStreamingError { FrameStreamingError(.timedOut, what) }
}

/// What this process used since.
struct OwnUsage {
    private let before = OwnUsage.cpu()

    var figures: [String: Double] {
        ["cpuSeconds": Self.cpu() - before, "peakMegabytes": Self.peak()]
    }

    private static func cpu() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// VmHWM. `ru_maxrss` would begin with what the parent had before exec.
    private static func peak() -> Double {
        guard let file = fopen("/proc/self/status", "r") else { return .nan }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("VmHWM:") else { continue }
            return (text.split { !$0.isNumber }.first.flatMap { Double($0) } ?? .nan) * 1024 / 1e6
        }
        return .nan
    }
}

/// A JPEG file as it is.
func pictureOfFile(_ path: String) throws -> Frame {
    guard let file = fopen(path, "r") else { throw Failure("\(path) cannot be read: error \(errno)") }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    var buffer = FramePool(capacity: 1).buffer(byteCount: count)
    unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes[..<count]) }
    return try buffer.makeFrame(format: FrameFormat(width: 1280, height: 720, pixelFormat: .jpeg))
}

/// The first pictures of a clip, in memory.
func picturesOfClip(_ path: String, count: Int) throws -> [Frame] {
    let source = try RawFileSource(path: path, options: PlaybackOptions(loop: true, pace: .maximum))
    let pool = FramePool(capacity: count)
    var result: [Frame] = []
    while result.count < count, case .frame(let frame)? = try source.next(until: .never) {
        result.append(frame.copy(from: pool))
    }
    return result
}
