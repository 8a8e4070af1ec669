import Foundation
import FrameStreamingCore
import FrameStreamingPreview
import Testing

extension PreviewTests {
    @Suite struct StreamTests {
        let rig: Rig

        init() throws { rig = try Rig() }

        private func listing() throws -> [[String: Any]] {
            let object = try JSONSerialization.jsonObject(with: Data(rig.ask("/api/streams").body)) as? [String: Any]
            return try #require(object?["streams"] as? [[String: Any]])
        }

        private func names() throws -> [String] { try listing().compactMap { $0["name"] as? String } }

        @Test func namesAreMadeUnique() throws {
            let streams = (0..<3).map { _ in rig.server.stream(named: "cam") }
            #expect(streams.map(\.name) == ["cam", "cam-2", "cam-3"])
            streams[1].end("done")
            // The name of a stream that has ended is free.
            let next = rig.server.stream(named: "cam")
            #expect(next.name == "cam-2")
            #expect(try names() == ["cam", "cam-2", "cam-3"])
        }

        @Test(arguments: [
            ("", "stream"), (".", "stream"), ("..", "stream"), ("  a\n\tb\u{7}  ", "a b"), ("a\u{202E}b", "a b"),
            ("front door", "front door"), ("日本", "日本"), ("../etc", "../etc"),
        ]) func namesAreMadeSafe(wanted: String, name: String) throws {
            let stream = rig.server.stream(named: wanted)
            #expect(stream.name == name)
            #expect(try names() == [name])
        }

        @Test func aLongNameIsCut() {
            #expect(rig.server.stream(named: String(repeating: "é", count: 200)).name.count == 80)
        }

        @Test func aPeersStreamHasItsName() {
            var peer = Peer(address: "10.1.2.3:4567", handshake: .binary, initialCredit: 1, creditAhead: 1)
            peer.stream = "garden"
            let named = rig.server.stream(of: peer)
            #expect(named.name == "garden")
            peer.stream = nil
            let nameless = rig.server.stream(of: peer)
            #expect(nameless.name == "from 10.1.2.3")
            peer.address = "[fe80::1]:9"
            #expect(rig.server.stream(of: peer).name == "from [fe80::1]")
            withExtendedLifetime((named, nameless)) {}
        }

        @Test func aSessionThatComesBackHasItsEntry() throws {
            var peer = Peer(address: "10.1.2.3:1", handshake: .binary, initialCredit: 1, creditAhead: 1)
            peer.stream = "cam"
            peer.session = 1
            var other = peer
            other.session = 2
            let (first, second) = (rig.server.stream(of: peer), rig.server.stream(of: other))
            #expect([first.name, second.name] == ["cam", "cam-2"])
            second.show(try rig.jpeg(1))
            // Before the server noticed the end of its old connection.
            other.address = "10.1.2.3:2"
            let again = rig.server.stream(of: other)
            #expect(again.name == "cam-2")
            again.show(try rig.jpeg(2))
            // Calls of the old connection have no effect.
            second.show(try rig.jpeg(3))
            second.end("broke")
            let entries = try listing()
            #expect(entries.count == 2 && entries[1]["state"] as? String == "live" && entries[1]["frames"] as? Int == 2)
            #expect(entries[1]["peer"] as? String == "10.1.2.3:2")
            withExtendedLifetime((first, again)) {}
        }

        @Test func endedStreamsAreForgotten() throws {
            let rig = try Rig { $0.remembersEnded = .zero }
            rig.server.stream(named: "cam").end("done")
            #expect(try rig.ask("/api/streams").text.contains("\"streams\":[]"))
            #expect(try rig.ask("/streams/cam.jpg").status == 404)
        }

        @Test func aReleasedStreamHasEnded() throws {
            do { rig.server.stream(named: "cam").show(try rig.jpeg(1)) }
            #expect(try listing().first?["state"] as? String == "ended")
        }

        @Test func framesThatDidNotDecodeAreCounted() throws {
            let stream = rig.server.stream(named: "cam")
            let error = FrameStreamingError(.corruptImage, "no picture")
            for number in 1...3 { stream.note(.undecodable(FrameInfo(sequence: UInt64(number)), error: error)) }
            #expect(try listing().first?["dropped"] as? [String: Int] == ["undecodable": 3])
        }

        @Test func theNewestPictureIsShared() throws {
            let stream = rig.server.stream(named: "cam")
            let pool = FramePool(capacity: 8)
            for number in 1...5 { stream.show(try rig.jpeg(UInt64(number)).copy(from: pool)) }
            // One buffer, of the newest frame; the others were returned at once.
            #expect(pool.statistics.leased == 1 && pool.statistics.allocations <= 2)
        }

        @Test(arguments: [
            ("0.0.0.0:0", FrameStreamingError.Code.notPermitted), ("[::]:0", .notPermitted),
            ("192.0.2.1:0", .notPermitted),
            ("example.org:0", .invalidArgument), ("x", .invalidArgument), ("99999", .invalidArgument),
        ]) func addressesThatAreRefused(address: String, code: FrameStreamingError.Code) {
            let error = #expect(throws: FrameStreamingError.self) { try PreviewServer(on: address, codec: rig.codec) }
            #expect(error?.code == code)
            if code == .notPermitted { #expect(error?.message.contains("PreviewOptions.insecure") == true) }
        }

        @Test func aPortThatIsTaken() throws {
            let error = #expect(throws: FrameStreamingError.self) {
                try PreviewServer(on: "\(rig.port)", codec: rig.codec)
            }
            #expect(error?.code == .addressInUse && error?.message.contains("another port") == true)
        }

        @Test func thePortIsFreeAgainAfterTheEnd() throws {
            let port = rig.port
            let page = try rig.page()
            rig.server.close()
            let next = try PreviewServer(on: "127.0.0.1:\(port)", codec: rig.codec)
            #expect(next.port == port && next.address == "http://127.0.0.1:\(port)/")
            next.close()
            withExtendedLifetime(page) {}
        }

        @Test func insecureAllowsOtherHosts() throws {
            var options = PreviewOptions()
            options.insecure = true
            let server = try PreviewServer(on: "0.0.0.0:0", codec: rig.codec, options: options)
            let client = try Client(port: server.port)
            // By any name that this machine has in its network.
            client.request("/api/streams", host: "camera.example:\(server.port)")
            #expect(try client.answer().status == 200)
            server.close()
        }

        @Test func invalidOptions() {
            for change: (inout PreviewOptions) -> Void in [
                { $0.quality = 0 }, { $0.quality = 101 }, { $0.maximumViewers = 0 },
            ] {
                let error = #expect(throws: FrameStreamingError.self) { try Rig(change) }
                #expect(error?.code == .invalidArgument)
            }
        }
    }
}
