import Foundation
import FrameStreaming
import TestThreads
import Testing

/// Source, JPEG, TCP and receiver together, in one process.
@Suite(.ownThread(atOnce: 4)) struct PipelineTests {
    static func receive(
        _ receiver: FrameReceiver
    ) throws(FrameStreamingError) -> [ReceivedFrame] {
        var result: [ReceivedFrame] = []
        while let received = try receiver.next() { result.append(received) }
        return result
    }

    /// The PSNR between two planes in dB.
    static func psnr(_ left: Frame, _ right: Frame, plane: Int = 0) -> Double {
        let first = left.plane(plane)
        let second = right.plane(plane)
        var sum = 0.0
        for row in 0..<first.layout.height {
            let a = first.row(row)
            let b = second.row(row)
            for column in a.indices {
                let difference = Double(a[column]) - Double(b[column])
                sum += difference * difference
            }
        }
        let mean = sum / Double(first.layout.height * first.layout.rowBytes)
        return mean == 0 ? .infinity : 10 * log10(255 * 255 / mean)
    }

    @Test(arguments: [(Handshake.binary, 160, 120), (.binary, 1366, 768), (.text, 161, 121)])
    func picturesArriveAsTheyWere(handshake: Handshake, width: Int, height: Int) throws {
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .automatic)
        let address = listener.address
        let sending = try Background("the sender") {
            let source = try TestPatternSource(
                width: width, height: height, colorRange: .full, live: false, pace: .maximum, frameCount: 12)
            let options = SenderOptions(
                for: source, window: .fixed(handshake == .text ? 1 : 4), encode: EncodeSettings(quality: 95))
            var copy = source
            return try FrameSender(
                codec: JPEGCodec(),
                transport: try TCPTransport.connect(
                    to: address, role: .sender, handshake: handshake, until: .after(.seconds(60))), options: options
            ).run(&copy)
        }
        let receiver = try FrameReceiver(
            codec: JPEGCodec(), transport: try listener.accept(until: .after(.seconds(60))),
            decode: DecodeSettings(pixelFormat: .i420))
        let received = try Self.receive(receiver)
        let summary = try sending.value()
        #expect(received.map { TestPattern.frameNumber(in: $0.frame) } == (0..<12).map { UInt64($0) })
        #expect(summary.total.acknowledged == 12 && summary.total.produced == 12)
        #expect(summary.receivers[0].end == (handshake == .text ? .over : .bye))
        #expect(receiver.end == (handshake == .text ? .over : .bye))
        // Compares the last picture with one drawn again.
        var again = try TestPatternSource(
            width: width, height: height, colorRange: .full, live: false, pace: .maximum, frameCount: 12)
        var last: Frame?
        while case .frame(let frame)? = try again.next(until: .never) { last = frame }
        #expect(Self.psnr(try #require(received.last).frame, try #require(last)) > 30)
        #expect((receiver.statistics.skipped == nil) == (handshake == .text))
        #expect((receiver.statistics.latency.summary == nil) == (handshake == .text))
    }

    @Test func theSenderMayListen() throws {
        let listener = try TCPListener(on: "[::1]:0", role: .sender, handshake: .binary)
        let sending = try Background("the sender") {
            var source = try TestPatternSource(width: 64, height: 48, live: false, pace: .maximum, frameCount: 5)
            let transport = try listener.accept(until: .after(.seconds(60)))
            return try FrameSender(codec: JPEGCodec(), transport: transport, options: SenderOptions(for: source))
                .run(&source)
        }
        let transport = try TCPTransport.connect(to: listener.address, role: .receiver, until: .after(.seconds(60)))
        let received = try Self.receive(try FrameReceiver(codec: JPEGCodec(), transport: transport))
        #expect(received.count == 5)
        #expect(received.allSatisfy { $0.frame.format.pixelFormat == .bgr24 && $0.encoded.format.pixelFormat == .jpeg })
        #expect(try sending.value().total.acknowledged == 5)
    }

    @Test func aSlowConsumerGetsFreshPicturesAndTheRestIsCounted() throws {
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .binary)
        let address = listener.address
        let last = LastGiven.Number()
        let sending = try Background("the sender") {
            var source = LastGiven(
                source: try TestPatternSource(
                    width: 160, height: 120, rate: #require(FrameRate(200)), frameCount: 100),
                last: last)
            return try FrameSender(
                codec: JPEGCodec(),
                transport: try TCPTransport.connect(to: address, role: .sender, until: .after(.seconds(60))),
                options: SenderOptions(for: source, window: 1)
            ).run(&source)
        }
        let receiver = try FrameReceiver(
            codec: JPEGCodec(), transport: try listener.accept(until: .after(.seconds(60))))
        var numbers: [UInt64] = []
        var skipped = 0
        while let received = try receiver.next() {
            numbers.append(received.frame.sequence)
            skipped += Int(received.info.skipped)
            Thread.sleep(forTimeInterval: 0.02)
        }
        let total = try sending.value().total
        #expect(total.dropped.replaced > 0)
        #expect(total.produced == total.acknowledged + total.dropped.total)
        // On a busy machine the source itself may skip the very last picture.
        #expect(numbers.last == last.value)
        #expect(skipped == total.dropped.replaced && receiver.statistics.skipped == skipped)
    }

    @Test func cancelEndsAWaitForAFIFOWithoutAWriter() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("video.y4m").path
        let made = unsafe mkfifo(path, 0o600)
        try #require(made == 0)
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .binary)
        // A receiver that waits for as long as the connection exists.
        let receiving = try Background("the receiver") {
            let receiver = try FrameReceiver(
                codec: JPEGCodec(), transport: try listener.accept(until: .after(.seconds(60))))
            while try receiver.next() != nil {}
        }
        let sender = try FrameSender(
            codec: JPEGCodec(),
            transport: try TCPTransport.connect(to: listener.address, role: .sender, until: .after(.seconds(60))))
        let sending = try Background("the sender") {
            var source = try RawFileSource(path: path)
            return try sender.run(&source)
        }
        sender.cancel()
        do {
            _ = try sending.value()
            Issue.record("ran to an end")
        } catch let error as FrameStreamingError {
            #expect(error.code == .cancelled)
        }
        #expect(throws: FrameStreamingError.self) { try receiving.value() }
    }

    @Test func aReceiverThatIsStoppedInMidStreamTellsTheSender() throws {
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .binary)
        let address = listener.address
        let sending = try Background("the sender") {
            var source = try TestPatternSource(width: 64, height: 48, live: false, pace: .maximum)
            return try FrameSender(
                codec: JPEGCodec(),
                transport: try TCPTransport.connect(to: address, role: .sender, until: .after(.seconds(60))),
                options: SenderOptions(for: source)
            ).run(&source)
        }
        let receiver = try FrameReceiver(
            codec: JPEGCodec(), transport: try listener.accept(until: .after(.seconds(60))))
        for _ in 0..<7 { #expect(try receiver.next() != nil) }
        receiver.close("seven are enough")
        let summary = try sending.value()
        #expect(summary.receivers[0].peer.goodbye == "seven are enough")
        #expect(summary.receivers[0].end == .bye)
        #expect(summary.total.acknowledged == 7)
        let total = summary.total
        #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
    }

    @Test func aListenerGoesOnAfterAnyKindOfEnd() throws {
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .automatic)
        let address = listener.address
        let counts = Counts()
        let serving = try Background("the listener") {
            try listener.serve(onError: { _ in }) { transport in
                let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport)
                defer { counts.add(receiver.statistics.frames) }
                while try receiver.next() != nil {}
            }
        }
        for (frames, breaks) in [(3, false), (2, true), (4, false)] {
            let transport = try TCPTransport.connect(to: address, role: .sender, until: .after(.seconds(60)))
            let sender = try FrameSender(
                codec: JPEGCodec(), transport: transport, options: SenderOptions(policy: .reliable))
            var source = try TestPatternSource(
                width: 64, height: 48, live: false, pace: .maximum, frameCount: UInt64(frames))
            if breaks {
                transport.close()
                #expect(throws: FrameStreamingError.self) { try sender.run(&source) }
            } else {
                #expect(try sender.run(&source).total.acknowledged == frames)
            }
        }
        listener.stop()
        _ = try serving.value()
        #expect(counts.all.sorted() == [0, 3, 4])
    }
}

final class Counts: @unchecked Sendable {
    private let lock = NSLock()
    private var values: [Int] = []

    func add(_ value: Int) { lock.withLock { values.append(value) } }
    var all: [Int] { lock.withLock { values } }
}

/// A source that notes the number of its last picture.
private struct LastGiven: FrameSource {
    /// A number that is read after the thread that takes the pictures has ended.
    final class Number: @unchecked Sendable {
        var value: UInt64?
    }

    var source: TestPatternSource
    let last: Number
    var isLive: Bool { source.isLive }

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        let event = try source.next(until: deadline)
        if case .frame(let frame) = event { last.value = frame.sequence }
        return event
    }
}
