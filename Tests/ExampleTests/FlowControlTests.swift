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
            // The receiver is told of every one but those behind the last frame.
            let skipped = try receiver.total().int("skipped")
            #expect(skipped <= replaced && skipped >= replaced - 8)
            #expect(try receiver.total().int("frames") == 120 - replaced)
            // A queue would have grown by 67 ms a frame, to seconds; with one frame under way it is about two consumptions.
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
    }
}
