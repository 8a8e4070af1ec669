import FrameStreamingCore
import FrameStreamingPreview
import Testing

extension PreviewTests {
    @Suite struct LiveTests {
        let rig: Rig

        init() throws { rig = try Rig() }

        @Test func framesComeOnRequestAndOneAtATime() throws {
            let stream = rig.server.stream(named: "cam")
            let page = try rig.page()
            #expect(stream.viewers == 0)
            page.watch("cam")
            try rig.wait(for: "it looks") { stream.viewers == 1 }
            let frame = try rig.jpeg(1)
            stream.show(frame, localCaptureTime: .now)
            let (header, jpeg) = try page.pictureOrEnd().picture()
            #expect(jpeg == frame.contents)
            #expect(header["stream"] as? String == "cam" && header["sequence"] as? Int == 1)
            #expect(header["width"] as? Int == 64 && header["height"] as? Int == 48)
            #expect(header["quality"] as? Int == 75 && header["skipped"] as? Int == 0)
            #expect(try #require(header["age_ms"] as? Double) >= 0)
            // This frame is not acknowledged yet. After its acknowledgement the newest one follows.
            for number in 2...9 { stream.show(try rig.jpeg(UInt64(number))) }
            page.send(9, [1, 2, 3])
            let next = try page.pictureOrEnd()
            #expect(next.opcode == 10 && next.payload == [1, 2, 3])
            #expect(stream.viewers == 1)
            try page.acknowledge(header)
            let (newest, bytes) = try page.pictureOrEnd().picture()
            #expect(newest["sequence"] as? Int == 9 && newest["skipped"] as? Int == 7)
            #expect(try bytes == rig.jpeg(9).contents && newest["age_ms"] is Double == false)
        }

        @Test func acknowledgementsOfOtherPicturesCountForNothing() throws {
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.jpeg(1))
            let page = try rig.page()
            page.watch("cam")
            let (header, _) = try page.pictureOrEnd().picture()
            stream.show(try rig.jpeg(2))
            for (name, sequence) in [("cam", 7), ("none", 1), ("cam", 0)] { page.acknowledge(name, sequence) }
            page.send(9, [])
            #expect(try page.pictureOrEnd().opcode == 10)
            try page.acknowledge(header)
            #expect(try page.pictureOrEnd().picture().header["sequence"] as? Int == 2)
        }

        @Test func everyStreamHasItsTurn() throws {
            let streams = ["a", "b", "c"].map { rig.server.stream(named: $0) }
            for stream in streams { stream.show(try rig.jpeg(1)) }
            let page = try rig.page()
            page.watch("a", "b", "c", "a")
            var seen: [String] = []
            for _ in 0..<3 { seen.append(try #require(page.pictureOrEnd().picture().header["stream"] as? String)) }
            // Each stream without an acknowledgement of the others.
            #expect(seen.sorted() == ["a", "b", "c"])
            page.watch("b")
            try rig.wait(for: "it looks at b only") { streams.map(\.viewers) == [0, 1, 0] }
            // The frame in flight stays in flight.
            streams[1].show(try rig.jpeg(2))
            page.send(9, [])
            #expect(try page.pictureOrEnd().opcode == 10)
            page.acknowledge("b", 1)
            #expect(try page.pictureOrEnd().picture().header["stream"] as? String == "b")
        }

        @Test func aStreamMayAppearAfterItWasWatched() throws {
            let page = try rig.page()
            page.watch("later")
            let stream = rig.server.stream(named: "later")
            stream.show(try rig.jpeg(1))
            #expect(try page.pictureOrEnd().picture().header["stream"] as? String == "later")
        }

        @Test func lossAndReturnAreReported() throws {
            let page = try rig.page()
            let stream = rig.server.stream(named: "cam", peer: "10.0.0.1:7")
            stream.show(try rig.jpeg(1))
            func expect(_ state: String, _ reason: String?, sourceLocation: SourceLocation = #_sourceLocation) throws {
                let streams = try page.listing {
                    $0.first?["state"] as? String == state && $0.first?["reason"] as? String == reason
                }
                #expect(streams.count == 1 && streams[0]["name"] as? String == "cam", sourceLocation: sourceLocation)
            }
            try expect("live", nil)
            stream.lost("the camera is unplugged")
            try expect("lost", "the camera is unplugged")
            stream.restored()
            try expect("live", nil)
            stream.note(.sourceLost(reason: "again"))
            try expect("lost", "again")
            // A frame also reports that the stream is back.
            stream.show(try rig.jpeg(2))
            try expect("live", nil)
            stream.disconnected("the cable is out")
            try expect("lost", "the cable is out")
            let again = rig.server.stream(named: "cam")
            try expect("live", nil)
            again.end("sender stopped")
            try expect("ended", "sender stopped")
        }

        @Test(arguments: [
            ("", 1008), ("x", 1008), ("[]", 1008), ("{}", 1008), ("{\"type\":\"watch\"}", 1008),
            ("{\"type\":\"watch\",\"streams\":[1]}", 1008), ("{\"type\":\"play\",\"streams\":[]}", 1008),
            ("{\"type\":\"watch\",\"streams\":[]} {}", 1008), ("\0\0\0\0\0\0\0\u{1}", 1008),
            ("\u{7F}\u{7F}\u{7F}", 1008),
        ]) func rubbishEndsTheConnection(text: String, code: Int) throws {
            let page = try rig.page()
            // Control characters belong to the other kind of message.
            page.send(text.first?.isLetter == false && !"{[".contains(text.prefix(1)) ? 2 : 1, Array(text.utf8))
            #expect(try page.pictureOrEnd().closeCode == code)
            #expect(try page.rest().isEmpty)
            try rig.wait(for: "the viewer is gone") { rig.server.viewerCount == 0 }
        }

        @Test func goodbyeIsAnswered() throws {
            let page = try rig.page()
            page.send(8, [3, 0xE8])
            #expect(try page.pictureOrEnd().closeCode == 1000)
            #expect(try page.rest().isEmpty)
        }

        @Test func theServersEndIsReported() throws {
            let page = try rig.page()
            rig.server.close()
            #expect(try page.pictureOrEnd().closeCode == 1001)
            #expect(throws: (any Error).self) { try rig.ask("/") }
            rig.server.close()
        }
    }
}
