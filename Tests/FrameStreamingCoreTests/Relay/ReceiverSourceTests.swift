import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

@testable import FrameStreamingCore

/// A receiver and a sender with the same frames in between, and what passes through them.
@Suite(.ownThread(atOnce: 4)) struct ReceiverSourceTests {
    /// A source, a relay and a receiver, over two connections whose clocks differ.
    private struct Hops {
        let near = MemoryTransport.pair(clockOffset: .seconds(5), clockError: .nanoseconds(1_000))
        let far = MemoryTransport.pair(clockOffset: .seconds(-3), clockError: .nanoseconds(200))
        let sender: FrameSender
        let relay: FrameSender
        let source: ReceiverSource
        let receiver: FrameReceiver

        init(_ options: SenderOptions = SenderOptions(policy: .reliable)) throws {
            sender = try FrameSender(codec: IdentityCodec(), transport: near.sender, options: options)
            source = ReceiverSource(
                try FrameReceiver(codec: IdentityCodec(), transport: near.receiver, decode: nil), isLive: false)
            relay = try FrameSender(codec: IdentityCodec(), transport: far.sender, options: options)
            receiver = try FrameReceiver(codec: IdentityCodec(), transport: far.receiver, decode: nil)
        }

        func runSource(_ steps: [ScriptedSource.Step]) throws -> Background<SenderSummary> {
            try Background { [sender] in
                var source = ScriptedSource(steps: steps)
                return try sender.run(&source)
            }
        }

        func runRelay() throws -> Background<SenderSummary> {
            try Background { [relay, receiver = source.receiver] in
                var source = ReceiverSource(receiver, isLive: false)
                return try relay.run(&source)
            }
        }
    }

    private static func frame(_ number: UInt64, _ time: Int64?) throws -> Frame {
        let capture = time.map { CaptureTime(nanoseconds: $0, edge: .startOfExposure, error: .nanoseconds(30)) }
        // Compressed: a notice of the source may overtake a frame that is being encoded.
        var frame = try Frame.filled(
            FrameFormat(width: 17, height: 13, pixelFormat: .jpeg), sequence: number, captureTime: capture,
            byteCount: 100
        ) { UInt8(truncatingIfNeeded: $0 &* 7 &+ Int(number)) }
        frame.metadata = [1, 2, UInt8(number)]
        return frame
    }

    /// Run-length codes gray pictures, into a format of its own.
    private struct RunCodec: FrameCodec {
        static let runs = PixelFormat(rawValue: 0x534E_5552)
        let encodings = Monitor(0)

        var decodableFormats: [PixelFormat] { [Self.runs] }
        var encodedFormats: [PixelFormat] { [Self.runs] }

        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
            guard frame.format.pixelFormat == .gray8 else {
                throw FrameStreamingError(.unsupported, "RunCodec takes gray8, not \(frame.format.pixelFormat)")
            }
            encodings.update { $0 += 1 }
            var runs: [UInt8] = []
            for byte in frame.contents {
                if runs.last == byte, runs[runs.count - 2] < 255 {
                    runs[runs.count - 2] += 1
                } else {
                    runs += [1, byte]
                }
            }
            return try make(runs, Self.runs, of: frame)
        }

        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
            let runs = frame.contents
            let bytes = stride(from: 0, to: runs.count, by: 2).flatMap { index in
                [UInt8](repeating: runs[index + 1], count: Int(runs[index]))
            }
            return try make(bytes, .gray8, of: frame)
        }

        private func make(
            _ bytes: [UInt8], _ pixelFormat: PixelFormat, of frame: Frame
        ) throws(FrameStreamingError) -> Frame {
            let format = try FrameFormat(
                width: frame.format.width, height: frame.format.height, pixelFormat: pixelFormat)
            var result = try Frame.filled(format, byteCount: bytes.count) { bytes[$0] }
            result.takeDescription(of: frame)
            return result
        }
    }

    /// A relay does not encode frames again that are in its codec's own format.
    @Test func framesInAFormatOfOnesOwnPassThroughUnchanged() throws {
        let near = MemoryTransport.pair()
        let far = MemoryTransport.pair()
        let (first, second) = (RunCodec(), RunCodec())
        let format = try FrameFormat(width: 23, height: 9, pixelFormat: .gray8)
        let frames = try (1...3).map { number in
            try Frame.filled(format, sequence: UInt64(number)) { UInt8(truncatingIfNeeded: $0 / 11 &* number) }
        }
        let options = SenderOptions(policy: .reliable)
        let sending = try Background {
            var source = ScriptedSource(frames)
            return try FrameSender(codec: first, transport: near.sender, options: options).run(&source)
        }
        let relaying = try Background {
            let receiver = try FrameReceiver(codec: second, transport: near.receiver, decode: nil)
            var source = ReceiverSource(receiver, isLive: false)
            return try FrameSender(codec: second, transport: far.sender, options: options).run(&source)
        }
        let receiver = try FrameReceiver(codec: RunCodec(), transport: far.receiver)
        for frame in frames {
            let received = try #require(try receiver.next(until: Self.soon))
            #expect(received.encoded.format.pixelFormat == RunCodec.runs)
            #expect(received.frame.format == format && received.frame.contents == frame.contents)
        }
        #expect(try receiver.next(until: Self.soon) == nil)
        #expect(try relaying.value().total.acknowledged == 3)
        #expect(try sending.value().total.acknowledged == 3)
        #expect(first.encodings.withLock { $0 } == 3 && second.encodings.withLock { $0 } == 0)
    }

    private static var soon: Deadline { .after(.seconds(30)) }

    @Test func framesTimesLossesAndTheEndPassThrough() throws {
        let hops = try Hops()
        let frames = try [10, 20, 30].map { try Self.frame(UInt64($0), Int64($0) * 1_000_000) }
        let sending = try hops.runSource([
            .event(.frame(frames[0])), .event(.lost(error: FrameStreamingError(.sourceLost, "unplugged"))),
            .event(.restored), .event(.frame(frames[1])), .event(.frame(frames[2])),
        ])
        let relaying = try hops.runRelay()
        // Frames and notices keep their order through the relay.
        var heard: [String] = []
        var received: [ReceivedFrame] = []
        while let event = try hops.receiver.nextEvent(until: Self.soon) {
            switch event {
            case .frame(let frame):
                received.append(frame)
                heard.append("\(frame.frame.sequence)")
            case .notice(.lost(let reason)): heard.append("lost: \(reason)")
            case .notice(.restored): heard.append("restored")
            }
        }
        #expect(heard == ["10", "lost: unplugged", "restored", "20", "30"])
        for (sent, came) in zip(frames, received) {
            #expect(came.frame.sharesBytes(with: sent) && came.frame.format == sent.format)
            #expect(came.frame.metadata == sent.metadata)
            // 2 s is what both clocks differ by in all, and their
            // errors add up to that of the source.
            let time = try #require(sent.captureTime).nanoseconds + 2_000_000_000
            #expect(came.localCaptureTime?.nanoseconds == time)
            #expect(came.captureError == .nanoseconds(1_230))
            #expect(came.encoded.captureTime?.edge == .startOfExposure)
        }
        #expect(try relaying.value().total.acknowledged == 3)
        #expect(try sending.value().total.acknowledged == 3)
        #expect(hops.receiver.peer.goodbye == .complete("end of stream"))
    }

    @Test(arguments: [nil, CaptureTime(nanoseconds: 5, clock: .realtime), CaptureTime(nanoseconds: 5, clock: .unknown)])
    func aTimeThatIsNotKnownIsNotPassedOn(_ time: CaptureTime?) throws {
        let hops = try Hops()
        var frame = try Self.frame(1, nil)
        frame.captureTime = time
        let sending = try hops.runSource([.event(.frame(frame))])
        let relaying = try hops.runRelay()
        let received = try #require(try hops.receiver.next(until: Self.soon))
        #expect(received.localCaptureTime == nil && received.captureError == nil)
        #expect(received.encoded.captureTime == nil)
        #expect(try hops.receiver.next(until: Self.soon) == nil)
        try relaying.value()
        try sending.value()
    }

    @Test func theSendersGoodbyeIsTheRelays() throws {
        let hops = try Hops()
        let relaying = try hops.runRelay()
        let ending = try Background { [near = hops.near] in
            try near.sender.finish(Goodbye.stopped("for an update"), until: Self.soon)
        }
        #expect(try hops.receiver.next(until: Self.soon) == nil)
        #expect(hops.receiver.peer.goodbye == .stopped("for an update"))
        try relaying.value()
        hops.source.receiver.close()
        try ending.value()
    }

    @Test func aSenderThatFailedIsAFailureBehindTheRelay() throws {
        let hops = try Hops()
        let sending = try hops.runSource([
            .event(.frame(try Self.frame(1, 1))), .failure(FrameStreamingError(.notFound, "lens cap on")),
        ])
        let relaying = try hops.runRelay()
        #expect(try hops.receiver.next(until: Self.soon)?.frame.sequence == 1)
        let error = #expect(throws: FrameStreamingError.self) { try hops.receiver.next(until: Self.soon) }
        #expect(error?.code == .peerFailed && error?.message.contains("lens cap on") == true, "\(error as Any)")
        #expect(relaying.error(as: FrameStreamingError.self)?.code == .peerFailed)
        #expect(sending.error(as: FrameStreamingError.self)?.code == .notFound)
    }

    @Test func aCancelPassesThroughInBothDirections() throws {
        let down = try Hops()
        let relaying = try down.runRelay()
        down.source.receiver.cancel()
        #expect(relaying.error(as: FrameStreamingError.self)?.code == .cancelled)
        #expect(try down.receiver.next(until: Self.soon) == nil)
        #expect(down.receiver.peer.goodbye?.code == .stopped)

        let up = try Hops()
        let sending = try up.runSource([.event(.frame(try Self.frame(1, 1)))])
        let upRelay = try up.runRelay()
        up.relay.cancel()
        #expect(upRelay.error(as: FrameStreamingError.self)?.code == .cancelled)
        up.source.receiver.close(.stopped("the relay was stopped"))
        // A frame may be under way then; what counts is that the sender ends.
        _ = try? sending.value()
        #expect(up.sender.summary.receivers.first?.end != nil)
    }

    /// A receiver that stores notices of the source, and never takes them, stores few.
    @Test func aSourceThatComesAndGoesIsToldOnce() throws {
        let link = MemoryTransport.pair(capacity: 100)
        let told = Monitor(0)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver, decode: nil) { _ in
            told.update { $0 += 1 }
        }
        for _ in 0..<20 {
            try link.sender.send(.sourceLost(reason: "unplugged"), until: Self.soon)
            try link.sender.send(.sourceRestored, until: Self.soon)
        }
        #expect(told.wait(until: Self.soon.nanoseconds) { $0 == 40 ? true : nil } == true)
        var source = ReceiverSource(receiver)
        if case .lost(let error)? = try source.next(until: Self.soon) {
            #expect(error.code == .sourceLost && error.message == "unplugged")
        } else {
            Issue.record("no loss")
        }
        if case .restored? = try source.next(until: Self.soon) {} else { Issue.record("no return") }
        #expect(throws: FrameStreamingError.self) { try source.next(until: .after(.milliseconds(1))) }
        receiver.cancel()
    }
}
