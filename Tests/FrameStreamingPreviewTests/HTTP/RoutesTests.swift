import Foundation
import FrameStreamingCore
import FrameStreamingPreview
import RawSockets
import Testing

extension PreviewTests {
    @Suite struct RoutesTests {
        let rig: Rig

        init() throws { rig = try Rig() }

        @Test func thePageRunsItsOwnScriptsOnly() throws {
            let page = try rig.ask("/")
            #expect(page.status == 200 && page["content-type"] == "text/html; charset=utf-8")
            #expect(page["cache-control"] == "no-store" && page["x-content-type-options"] == "nosniff")
            let policy = try #require(page["content-security-policy"])
            let nonce = try #require(policy.split(separator: "'").first { $0.hasPrefix("nonce-") })
            #expect(page.text.contains("<script nonce=\"\(nonce.dropFirst(6))\">"))
            #expect(!page.text.contains("<script>") && policy.contains("default-src 'none'"))
            // A new nonce each time: a script that has read one page cannot inject code into the
            // next.
            #expect(try rig.ask("/")["content-security-policy"] != policy)
        }

        @Test(arguments: [
            "/nothing", "/api", "/api/other",
            "/streams", "/streams/", "/streams/none.jpg", "/streams/none.mjpg",
            "/streams/cam.png", "/../streams/none.jpg", "//", "/streams/a/b.jpg",
            "/metrics/x", "/?x=/api/streams/y",
        ]) func whatIsNotThere(path: String) throws {
            let stream = rig.server.stream(named: "cam")
            let answer = try rig.ask(path)
            if path == "/?x=/api/streams/y" {
                #expect(answer.status == 200)
            } else {
                #expect(answer.status == 404 && answer.text.hasSuffix(".\n"), "\(answer)")
            }
            withExtendedLifetime(stream) {}
        }

        @Test(arguments: ["/streams/%", "/streams/%zz.jpg", "/streams/%ff.jpg", "/streams/%00.jpg", "/%e2%82"])
        func whatIsNoPath(path: String) throws {
            let answer = try rig.ask(path)
            #expect(answer.status == 400 && answer.text.hasSuffix(".\n"), "\(answer)")
        }

        @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) func otherMethods(method: String) throws {
            for path in ["/", "/streams/cam.jpg", "/api/live"] {
                let answer = try rig.ask(path, method: method)
                #expect(answer.status == 405 && answer["allow"] == "GET, HEAD")
            }
        }

