import FrameStreamingCore
import FrameStreamingJPEG
import FrameStreamingTCP
import Testing

extension ExampleTests {
    @Suite struct FlowControl {
        @Test func aSlowConsumerGetsNewPicturesNotOldOnes() throws {
            // 30 a second offered, at most 10 a second consumed.
            let (receiver, port) = try receiver(["--once", "--consume-ms", "100"])
            let sender = try sender(to: port, ["--pattern", "--size", "64x48", "--frames", "120", "--window", "1"])
            #expect(try sender.finish() == .exit(0), "\(sender.complaints)")
            #expect(try receiver.finish() == .exit(0))
            let total = try sender.total()
            #expect(try total.int("produced") == 120 && total.accounted() == 120)
            let replaced = try total.nested("dropped").int("replaced")
            #expect(replaced >= 60)
            // The receiver learns of every skipped frame except those after the last frame.
            let skipped = try receiver.total().int("skipped")
            #expect(skipped <= replaced && skipped >= replaced - 8)
            #expect(try receiver.total().int("frames") == 120 - replaced)
            // A queue would have grown by 67 ms a frame, to seconds; with one frame in flight
            // the age is about two consumptions.
            let ages = try receiver.lines.filter { try $0.event == "progress" && $0.int("frames") > 0 }
                .map { try $0.nested("latency_ms").double("p50") }
            #expect(ages.count >= 3)
            #expect(ages.allSatisfy { $0 < 1500 }, "\(ages)")
        }

        @Test func reliableWaitsForASlowConsumer() throws {
            let ended = try stream(
                ["--pattern", "--size", "64x48", "--frames", "10", "--policy", "reliable", "--pace", "max"],
                ["--consume-ms", "30"])
            try ended.expectAllArrived(10)
            #expect(try ended.receiver.total().int("skipped") == 0)
            #expect(try ended.sender.total().double("seconds") >= 0.25)
        }

        @Test func aPauseIsReported() throws {
            let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .binary)
            let sender = try sender(to: listener.port, ["--pattern", "--size", "64x48", "--no-reconnect"])
            let transport = try listener.accept(until: .after(.seconds(60)))
            let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport, decode: nil)
            #expect(try receiver.next(until: .after(.seconds(60))) != nil)
            try receiver.request(.pause)
            try sender.line("a second of the pause") { try $0.event == "progress" && $0.int("paused") == 1 }
            // Only lines that are printed after the pause count.
            let before = try sender.lines.count
            try receiver.request(.resume)
            for _ in 0..<10 { #expect(try receiver.next(until: .after(.seconds(60))) != nil) }
            _ = try sender.find("a second after the pause") { text in
                try sender.lines(text).dropFirst(before).first { line in
                    try line.event == "progress" && line.int("paused") == 0
                }
            }
            receiver.close()
            _ = try sender.finish()
            #expect(try sender.total().int("paused") == 0)
        }
    }
}
