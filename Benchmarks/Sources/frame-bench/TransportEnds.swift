import ArgumentParser
import FrameStreaming
import FrameStreamingTesting
import Glibc

/// Which part of the library carries the payloads.
enum Level: String, ExpressibleByArgument {
    /// `FrameSender` and `FrameReceiver`, without a codec.
    case pipeline
    /// `TCPTransport` by itself, in a loop as the C reference's.
    case transport
}

/// One compressed picture, over and over.
struct RepeatingSource: FrameSource {
    let frame: Frame
    var left: Int
    var isLive: Bool { false }

    init(bytes: Int, count: Int) throws {
        let format = try FrameFormat(width: 1280, height: 720, pixelFormat: .jpeg)
        frame = try Frame.filled(format, byteCount: bytes) { UInt8(truncatingIfNeeded: $0) }
        left = count
    }

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        guard left > 0 else { return nil }
        left -= 1
        return .frame(frame)
    }
}

struct TransportSend: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
    @Option var to: String
    @Option var frames: Int
    @Option var bytes: Int
    @Option var window: Int
    @Option var level: Level

    func run() throws {
        var source = try RepeatingSource(bytes: bytes, count: frames)
        let transport = try TCPTransport.connect(to: to, role: .sender, until: .after(.seconds(10)))
        let start = MonotonicTime.now
        switch level {
        case .pipeline:
            let options = SenderOptions(policy: .reliable, window: .fixed(window))
            let sender = try FrameSender(codec: IdentityCodec(), transport: transport, options: options)
            try sender.run(&source)
        case .transport:
            try loop(&source, transport)
        }
        let time = start.duration(to: .now)
        printFigures(["fps": Double(frames) / seconds(time)])
    }

    private func loop(_ source: inout RepeatingSource, _ transport: TCPTransport) throws(FrameStreamingError) {
        // The loop measures the transport, not the parsed arguments' own storage.
        let (frame, frames, window) = (source.frame, UInt64(frames), UInt64(window))
        var sent: UInt64 = 0
        var acknowledged: UInt64 = 0
        while acknowledged < frames {
            if sent < frames, sent - acknowledged < window {
                sent += 1
                try transport.send(.frame(frame, FrameInfo(sequence: sent)), until: .never)
            } else if case .acknowledgement(let word) = try transport.receive(until: .never) {
                acknowledged = word.sequence
            }
        }
        try transport.finish("done", until: .after(.seconds(2)))
    }
}

struct TransportReceive: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
    @Option var level: Level

    func run() throws {
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .binary)
        printFigures(["port": Double(listener.port)])
        let transport = try listener.accept(until: .after(.seconds(10)))
        switch level {
        case .pipeline:
            let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
            while try receiver.next() != nil {}
            receiver.close()
        case .transport:
            let ahead = transport.peer.creditAhead
            while case .frame(_, let info) = try transport.receive(until: .never) {
                let word = Acknowledgement(
                    sequence: info.sequence, creditThrough: info.sequence + ahead)
                try transport.send(.acknowledgement(word), until: .never)
            }
            try transport.finish("done", until: .after(.seconds(2)))
        }
    }
}

func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}

/// What CLOCK_MONOTONIC reads at a moment, in nanoseconds: for
/// figures that another process compares.
func nanoseconds(_ time: MonotonicTime) -> Int64 {
    let (seconds, attoseconds) = time.reading.components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
}