        @Test func headSaysWhatGetWouldSay() throws {
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.jpeg(1))
            let paths = [
                "/", "/streams/cam.jpg", "/streams/cam.jpg?scale=1/2", "/snapshot", "/?action=snapshot", "/nothing",
                "/streams/none.mjpg", "/api/live",
            ]
            for path in paths {
                let (head, get) = (try rig.ask(path, method: "HEAD"), try rig.ask(path))
                #expect(head.status == get.status && head["content-type"] == get["content-type"])
                #expect(head["content-length"] == "\(get.body.count)" && get.body.count > 0)
                #expect(head["etag"] == get["etag"])
            }
            // No body follows: the next answer on the same connection begins directly behind.
            let client = try Client(port: rig.port)
            for path in ["/", "/api/streams", "/metrics", "/api/live", "/streams/cam.jpg"] {
                client.request(path, method: "HEAD")
                let answer = try client.answer(hasBody: false)
                #expect(answer.status == (path == "/api/live" ? 426 : 200), "\(path): \(answer)")
            }
            // A stream has no length, and HEAD does not count as a viewer.
            for path in ["/streams/cam.mjpg", "/stream", "/?action=stream"] {
                let moving = try rig.ask(path, method: "HEAD")
                #expect(moving.status == 200 && moving["content-length"] == nil)
                #expect(moving["content-type"] == "multipart/x-mixed-replace; boundary=\(Rig.boundary)")
            }
            try rig.wait(for: "no viewer") { rig.server.viewerCount == 0 }
        }

        /// Where GET would find no place, HEAD says so.
        @Test func headFindsNoPlaceEither() throws {
            let rig = try Rig { $0.maximumViewers = 1 }
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.jpeg(1))
            let viewer = try rig.reader("/streams/cam.mjpg")
            let (head, get) = (try rig.ask("/stream", method: "HEAD"), try rig.ask("/stream"))
            #expect(head.status == 503 && get.status == 503 && head["retry-after"] == get["retry-after"])
            #expect(head["content-length"] == "\(get.body.count)")
            withExtendedLifetime(viewer) {}
        }

        /// A refused HEAD gets the length of what GET would get, and not the body.
        @Test func aRefusedHeadHasNoBody() throws {
            for fields in ["", "Host: a\r\nHost: b\r\n", "Host: localhost\r\nContent-Length: 1\r\n"] {
                let answers = try ["HEAD", "GET"].map { method in
                    let client = try Client(port: rig.port)
                    client.send("\(method) / HTTP/1.1\r\n\(fields)\r\n")
                    return (head: try client.head(), body: try client.rest())
                }
                #expect(answers[0].head.status == answers[1].head.status && answers[0].head.status >= 400)
                #expect(answers[0].body.isEmpty && !answers[1].body.isEmpty)
                #expect(answers[0].head["content-length"] == "\(answers[1].body.count)")
            }
        }

        /// What programs for mjpg-streamer and ustreamer ask for.
        @Test func addressesWithoutAName() throws {
            for path in ["/stream", "/snapshot", "/?action=stream", "/?action=snapshot"] {
                let answer = try rig.ask(path)
                #expect(answer.status == 503 && answer["retry-after"] == "5" && answer.text.contains("no stream yet"))
            }
            let (first, second) = (rig.server.stream(named: "z first"), rig.server.stream(named: "a second"))
            let (one, two) = (try rig.jpeg(1), try rig.jpeg(2, width: 32, height: 24))
            first.show(one)
            second.show(two)
            // A stream that comes later does not take the place of the first, whatever its name.
            for path in ["/snapshot", "/?action=snapshot", "/?x&action=snapshot&n=1"] {
                let answer = try rig.ask(path)
                #expect(answer.status == 200 && answer["content-type"] == "image/jpeg" && answer.body == one.contents)
            }
            #expect(try header(of: rig.ask("/snapshot?scale=1/2").body).width == 32)
            for path in ["/stream", "/?action=stream"] {
                let reader = try rig.reader(path)
                #expect(try reader.line() == "--\(Rig.boundary)")
                #expect(try reader.part(boundary: Rig.boundary).bytes == one.contents)
            }
            // Once it has ended, the one that is live is meant.
            first.end("done")
            #expect(try rig.ask("/snapshot").body == two.contents)
            second.lost("unplugged")
            #expect(try rig.ask("/snapshot").body == one.contents)
            #expect(try rig.ask("/?action=other").text.contains("<html"))
            for path in ["/stream/", "/snapshot/x", "/streams/stream"] { #expect(try rig.ask(path).status == 404) }
        }

        @Test func theEmptyPageIsToldACommand() throws {
            func object() throws -> [String: Any] {
                try #require(
                    JSONSerialization.jsonObject(with: Data(rig.ask("/api/streams").body)) as? [String: Any])
            }
            #expect(try object()["invitation"] == nil)
            rig.server.invitation = "send --to {host}:5600"
            let invitation = try #require(try object()["invitation"] as? [String: Any])
            #expect(invitation["command"] as? String == "send --to {host}:5600")
            if let host = invitation["host"] { #expect((host as? String)?.hasPrefix("127.") == false) }
            let stream = rig.server.stream(named: "cam")
            #expect(try object()["invitation"] == nil)
            withExtendedLifetime(stream) {}
        }

        @Test func aStreamHasAnAddress() throws {
            let stream = rig.server.stream(named: "a/b %41?é#")
            #expect(stream.address == "\(rig.server.address)streams/a%2Fb%20%2541%3F%C3%A9%23.mjpg")
            stream.show(try rig.jpeg(1))
            _ = try rig.reader(String(stream.address.dropFirst(rig.server.address.count - 1)))
            #expect(rig.server.addresses == [rig.server.address])
        }

        /// Behind 0.0.0.0, all addresses that others can reach have the page.
        @Test func theAddressesForOthers() throws {
            var options = PreviewOptions()
            options.insecure = true
            let server = try PreviewServer(on: "0.0.0.0:0", codec: rig.codec, options: options)
            let stream = server.stream(named: "cam")
            #expect(server.addresses.first == server.address)
            for address in server.addresses.dropFirst() {
                let host = try #require(address.wholeMatch(of: /http:\/\/([0-9.]+):(\d+)\//))
                #expect(Int(host.2) == server.port && !host.1.hasPrefix("127."))
                let peer = try RawPeer(host: String(host.1), port: server.port, patience: 60)
                peer.send("GET /api/streams HTTP/1.1\r\nHost: \(host.1):\(host.2)\r\nConnection: close\r\n\r\n")
                #expect(String(decoding: peer.receiveToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 200 "))
            }
            let base = server.addresses.count > 1 ? server.addresses[1] : server.address
            #expect(stream.address == "\(base)streams/cam.mjpg")
        }

        @Test func oneConnectionForManyRequests() throws {
            let client = try Client(port: rig.port)
            for _ in 0..<3 {
                client.request("/api/streams")
                #expect(try client.answer().text.contains("\"streams\":[]"))
            }
        }

        @Test(arguments: [
            ("evil.example", 421), ("evil.example:80", 421), ("localhost.evil.example", 421),
            ("127.0.0.1.evil.example", 421),
            ("192.168.1.1", 421), ("", 421), ("127.0.0.1", 200), ("localhost:8080", 200), ("LOCALHOST", 200),
            ("[::1]:80", 200), ("cam.localhost", 200), ("localhost.", 200), ("localhost.:8080", 200),
            ("[::1].evil.example", 421), ("localhost:80;script-src *", 421),
        ]) func namesOfOthersAreRefused(host: String, status: Int) throws {
            #expect(try rig.ask("/api/streams", host: host).status == status)
        }

        @Test func aRequestNamesItsHost() throws {
            let client = try Client(port: rig.port)
            client.send("GET /api/streams HTTP/1.1\r\n\r\n")
            #expect(try client.answer().status == 400)
            let old = try Client(port: rig.port)
            old.send("GET /api/streams HTTP/1.0\r\n\r\n")
            #expect(try old.answer().status == 200)
        }

        @Test(arguments: [
            ("http://evil.example", 403), ("null", 403), ("http://127.0.0.1.evil.example", 403),
            ("http://127.0.0.1", 101), ("HTTP://127.0.0.1", 101),
        ]) func pagesOfOthersGetNoSocket(origin: String, status: Int) throws {
            let client = try Client(port: rig.port)
            client.request("/api/live", Client.upgrade + ["Origin: \(origin)"])
            #expect(try client.head().status == status)
        }

        @Test func aWebSocketIsAskedForAsOne() throws {
            let plain = try rig.ask("/api/live")
            #expect(plain.status == 426 && plain["upgrade"] == "websocket")
            let old = Client.upgrade.filter { !$0.hasPrefix("Sec-WebSocket-Version") } + ["Sec-WebSocket-Version: 8"]
            let client = try Client(port: rig.port)
            client.request("/api/live", old)
            let refusal = try client.answer()
            #expect(refusal.status == 426 && refusal["sec-websocket-version"] == "13")
            for keys in [[], ["x"], ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="]] {
                let headers = Client.upgrade.filter { !$0.hasPrefix("Sec-WebSocket-Key") }
                let other = try Client(port: rig.port)
                other.request("/api/live", headers + keys.map { "Sec-WebSocket-Key: \($0)" })
                #expect(try other.answer().status == 400)
            }
            #expect(rig.server.viewerCount == 0)
        }

        @Test func messagesBeforeTheHandshakeResponseAreHandled() throws {
            let stream = rig.server.stream(named: "cam")
            let frame = try rig.jpeg(1)
            stream.show(frame)
            let client = try Client(port: rig.port)
            let head = (["GET /api/live HTTP/1.1", "Host: 127.0.0.1"] + Client.upgrade + ["", ""])
            let watch = Array("{\"type\":\"watch\",\"streams\":[\"cam\"]}".utf8)
            client.send(
                Array(head.joined(separator: "\r\n").utf8) + [0x81, 0x80 | UInt8(watch.count), 0, 0, 0, 0] + watch)
            #expect(try client.head().status == 101)
            #expect(try client.pictureOrEnd().picture().jpeg == frame.contents)
        }

        @Test func answersSayWhenTheyWereMade() throws {
            let date = try #require(rig.ask("/")["date"])
            #expect(
                date.wholeMatch(of: /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/) != nil
            )
        }

        @Test func anAbsoluteTargetIsAPathOfThisServer() throws {
            #expect(try rig.ask("http://127.0.0.1/api/streams").text.contains("\"streams\":[]"))
            #expect(try rig.ask("http://evil.example/api/streams").status == 400)
            #expect(try rig.ask("http://evil.example/api/streams", host: "evil.example").status == 421)
        }

        @Test func connectionCloseIsHonoured() throws {
            for (version, fields) in [("1.0", ""), ("1.1", "Host: localhost\r\nConnection: close\r\n")] {
                let client = try Client(port: rig.port)
                client.send("GET /api/streams HTTP/\(version)\r\n\(fields)\r\n")
                let answer = try client.answer()
                #expect(answer.status == 200 && answer["connection"] == "close")
                #expect(try client.rest().isEmpty)
            }
        }

        @Test func theListSaysWhatIsKnown() throws {
            let stream = rig.server.stream(named: "a \"b\" <c>/ä", peer: "10.0.0.1:5")
            let empty = try listing()[0]
            #expect(empty["name"] as? String == "a \"b\" <c>/ä" && empty["state"] as? String == "live")
            #expect(empty["width"] is NSNull && empty["latency_ms"] is NSNull && empty["frames"] as? Int == 0)
            #expect(empty["skipped_by_sender"] is NSNull && empty["peer"] as? String == "10.0.0.1:5")
            let frame = try rig.jpeg(1)
            stream.show(
                frame, localCaptureTime: .now.advanced(by: .milliseconds(-50)), skipped: 3, clockError: .milliseconds(2)
            )
            stream.show(
                frame, localCaptureTime: .now.advanced(by: .milliseconds(-50)), skipped: 4, clockError: .milliseconds(2)
            )
            stream.window = 5
            let full = try listing()[0]
            #expect(full["width"] as? Int == 64 && full["height"] as? Int == 48 && full["quality"] as? Int == 75)
            #expect(full["pixel_format"] as? String == "JPEG" && full["frames"] as? Int == 2)
            #expect(full["skipped_by_sender"] as? Int == 7 && full["window"] as? Int == 5)
            #expect(full["clock_error_ms"] as? Double == 2)
            let latency = try #require(full["latency_ms"] as? [String: Double])
            #expect(try #require(latency["p50"]) >= 50 && latency["p99"] ?? 0 >= latency["p50"] ?? 1)
            #expect(full["bytes_per_second"] as? Double ?? 0 > 0)
        }

        private func listing() throws -> [[String: Any]] {
            let answer = try rig.ask("/api/streams")
            #expect(answer["content-type"] == "application/json")
            let object = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
            #expect(object?["time_ms"] is Double)
            return try #require(object?["streams"] as? [[String: Any]])
        }
    }
}
