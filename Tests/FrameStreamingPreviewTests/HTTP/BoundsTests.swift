import FrameStreamingCore
import FrameStreamingJPEG
import FrameStreamingPreview
import FrameStreamingSystem
import RawSockets
import Testing

extension PreviewTests {
    /// What clients may cost.
    @Suite struct BoundsTests {
        @Test func silentConnectionsKeepNoClientOut() throws {
            let rig = try Rig()
            let silent = try (0..<150).map { _ in
                let client = try Client(port: rig.port)
                client.send("GET / HT")
                return client
            }
            #expect(try rig.ask("/api/streams").status == 200)
            // The connections that waited longest were ended.
            #expect(try silent[0].rest().isEmpty && silent[1].rest().isEmpty)
            silent[149].send("TP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            #expect(try silent[149].answer().status == 200)
        }

        /// Connections of one address that never read their answers, and one of another that has not
        /// sent all of its request.
        @Test func oneAddressKeepsNoOtherOut() throws {
            let rig = try Rig()
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.bulk(1, byteCount: 300_000))
            let many = try (0..<140).map { _ in
                let client = try rig.connect(receiveBuffer: 4096)
                client.request("/streams/cam.jpg")
                return client
            }
            let other = try RawPeer(port: rig.port, from: "127.0.0.2", patience: 60)
            other.send("GET /api/streams HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            for _ in 0..<3 { #expect(try rig.ask("/api/streams").status == 200) }
            other.send("Connection: close\r\n\r\n")
            #expect(String(decoding: other.receiveToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 200 "))
            withExtendedLifetime((stream, many)) {}
        }

        @Test(arguments: [("GET /", 414), ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", 431)])
        func longRequestsAreAnsweredAndNotRead(begin: String, status: Int) throws {
            let rig = try Rig()
            let client = try Client(port: rig.port)
            client.send(begin + String(repeating: "a", count: 300_000))
            let answer = try client.answer()
            #expect(answer.status == status && answer["connection"] == "close" && answer.text.hasSuffix(".\n"))
            #expect(try client.rest().isEmpty)
        }

        @Test func requestsThatCameTogetherAreAllAnswered() throws {
            let rig = try Rig()
            let client = try Client(port: rig.port)
            let one = "GET /api/streams HTTP/1.1\r\nHost: localhost\r\n"
            client.send(String(repeating: "\(one)\r\n", count: 200) + "\(one)Connection: close\r\n\r\n")
            for _ in 0...200 { #expect(try client.answer().status == 200) }
            #expect(try client.rest().isEmpty)
        }

        /// A frame is encoded once for all its clients, other requests do not wait for that, and
        /// nothing is encoded for a client that has gone.
        @Test func framesAreEncodedOnceAndOnlyForConnectedClients() throws {
            let codec = GatedCodec()
            let server = try PreviewServer(on: "0", codec: codec)
            defer { server.close() }
            defer { codec.open() }
            let rig = try Rig()
            let stream = server.stream(named: "cam")
            stream.show(try rig.jpeg(1))
            func ask(_ scale: String) throws -> Client {
                let client = try Client(port: server.port)
                client.request("/streams/cam.jpg?scale=\(scale)")
                return client
            }
            let first = try ask("1/2")
            try codec.waitForOne()
            let others = try (0..<5).map { _ in try ask("1/2") }
            var gone: Client? = try ask("1/4")
            // Answered after those, so the server knows them.
            let list = try Client(port: server.port)
            func listing() throws {
                list.request("/api/streams")
                #expect(try list.answer().status == 200)
            }
            try listing()
            withExtendedLifetime(gone) {}
            gone = nil
            try listing()
            try listing()
            let last = try ask("1/8")
            codec.open()
            let pictures = try (others + [first]).map { try $0.answer() }
            #expect(pictures.allSatisfy { $0.status == 200 && $0.body == pictures[0].body })
            #expect(try last.answer().status == 200)
            #expect(codec.decoded == ["1/2", "1/8"])
            withExtendedLifetime(stream) {}
        }

        @Test func viewersThatDoNotReadHoldNoMoreThanTheBound() throws {
            let rig = try Rig { $0.maximumPictureByteCount = 30_000_000 }
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.bulk(1, byteCount: 20_000_000))
            let viewers = try (0..<3).map { _ in try rig.reader("/streams/cam.mjpg", receiveBuffer: 4096) }
            // The kernel takes only a part of a frame of 20 MB, so two of them exceed the limit and
            // one does not.
            try rig.wait(for: "all but one are cut off") { rig.server.viewerCount == 1 }
            withExtendedLifetime((stream, viewers)) {}
        }

        @Test func aFailedEncodingIsNotRepeated() throws {
            let codec = GatedCodec()
            codec.open()
            let server = try PreviewServer(on: "0", codec: codec)
            defer { server.close() }
            let rig = try Rig()
            let stream = server.stream(named: "cam")
            stream.show(try rig.bulk(1, byteCount: 1000))
            for _ in 0..<3 {
                let client = try Client(port: server.port)
                client.request("/streams/cam.jpg?scale=1/2")
                #expect(try client.answer().status == 500)
            }
            #expect(codec.decoded == ["1/2"])
            withExtendedLifetime(stream) {}
        }
    }
}

/// A codec for JPEGs with a gate before each decoding.
private final class GatedCodec: FrameCodec, Sendable {
    private struct State {
        var isOpen = false
        var decoded: [String] = []
    }

    private let codec = JPEGCodec()
    private let state = Monitor(State())

    /// The scales that were decoded, in order.
    var decoded: [String] { state.withLock { $0.decoded } }

    func open() { state.update { $0.isOpen = true } }

    /// Returns when a decoding waits at the gate, or when the test's time is up.
    func waitForOne() throws {
        let limit = MonotonicTime.now.advanced(by: .seconds(60))
        let found: Bool? = state.wait(until: limit.nanoseconds) { $0.decoded.isEmpty ? nil : true }
        try #require(found != nil)
    }

    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        try codec.encode(frame, settings)
    }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        state.update { $0.decoded.append("\(settings.scale)") }
        let _: Bool? = state.wait(until: MonotonicTime.now.advanced(by: .seconds(60)).nanoseconds) {
            $0.isOpen ? true : nil
        }
        return try codec.decode(frame, settings)
    }
}
