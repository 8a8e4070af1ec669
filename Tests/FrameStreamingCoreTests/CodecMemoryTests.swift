import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// Senders and receivers with a codec whose frames depend on those before them. Wrong references give
/// wrong pixels, so every test compares them with those of the source.
@Suite(.ownThread(atOnce: 4)) struct CodecMemoryTests {
    static func picture(_ number: UInt64, width: Int = 17) throws -> Frame {
        try .filled(
            try FrameFormat(width: width, height: 13, pixelFormat: .gray8), sequence: number,
            captureTime: CaptureTime(.now)
        ) { UInt8(truncatingIfNeeded: UInt64($0) &* 7 &+ number &* number &* 31) }
    }

    static func pictures(_ numbers: Range<UInt64>) throws -> [Frame] { try numbers.map { try picture($0) } }

    /// Receives on a thread of its own, and keeps what it received.
    final class Viewer: Sendable {
        let receiver: FrameReceiver
        let received = Monitor<[ReceivedFrame]>([])
        let undecodable = Monitor(0)
        private let thread: Background<Void>

        /// - Parameters:
        ///   - newest: Whether it takes the newest frame only.
        ///   - pause: Called before it asks for each frame, with the count so far.
        init(
            _ transport: any Transport, _ codec: DifferenceCodec, newest: Bool = false,
            pause: @escaping @Sendable (Int) -> Void = { _ in }
        ) throws {
            let undecodable = undecodable
            let receiver = try FrameReceiver(codec: codec, transport: transport) { event in
                if case .undecodable = event { undecodable.update { $0 += 1 } }
            }
            self.receiver = receiver
            let received = received
            thread = try Background("the viewer") {
                while true {
                    pause(received.withLock { $0.count })
                    guard let frame = try newest ? receiver.latest() : receiver.next() else { return }
                    received.update { $0.append(frame) }
                }
            }
        }

        var frames: [ReceivedFrame] { received.withLock { $0 } }

        func waitFor(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let isThere: Bool? = received.wait(until: waitLimit()) { $0.count >= count ? true : nil }
            try #require(isThere == true, sourceLocation: sourceLocation)
        }

        func waitForEnd(sourceLocation: SourceLocation = #_sourceLocation) throws {
            try thread.value(sourceLocation: sourceLocation)
        }

        /// Expects each picture to be that of the source with its number.
        func expectRightPixels(sourceLocation: SourceLocation = #_sourceLocation) throws {
            for received in frames {
                let source = try CodecMemoryTests.picture(
                    received.frame.sequence, width: received.frame.format.width)
                #expect(
                    received.frame.contents == source.contents, "picture \(received.frame.sequence)",
                    sourceLocation: sourceLocation)
                #expect(!received.frame.dependsOnPrevious, sourceLocation: sourceLocation)
            }
        }
    }

    @Test(arguments: [1, 2, 8]) func everyPictureArrivesAndOneStandsAlone(window: Int) throws {
        let codec = DifferenceCodec()
        let link = MemoryTransport.pair()
        let viewer = try Viewer(link.receiver, codec)
        var source = ScriptedSource(try Self.pictures(0..<100))
        let sender = try FrameSender(
            codec: codec, transport: link.sender, options: SenderOptions(policy: .reliable, window: .fixed(window)))
        let total = try sender.run(&source).total
        try viewer.waitForEnd()
        try viewer.expectRightPixels()
        #expect(viewer.frames.map(\.frame.sequence) == Array(0..<100))
        #expect(total.acknowledged == 100 && total.failed == 0)
        #expect(codec.statistics.keys == 1 && codec.statistics.encoders == 1 && codec.statistics.decoders == 1)
        #expect(viewer.frames.filter { !$0.encoded.dependsOnPrevious }.map(\.frame.sequence) == [0])
    }

    /// A recording asks for the frame that it begins with.
    @Test func aKeyFrameComesWhenItIsAskedFor() throws {
        let codec = DifferenceCodec()
        let link = MemoryTransport.pair()
        let receiver = Monitor<FrameReceiver?>(nil)
        let viewer = try Viewer(link.receiver, codec) { number in
            guard number == 5 || number == 40 else { return }
            try? receiver.wait(until: waitLimit()) { $0 }?.request(.keyFrame)
        }
        receiver.update { $0 = viewer.receiver }
        var source = ScriptedSource(try Self.pictures(0..<100))
        let sender = try FrameSender(
            codec: codec, transport: link.sender, options: SenderOptions(policy: .reliable, window: .fixed(2)))
        #expect(try sender.run(&source).total.acknowledged == 100)
        try viewer.waitForEnd()
        try viewer.expectRightPixels()
        let keys = viewer.frames.filter { !$0.encoded.dependsOnPrevious }.map(\.frame.sequence)
        try #require(keys.count == 3 && keys[0] == 0, "\(keys)")
        #expect((5...9).contains(keys[1]) && (40...44).contains(keys[2]), "\(keys)")
    }

    @Test(arguments: [1, 3]) func droppedPicturesAreNoReference(encoders: Int) throws {
        let codec = DifferenceCodec()
        let link = MemoryTransport.pair(creditAhead: 3)
        let viewer = try Viewer(link.receiver, codec)
        var source = ScriptedSource(try Self.pictures(0..<3000), isLive: true)
        var options = SenderOptions(policy: .latest, window: .fixed(3))
        options.encoders = encoders
        let total = try FrameSender(codec: codec, transport: link.sender, options: options).run(&source).total
        try viewer.waitForEnd()
        try viewer.expectRightPixels()
        #expect(total.produced == 3000 && total.failed == 0 && viewer.undecodable.withLock { $0 } == 0)
        #expect(total.acknowledged == viewer.frames.count && codec.statistics.keys == 1)
    }

    /// The newest frame may depend on those that are passed over for it.
    @Test func aReceiverThatSkipsDecodesWhatItSkips() throws {
        let codec = DifferenceCodec()
        let link = MemoryTransport.pair()
        let sender = try FrameSender(
            codec: codec, transport: link.sender, options: SenderOptions(policy: .reliable, window: .fixed(8)))
        let released = Monitor(false)
        let viewer = try Viewer(link.receiver, codec, newest: true) { count in
            // After the first picture it looks away until others have arrived.
            if count == 1 { _ = released.wait(until: waitLimit()) { $0 ? true : nil } }
        }
        for number in UInt64(0)..<1 { #expect(try sender.trySend(try Self.picture(number)) == .sent) }
        try viewer.waitFor(1)
        var number: UInt64 = 1
        while number < 8 {
            if try sender.trySend(try Self.picture(number), mayQueue: false) == .sent { number += 1 }
        }
        try waitUntil { viewer.receiver.statistics.bytes == 8 * (17 * 13 + 4) }
        released.update { $0 = true }
        try viewer.waitFor(2)
        try sender.finish()
        try viewer.waitForEnd()
        try viewer.expectRightPixels()
        #expect(viewer.frames.last?.frame.sequence == 7)
    }

    @Test func aPictureOfAnotherSizeStandsAlone() throws {
        let codec = DifferenceCodec()
        let frames = try (UInt64(0)..<20).map { try Self.picture($0, width: $0 < 10 ? 17 : 33) }
        var source = ScriptedSource(frames)
        let received = try stream(&source, codec: codec)
        #expect(zip(received, frames).allSatisfy { $0.frame.contents == $1.contents } && received.count == 20)
        #expect(codec.statistics.keys == 2)
    }

    @Test func anEncoderThatFailsIsReplaced() throws {
        let codec = DifferenceCodec(failsAt: [5, 6, 12])
        let link = MemoryTransport.pair()
        let viewer = try Viewer(link.receiver, codec)
        var source = ScriptedSource(try Self.pictures(0..<20))
        let total = try FrameSender(
            codec: codec, transport: link.sender, options: SenderOptions(policy: .reliable, window: .fixed(4))
        ).run(&source).total
        try viewer.waitForEnd()
        try viewer.expectRightPixels()
        #expect(total.failed == 3 && total.acknowledged == 17 && viewer.undecodable.withLock { $0 } == 0)
        #expect(viewer.frames.map(\.frame.sequence) == (UInt64(0)..<20).filter { ![5, 6, 12].contains($0) })
        #expect(codec.statistics.keys == 3)
    }

    /// A frame is cut on its way: it and those that were under way are refused, never shown wrong.
    @Test func aFrameThatDoesNotDecodeIsFollowedByOneThatStandsAlone() throws {
        let codec = DifferenceCodec()
        let link = MemoryTransport.pair()
        let viewer = try Viewer(CuttingTransport(link.receiver, frames: [7, 20]), codec)
        var source = ScriptedSource(try Self.pictures(0..<60))
        let total = try FrameSender(
            codec: codec, transport: link.sender, options: SenderOptions(policy: .reliable, window: .fixed(3))
        ).run(&source).total
        try viewer.waitForEnd()
        try viewer.expectRightPixels()
        let failed = viewer.undecodable.withLock { $0 }
        #expect(total.failed == failed && total.acknowledged == 60 - failed)
        // At most the window is under way behind each. One that is encoded already is not sent.
        #expect((2...6).contains(failed), "\(failed)")
        #expect(codec.statistics.keys == 3)
    }

    @Test func framesAreEncodedAgainForAnotherConnection() throws {
        let codec = DifferenceCodec()
        let links = (0..<3).map { _ in MemoryTransport.pair() }
        let provider = ReconnectingSenderTests.ScriptedProvider(links.map { .success($0.sender) })
        let sender = try FrameSender(
            codec: codec, provider: provider, options: SenderOptions(policy: .reliable, window: .fixed(4)))
        let sending = try Background("the sender") { () throws -> SenderSummary in
            var source = ScriptedSource(try Self.pictures(0..<40))
            return try sender.run(&source)
        }
        var seen: [UInt64] = []
        for link in links.dropLast() {
            // Takes some frames without an acknowledgement of the last ones, and cuts the link.
            let decoder = try codec.makeDecodingSession()
            for count in 1...6 {
                guard case .frame(let frame, let info)? = try link.receiver.receive(until: .after(.seconds(60))) else {
                    Issue.record("no frame")
                    return
                }
                #expect(frame.dependsOnPrevious == (count > 1))
                let picture = try decoder.decode(frame, DecodeSettings())
                #expect(picture.contents == (try Self.picture(frame.sequence)).contents)
                guard count <= 3 else { continue }
                seen.append(frame.sequence)
                let word = Acknowledgement(sequence: info.sequence, creditThrough: info.sequence + 16)
                try link.receiver.send(.acknowledgement(word), until: .after(.seconds(60)))
            }
            link.receiver.cut()
        }
        let viewer = try Viewer(links[2].receiver, codec)
        let total = try sending.value().total
        try viewer.waitForEnd()
        try viewer.expectRightPixels()
        seen += viewer.frames.map(\.frame.sequence)
        #expect(Set(seen) == Set(0..<40))
        #expect(total.acknowledged == 40 && total.lost == 0 && total.resent > 0)
        #expect(viewer.undecodable.withLock { $0 } == 0)
    }

    /// Links that keep up share an encoder; one that does not has its own.
    @Test func receiversShareWhatTheyCan() throws {
        let codec = DifferenceCodec()
        let links = (0..<3).map { _ in MemoryTransport.pair() }
        let slow = MemoryTransport.pair()
        let sender = try FrameSender(
            codec: codec, transports: links.map(\.sender), options: SenderOptions(policy: .latest, window: .fixed(2)))
        let viewers = try links.map { try Viewer($0.receiver, codec) }
        let count: UInt64 = 200
        let gate = Monitor(0)
        var slowViewer: Viewer?
        for number in 0..<count {
            if number == 50 {
                // It joins late, and takes every tenth picture.
                try sender.add(slow.sender)
                slowViewer = try Viewer(slow.receiver, codec) { taken in
                    _ = gate.wait(until: waitLimit()) { $0 >= taken ? true : nil }
                }
            }
            #expect(try sender.trySend(try Self.picture(number)) == .sent)
            for viewer in viewers { try viewer.waitFor(Int(number) + 1) }
            if number % 10 == 9 { gate.update { $0 += 1 } }
        }
        gate.update { $0 = .max }
        try sender.finish()
        for viewer in viewers + [try #require(slowViewer)] {
            try viewer.waitForEnd()
            try viewer.expectRightPixels()
            #expect(viewer.undecodable.withLock { $0 } == 0)
        }
        for viewer in viewers { #expect(viewer.frames.map(\.frame.sequence) == Array(0..<count)) }
        let taken = try #require(slowViewer).frames.count
        #expect(taken >= 15 && taken < 100, "\(taken)")
        // One encoding of each picture for the three, and those of the one that is slow.
        #expect(codec.statistics.encoded <= Int(count) + taken, "\(codec.statistics)")
        #expect(codec.statistics.encoders <= 3, "\(codec.statistics)")
    }

    @Test func aReceiverThatJoinsGetsOneThatStandsAlone() throws {
        let codec = DifferenceCodec()
        let (first, second) = (MemoryTransport.pair(), MemoryTransport.pair())
        let sender = try FrameSender(
            codec: codec, transport: first.sender, options: SenderOptions(policy: .latest, window: .fixed(2)))
        let viewer = try Viewer(first.receiver, codec)
        var joining: Viewer?
        for number in UInt64(0)..<40 {
            if number == 20 {
                try sender.add(second.sender)
                joining = try Viewer(second.receiver, codec)
            }
            _ = try sender.trySend(try Self.picture(number))
            try viewer.waitFor(Int(number) + 1)
        }
        try sender.finish()
        try viewer.waitForEnd()
        let joined = try #require(joining)
        try joined.waitForEnd()
        try viewer.expectRightPixels()
        try joined.expectRightPixels()
        #expect(joined.frames.first?.frame.sequence == 20 && joined.frames.first?.encoded.dependsOnPrevious == false)
        #expect(joined.undecodable.withLock { $0 } == 0)
    }

    /// A source of frames that are encoded already: what depends on a dropped one is dropped, too.
    @Test func encodedFramesAreNotSentWithoutTheirReferences() throws {
        let codec = DifferenceCodec()
        let encoder = try codec.makeEncodingSession()
        let frames = try (UInt64(0)..<400).map { number in
            try encoder.encode(try Self.picture(number), EncodeSettings(), standsAlone: number % 20 == 0)
        }
        let link = MemoryTransport.pair(creditAhead: 2)
        let gate = Monitor(0)
        let viewer = try Viewer(link.receiver, codec) { taken in
            _ = gate.wait(until: waitLimit()) { $0 > taken / 30 ? true : nil }
        }
        let sender = try FrameSender(
            codec: codec, transport: link.sender, options: SenderOptions(policy: .latest, window: .fixed(2)))
        for frame in frames {
            _ = try sender.trySend(frame)
            // The receiver looks away now and then.
            if frame.sequence % 50 == 49 { gate.update { $0 += 1 } }
        }
        gate.update { $0 = .max }
        let total = try sender.finish().total
        try viewer.waitForEnd()
        try viewer.expectRightPixels()
        #expect(viewer.undecodable.withLock { $0 } == 0)
        #expect(total.dropped.replaced > 0 && total.acknowledged == viewer.frames.count)
        #expect(total.produced == 400)
    }
}

/// A connection on which the frames with some numbers lose their ends.
private final class CuttingTransport: Transport {
    private let base: MemoryTransport
    private let frames: Set<UInt64>

    init(_ base: MemoryTransport, frames: Set<UInt64>) {
        self.base = base
        self.frames = frames
    }

    var peer: Peer { base.peer }

    func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
        try base.send(message, until: deadline)
    }

    func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
        let message = try base.receive(until: deadline)
        guard case .frame(let frame, let info)? = message, frames.contains(info.sequence) else { return message }
        let bytes = frame.contents
        var cut = try Frame.filled(frame.format, byteCount: 3) { bytes[$0] }
        cut.takeDescription(of: frame)
        return .frame(cut, info)
    }

    func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
        try base.finish(goodbye, until: deadline)
    }

    func close() { base.close() }
}
