import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingJPEG
import FrameStreamingPreview
import Testing

extension PreviewTests {
    @Suite struct MultipartTests {
        let rig: Rig

        init() throws { rig = try Rig() }

        /// Behind the first delimiter, which is sent with the first frame.
        private func begin(_ client: Client) throws {
            #expect(try client.line() == "--\(Rig.boundary)")
        }

        @Test func everyFrameArrivesUnchanged() throws {
            let stream = rig.server.stream(named: "cam")
            let client = try rig.reader("/streams/cam.mjpg")
            for number in 1...5 {
                let frame = try rig.jpeg(UInt64(number))
                stream.show(frame, localCaptureTime: .now)
                if number == 1 { try begin(client) }
                let part = try client.part(boundary: Rig.boundary)
                #expect(part.bytes == frame.contents)
                #expect(part.fields["content-type"] == "image/jpeg")
                let timestamp = try #require(part.fields["x-timestamp"]?.split(separator: "."))
                // Seconds since the Unix epoch with six places: in this century.
                #expect(timestamp.count == 2 && timestamp[1].count == 6)
                #expect(try #require(Int(timestamp[0])) > 1_700_000_000)
            }
            #expect(stream.viewers == 1)
            stream.end("done")
            #expect(String(decoding: try client.rest(), as: UTF8.self) == "\r\n--\(Rig.boundary)--\r\n")
            try rig.wait(for: "the viewer is gone") { rig.server.viewerCount == 0 && stream.viewers == 0 }
        }

        @Test func rawPicturesAreEncodedOnceForAll() throws {
            let stream = rig.server.stream(named: "raw")
            let clients = try (0..<3).map { _ in try rig.reader("/streams/raw.mjpg") }
            try rig.wait(for: "three look") { stream.viewers == 3 }
            stream.show(try rig.picture(9, width: 640, height: 480))
            var bytes: [[UInt8]] = []
            for client in clients {
                try begin(client)
                bytes.append(try client.part(boundary: Rig.boundary).bytes)
            }
            #expect(bytes[0] == bytes[1] && bytes[1] == bytes[2])
            #expect(rig.codec.statistics.encoded.allocations == 1)
            let found = try header(of: bytes[0])
            #expect(found.width == 640 && found.height == 480)
        }

        @Test func aViewerThatDoesNotReadGetsOneFrameAndDelaysNoOther() throws {
            let stream = rig.server.stream(named: "cam")
            let count = 5_000_000
            let slow = try rig.reader("/streams/cam.mjpg", receiveBuffer: 65_536)
            let quick = try rig.reader("/streams/cam.mjpg")
            try rig.wait(for: "both look") { stream.viewers == 2 }
            for number in 1...6 {
                let frame = try rig.bulk(number, byteCount: count)
                stream.show(frame)
                if number == 1 { try begin(quick) }
                #expect(try quick.part(boundary: Rig.boundary).bytes == frame.contents)
            }
            // A viewer that does not read gets one frame, of which the kernel buffers a part.
            #expect(try metric("stream_viewer_frames_total") == 7)
            try begin(slow)
            #expect(try slow.part(boundary: Rig.boundary).bytes == rig.bulk(1, byteCount: count).contents)
            // And then the newest.
            #expect(try slow.part(boundary: Rig.boundary).bytes == rig.bulk(6, byteCount: count).contents)
        }

        @Test func aSlowReaderKeepsNoBufferOfThePool() throws {
            let stream = rig.server.stream(named: "cam")
            let slow = try rig.reader("/streams/cam.mjpg", receiveBuffer: 65_536)
            try rig.wait(for: "it looks") { stream.viewers == 1 }
            let pool = FramePool(capacity: 4)
            for number in 1...3 { stream.show(try rig.bulk(number, byteCount: 5_000_000).copy(from: pool)) }
            // The newest frame, which is kept for the next viewer.
            try rig.wait(for: "one buffer is out") { pool.statistics.leased == 1 }
            try begin(slow)
            let first = try slow.part(boundary: Rig.boundary).bytes
            #expect(try (1...3).contains { try first == rig.bulk($0, byteCount: 5_000_000).contents })
            stream.end("done")
        }

        @Test func aLaterViewerBeginsWithTheNewestFrame() throws {
            let stream = rig.server.stream(named: "cam")
            for number in 1...3 { stream.show(try rig.jpeg(UInt64(number))) }
            let client = try rig.reader("/streams/cam.mjpg")
            try begin(client)
            #expect(try client.part(boundary: Rig.boundary).bytes == rig.jpeg(3).contents)
            withExtendedLifetime(stream) {}
        }

        @Test func aBreakIsNotTheEnd() throws {
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.jpeg(1))
            let client = try rig.reader("/streams/cam.mjpg")
            try begin(client)
            _ = try client.part(boundary: Rig.boundary)
            stream.disconnected("the cable is out")
            let again = rig.server.stream(named: "cam")
            again.show(try rig.jpeg(2))
            #expect(try client.part(boundary: Rig.boundary).bytes == rig.jpeg(2).contents)
        }

        @Test func aViewerThatLeavesIsNotCounted() throws {
            let stream = rig.server.stream(named: "cam")
            do {
                let client = try rig.reader("/streams/cam.mjpg")
                try rig.wait(for: "it looks") { stream.viewers == 1 }
                withExtendedLifetime(client) {}
            }
            // The server notices without a frame.
            try rig.wait(for: "it is gone") { stream.viewers == 0 && rig.server.viewerCount == 0 }
        }

        @Test func viewersAreCapped() throws {
            let rig = try Rig { $0.maximumViewers = 2 }
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.jpeg(1))
            let first = try rig.reader("/streams/cam.mjpg")
            let second = try rig.page()
            let refused = try rig.ask("/streams/cam.mjpg")
            #expect(refused.status == 503 && refused["retry-after"] == "5" && refused.text.contains("2 viewers"))
            // The other viewer continues: a still does not count as one.
            #expect(try rig.ask("/streams/cam.jpg").status == 200)
            let page = try Client(port: rig.port)
            page.request("/api/live", Client.upgrade)
            #expect(try page.head().status == 101)
            #expect(try page.pictureOrEnd().closeCode == 1013)
            let text = try rig.ask("/metrics").text
            #expect(text.contains("framestreaming_viewers_refused_total 2\n"))
            withExtendedLifetime((first, second)) {}
        }

        private func metric(_ name: String) throws -> Int? {
            try rig.ask("/metrics").text.split(separator: "\n").first { $0.hasPrefix("framestreaming_\(name){") }
                .flatMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        }
    }
}
