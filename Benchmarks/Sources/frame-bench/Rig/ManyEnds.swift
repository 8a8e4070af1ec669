import ArgumentParser
import FrameStreaming
import FrameStreamingTesting
import Glibc
import Synchronization

/// One process that receives many streams, each on a thread of its own, as fast as they come.
struct ManyReceive: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
    @Option var streams: Int
    @Flag var decode = false

    private struct Total {
        var frames = 0
        var first = Int64.max
        var last = Int64.min
        var ended = 0
        var failure: String?
    }

    func run() throws {
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .binary)
        printFigures(["port": Double(listener.port)])
        let total = Mutex(Total())
        let (streams, decode) = (streams, decode)
        let usage = OwnUsage()
        try listener.serve(
            maximumConnections: streams,
            onError: { error in
                total.withLock { $0.failure = "\(error)" }
                listener.close()
            }
        ) { transport in
            let receiver = try FrameReceiver(
                codec: JPEGCodec(), transport: transport, decode: decode ? DecodeSettings() : nil)
            while try receiver.next() != nil {}
            let statistics = receiver.statistics
            let isLast = total.withLock { total in
                total.frames += statistics.frames
                if let time = statistics.firstArrival { total.first = min(total.first, nanoseconds(time)) }
                if let time = statistics.lastConsumed { total.last = max(total.last, nanoseconds(time)) }
                total.ended += 1
                return total.ended == streams
            }
            if isLast { listener.stop() }
        }
        let result = total.withLock { $0 }
        if let failure = result.failure { throw Failure(failure) }
        var figures = usage.figures
        figures["frames"] = Double(result.frames)
        figures["fps"] = Double(result.frames) / (Double(result.last - result.first) / 1e9)
        printFigures(figures)
    }
}

/// One process with many streams to one receiver, each as fast as it goes: a source and a sender
/// each. The pictures are the clip's, compressed beforehand.
struct ManySend: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
    @Option var address: String
    @Option var streams: Int
    @Option var frames: Int
    @Option var clip: String
    @Option var quality = 30

    func run() throws {
        let codec = JPEGCodec()
        let pictures = try picturesOfClip(clip, count: 30).map {
            try codec.encode($0, EncodeSettings(quality: quality))
        }
        let failures = Mutex<[String]>([])
        var threads: [pthread_t] = []
        for stream in 0..<streams {
            let (address, count) = (address, frames / streams)
            threads.append(
                try startThread {
                    do {
                        let transport = try TCPTransport.connect(
                            to: address, role: .sender, until: .after(.seconds(30)))
                        let sender = try FrameSender(
                            codec: codec, transport: transport, options: SenderOptions(policy: .reliable, window: 4))
                        var source = ListSource(pictures: pictures, left: count, offset: stream)
                        try sender.run(&source)
                    } catch {
                        failures.withLock { $0.append("\(error)") }
                    }
                })
        }
        for thread in threads { pthread_join(thread, nil) }
        if let failure = failures.withLock({ $0.first }) { throw Failure(failure) }
    }
}

/// One source and one sender to many receivers.
struct FanOutSend: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
    /// As many connections as there are receivers to the first, and one to each of the others.
    @Option var address: [String]
    @Option var receivers = 1
    @Option var fps = 30.0
    @Option var seconds: Double
    @Option var jpeg: String
    @Option var window = 4
    /// Its pictures are encoded, and the encodings counted.
    @Option var clip: String?

    func run() throws {
        let pictures = try clip.map { try picturesOfClip($0, count: 30) } ?? [try pictureOfFile(jpeg)]
        let codec = CountingCodec()
        let addresses = Array(repeating: address[0], count: receivers) + address.dropFirst()
        let transports = try addresses.map {
            try TCPTransport.connect(to: $0, role: .sender, until: .after(.seconds(10)))
        }
        var options = SenderOptions(policy: .latest, window: .fixed(window))
        // One that was stopped is not waited for.
        options.drainTimeout = .seconds(2)
        let sender = try FrameSender(codec: codec, transports: transports, options: options)
        var source = CameraLikeSource(pictures: pictures, framesPerSecond: fps, seconds: seconds)
        let summary = try sender.run(&source)
        var figures = source.usage.figures
        figures["sent"] = Double(summary.total.sent)
        figures["pictures"] = Double(source.count)
        figures["encodings"] = Double(codec.encodings.load(ordering: .relaxed))
        printFigures(figures)
    }
}

/// Counts what it is asked.
private final class CountingCodec: FrameCodec {
    let encodings = Atomic(0)
    private let codec = JPEGCodec()

    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        encodings.add(1, ordering: .relaxed)
        return try codec.encode(frame, settings)
    }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        try codec.decode(frame, settings)
    }
}

/// Pictures in turn, as fast as they are taken.
private struct ListSource: FrameSource {
    let pictures: [Frame]
    var left: Int
    let offset: Int
    var isLive: Bool { false }

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        guard left > 0 else { return nil }
        left -= 1
        return .frame(pictures[(left + offset) % pictures.count])
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

func startThread(_ body: @escaping @Sendable () -> Void) throws -> pthread_t {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(ThreadBody(body))
    let code = pthread_create(
        &thread, nil,
        { argument in
            if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }, argument.toOpaque())
    guard code == 0 else { throw Failure("no thread: error \(code)") }
    return thread
}
