import Foundation
import RawSockets
import Testing

extension ExampleTests {
    @Suite struct JSON {
        static let receiverKeys: Set = [
            "event", "time", "role", "scope", "peer", "stream", "handshake", "format", "frames", "bytes",
            "decode_failures",
            "decode_warnings", "skipped",
            "dropped_at_end", "limits",
            "seconds", "fps", "latency_ms", "clock_error_ms", "stages_ms", "end", "goodbye", "goodbye_code",
        ]
        static let senderKeys: Set = [
            "event", "time", "role", "scope", "peer", "stream", "handshake", "format",
            "target_bits_per_second", "produced", "decode_warnings", "sent",
            "resent", "acknowledged", "dropped", "failed", "lost", "bytes", "paused", "limits", "seconds", "fps",
            "ack_ms", "clock_error_ms", "stages_ms",
            "end", "goodbye", "goodbye_code",
        ]
        static let receiverStages: Set = ["capture", "wait", "encode", "wire", "queue", "decode", "consume"]
        static let senderStages: Set = ["capture", "wait", "encode", "wire", "queue", "decode", "consume"]
        static let percentiles: Set = ["p50", "p95", "p99", "max"]

        @Test func aBinaryStreamSaysEverything() throws {
            let (receiver, port) = try receiver(["--once"])
            let sender = try sender(
                to: port, ["--pattern", "--size", "64x48", "--rate", "20", "--frames", "50", "--stream", "front door"])
            #expect(try sender.finish() == .exit(0))
            #expect(try receiver.finish() == .exit(0))
            try expectOrder(receiver, role: "receiver", keys: Self.receiverKeys, listens: true)
            try expectOrder(sender, role: "sender", keys: Self.senderKeys, listens: false)

            let connection = try #require(try receiver.connections().first)
            #expect(connection.string("stream") == "front door" && connection.string("handshake") == "binary")
            #expect(connection.string("peer")?.hasPrefix("127.0.0.1:") == true)
            #expect(connection.string("end") == "bye")
            #expect(connection.string("goodbye") == "end of stream")
            let latency = try connection.nested("latency_ms")
            #expect(latency.keys == Self.percentiles)
            #expect(try latency.double("p50") <= latency.double("p95"))
            #expect(try latency.double("p95") <= latency.double("p99"))
            #expect(try latency.double("p99") <= latency.double("max"))
            try expectOneClock(connection)
            let stages = try connection.nested("stages_ms")
            #expect(stages.keys == Self.receiverStages)
            var sum = 0.0
            for name in Self.receiverStages {
                let stage = try stages.nested(name)
                #expect(stage.keys == Self.percentiles)
                #expect(try stage.double("p50") <= latency.double("max"))
                sum += try stage.double("max")
            }
            // No frame is older than the sum of its stages, apart from
            // rounding: each counts whole microseconds.
            #expect(try latency.double("max") <= sum * 1.002 + 0.01)
            #expect(try connection.int("skipped") >= 0)
            #expect(try connection.int("decode_failures") == 0)
            let (frames, seconds) = (try connection.double("frames"), try connection.double("seconds"))
            #expect(abs(try connection.double("fps") - frames / seconds) < 0.01)

            let sent = try #require(try sender.connections().first)
            #expect(sent.string("stream") == "front door" && sent.string("peer") == "127.0.0.1:\(port)")
            #expect(try sent.nested("ack_ms").keys == Self.percentiles)
            let sentStages = try sent.nested("stages_ms")
            #expect(sentStages.keys == Self.senderStages)
            for name in Self.senderStages { #expect(try sentStages.nested(name).keys == Self.percentiles) }
            try expectOneClock(sent)
            for line in try sender.connections() + [sender.total()] {
                #expect(try line.nested("dropped").keys == ["replaced", "deadline", "rate", "disconnected"])
                #expect(try line.int("produced") == 50)
                #expect(try line.accounted() == 50)
            }
            // Every second's line has the figures as well, and their sum does not exceed the total.
            for scope in ["stream", "total"] {
                let progress = try receiver.lines.filter { $0.event == "progress" && $0.scope == scope }
                #expect(try progress.map { try $0.int("frames") }.reduce(0, +) <= Int(frames))
            }
        }

        @Test func textHasNoClockNoNamesAndNoSkippedCounts() throws {
            let ended = try stream(pattern(3) + ["--handshake", "text"])
            try ended.expectAllArrived(3)
            for line in try ended.receiver.connections() + [ended.receiver.total()] {
                #expect(line.keys == Self.receiverKeys)
                #expect(line.isNull("latency_ms") && line.isNull("skipped") && line.isNull("stream"))
                #expect(line.isNull("clock_error_ms"))
                let stages = try line.nested("stages_ms")
                for name in ["capture", "wait", "encode", "wire"] { #expect(stages.isNull(name)) }
                for name in ["queue", "decode", "consume"] { #expect(try stages.nested(name).keys == Self.percentiles) }
                #expect(line.string("end") == "over")
            }
            #expect(try ended.receiver.connections().first?.string("handshake") == "text")
            #expect(try ended.sender.total().nested("ack_ms").keys == Self.percentiles)
            #expect(try ended.sender.total().string("end") == "over")
        }

        @Test func undecodableFramesAreCountedOnBothSides() throws {
            let (receiver, port) = try receiver(["--once"])
            let client = try RawPeer(port: port, patience: 60)
            let rubbish = [UInt8](repeating: 7, count: 40)
            client.send("40, ")
            #expect(client.receiveText(2) == "ok")
            client.send([0xFF, 0xD8, 0xFF] + rubbish.dropFirst(3))
            #expect(client.receiveText(2) == "ok")
            client.send("over")
            #expect(try receiver.finish() == .exit(1))
            #expect(receiver.complaints.contains("the only picture that arrived could not be decoded"))
            #expect(try receiver.total().int("decode_failures") == 1)
            #expect(try receiver.total().int("frames") == 0)
            #expect(receiver.complaints.contains("frame 1: "))
        }

        @Test func theTotalIsPrintedEvenWithoutAStream() throws {
            let (receiver, _) = try receiver()
            receiver.signal(SIGTERM)
            #expect(try receiver.finish() == .exit(0))
            let total = try receiver.total()
            #expect(total.keys == Self.receiverKeys && total.string("end") == "cancelled")
            #expect(try total.int("frames") == 0 && total.isNull("latency_ms"))
        }

        /// Both programs read one clock. Answers that took more than 50 ms do not show that.
        private func expectOneClock(_ line: Line) throws {
            let error = try line.double("clock_error_ms")
            #expect(error == 0 || error > 50)
        }

        private func expectOrder(_ program: Program, role: String, keys: Set<String>, listens: Bool) throws {
            var lines = try program.lines
            #expect(program.output.hasSuffix("}\n"))
            if listens {
                let first = lines.removeFirst()
                #expect(first.keys == ["event", "time", "address", "port"] && first.event == "listening")
            }
            // There are lines about the connections as well.
            lines.removeAll { ["connected", "disconnected"].contains($0.event) }
            #expect(lines.allSatisfy { $0.keys == keys && $0.string("role") == role })
            #expect(lines.count { $0.event == "progress" } >= 1)
            let kinds = lines.map { "\($0.event ?? "") \($0.scope ?? "")" }
            // A second may end between the end of the connection and that of the program.
            #expect(kinds.last == "summary total" && kinds.count { $0 == "summary connection" } == 1)
            let others: Set = ["progress total", "progress stream", "summary connection"]
            #expect(kinds.dropLast().allSatisfy { others.contains($0) })
            #expect(program.complaints == "")
        }
    }
}
