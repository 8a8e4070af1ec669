import Foundation
import FrameStreamingCore
import FrameStreamingPreview
import Testing

extension PreviewTests {
    /// Which requests a preview with a token answers.
    @Suite struct AccessTests {
        private let token = "correct-horse-battery"

        private func closedRig() throws -> Rig {
            let token = try PreviewToken(token)
            return try Rig { $0.token = token }
        }

        private func basic(_ pair: String) -> String {
            "Authorization: Basic \(Data(pair.utf8).base64EncodedString())"
        }

        /// A cookie as a browser returns it: without what is behind the semicolon.
        private func cookie(_ answer: Client.Answer) throws -> String {
            let field = try #require(answer["set-cookie"])
            return "Cookie: theme=dark; \(field.prefix { $0 != ";" })"
        }

        private static let paths = [
            "/", "/api/streams", "/api/live", "/metrics", "/streams/cam.mjpg", "/streams/cam.jpg", "/stream",
            "/?action=stream", "/snapshot", "/nothing", "/%zz",
        ]

        @Test(arguments: paths) func nothingIsShownWithoutTheToken(path: String) throws {
            let rig = try closedRig()
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.jpeg(1))
            for fields in [[], ["Authorization: Digest x"], ["Cookie: theme=dark"], Client.upgrade] {
                let answer = try rig.ask(path, fields)
                #expect(answer.status == 401 && answer["www-authenticate"]?.hasPrefix("Bearer") == true)
                #expect(!answer.text.contains("cam") && answer["set-cookie"] == nil)
                #expect(answer["content-length"] == "\(answer.body.count)")
            }
            let head = try rig.ask(path, method: "HEAD")
            #expect(head.status == 401 && head["www-authenticate"] != nil && head.body.isEmpty)
            withExtendedLifetime(stream) {}
        }

        @Test func theTokenLetsInAsBearerAndAsPassword() throws {
            let rig = try closedRig()
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.jpeg(1))
            for field in [
                "Authorization: Bearer \(token)", "authorization: bearer  \(token)", basic("viewer:\(token)"),
                basic(":\(token)"),
            ] {
                for path in ["/", "/api/streams", "/metrics", "/streams/cam.jpg", "/snapshot"] {
                    #expect(try rig.ask(path, [field]).status == 200, "\(field) \(path)")
                }
                #expect(try rig.ask("/streams/cam.mjpg", method: "HEAD", [field]).status == 200)
            }
            withExtendedLifetime(stream) {}
        }

        @Test(arguments: [
            "Authorization: Bearer correct-horse-batterz", "Authorization: Bearer", "Authorization: Bearer x y",
            "Authorization: Basic %%%", "Authorization: Basic", "Authorization: correct-horse-battery",
            "Cookie: frame-preview-0=correct-horse-battery",
        ]) func aWrongOneDoesNot(field: String) throws {
            let rig = try closedRig()
            #expect(try rig.ask("/api/streams", [field]).status == 401)
            for pair in ["viewer:", "\(token):viewer", "viewer\(token)", "viewer:\(token)x"] {
                #expect(try rig.ask("/api/streams", [basic(pair)]).status == 401)
            }
            #expect(try rig.ask("/api/streams", ["Cookie: frame-preview-\(rig.port)=\(token)"]).status == 401)
        }

        /// Only the first of two fields counts: a request is one guess.
        @Test func aSecondFieldIsNoSecondGuess() throws {
            let rig = try closedRig()
            let answer = try rig.ask("/", ["Authorization: Bearer wrong", "Authorization: Bearer \(token)"])
            #expect(answer.status == 401)
        }

        @Test func aLinkLetsOneBrowserInOnce() throws {
            let rig = try closedRig()
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.jpeg(1))
            let link = rig.server.signInLink()
            let start = "\(rig.server.address)?code="
            try #require(link.hasPrefix(start) && !link.contains(token))
            let path = "/?code=\(link.dropFirst(start.count))"
            // A program that only looks at the link, as a chat does, may ask for the head.
            #expect(try rig.ask(path, method: "HEAD").status == 401)
            let answer = try rig.ask(path)
            #expect(answer.status == 200 && answer.text.contains("content=\"0; url=/\""))
            #expect(answer["referrer-policy"] == "no-referrer" && answer["cache-control"] == "no-store")
            let field = try #require(answer["set-cookie"])
            #expect(field.hasPrefix("frame-preview-\(rig.port)=") && !field.contains(token))
            for attribute in ["; Path=/;", "; HttpOnly", "; SameSite=Strict"] { #expect(field.contains(attribute)) }
            #expect(!field.contains("Secure"))
            let cookie = try cookie(answer)
            for path in ["/", "/api/streams", "/streams/cam.jpg"] {
                #expect(try rig.ask(path, [cookie]).status == 200)
            }
            let again = try rig.ask(path)
            #expect(again.status == 401 && again["set-cookie"] == nil && again.text.contains("used before"))
            // The browser that is in may load it again.
            #expect(try rig.ask(path, [cookie]).status == 200)
            withExtendedLifetime(stream) {}
        }

        @Test func anOldLinkAndTheOldestOfManyAreWorthless() throws {
            let rig = try closedRig()
            func path(_ link: String) -> String { "/?code=\(link.split(separator: "=").last ?? "")" }
            #expect(try rig.ask(path(rig.server.signInLink(validFor: .zero))).status == 401)
            let links = (0..<17).map { _ in rig.server.signInLink() }
            #expect(try rig.ask(path(links[0])).status == 401)
            #expect(try rig.ask(path(links[1])).status == 200)
            #expect(try rig.ask(path(links[16])).status == 200)
            #expect(try rig.ask("/?code=").status == 401)
        }

        /// A page's WebSocket has the cookie, which also whoever came by a password got.
        @Test func aWebSocketNeedsItAsWell() throws {
            let rig = try closedRig()
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.jpeg(7))
            #expect(try rig.ask("/api/live", Client.upgrade).status == 401)
            let cookie = try cookie(rig.ask("/", [basic("viewer:\(token)")]))
            for field in [cookie, basic("viewer:\(token)")] {
                let client = try Client(port: rig.port)
                client.request("/api/live", Client.upgrade + [field])
                try #require(try client.head().status == 101)
                client.watch("cam")
                let picture = try client.pictureOrEnd().picture()
                #expect(picture.header["stream"] as? String == "cam")
            }
            withExtendedLifetime(stream) {}
        }

        /// A browser asks for a password where a person loads a page, and nowhere else.
        @Test func aScriptIsNotAskedForAPassword() throws {
            let rig = try closedRig()
            func challenges(_ fields: [String]) throws -> [String] {
                let client = try Client(port: rig.port)
                client.request("/", ["Connection: close"] + fields)
                let text = String(decoding: try client.rest(), as: UTF8.self)
                return text.split(separator: "\r\n").filter { $0.hasPrefix("WWW-Authenticate: ") }
                    .map { String($0.dropFirst(18).prefix { $0 != " " }) }
            }
            #expect(try challenges([]) == ["Basic", "Bearer"])
            #expect(try challenges(["Sec-Fetch-Mode: navigate"]) == ["Basic", "Bearer"])
            #expect(try challenges(["Sec-Fetch-Mode: cors"]) == ["Bearer"])
            #expect(try challenges(["Sec-Fetch-Mode: websocket"]) == ["Bearer"])
        }

        @Test func tooManyWrongOnesAreRefusedUnseen() throws {
            let rig = try closedRig()
            for guess in 0..<10 {
                #expect(try rig.ask("/", ["Authorization: Bearer wrong-\(guess)"]).status == 401)
            }
            // Not even the right one: the answer would tell.
            let refused = try rig.ask("/", ["Authorization: Bearer \(token)"])
            #expect(refused.status == 429 && refused["retry-after"].flatMap { Int($0) } ?? 0 >= 1)
            #expect(refused["set-cookie"] == nil)
            // Without one there is nothing to guess.
            #expect(try rig.ask("/").status == 401)
        }

        /// Neither a page of another site, nor one of another port, which a browser sends the cookie
        /// for.
        @Test func noOtherPageShowsIt() throws {
            let rig = try closedRig()
            let stream = rig.server.stream(named: "cam")
            stream.show(try rig.jpeg(1))
            let field = basic("viewer:\(token)")
            func policy(_ path: String, _ fields: [String], of rig: Rig) throws -> String? {
                let client = try rig.connect()
                client.request(path, fields)
                let head = try client.head()
                #expect([200, 101, 401].contains(head.status), "\(path)")
                return head["cross-origin-resource-policy"]
            }
            let open = try Rig()
            let other = open.server.stream(named: "cam")
            other.show(try rig.jpeg(1))
            for path in ["/", "/api/streams", "/streams/cam.jpg", "/streams/cam.jpg?scale=1/2", "/streams/cam.mjpg"] {
                #expect(try policy(path, [field], of: rig) == "same-origin", "\(path)")
                #expect(try policy(path, [], of: rig) == "same-origin", "\(path)")
                #expect(try policy(path, [], of: open) == nil, "\(path)")
                let cross = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", field]
                #expect(try rig.ask(path, cross).status == 403)
                if !path.hasSuffix("mjpg") { #expect(try open.ask(path, cross).status == 200) }
            }
            for site in ["cross-site", "none"] {
                #expect(try rig.ask("/", ["Sec-Fetch-Site: \(site)", "Sec-Fetch-Mode: navigate", field]).status == 200)
            }
            #expect(try rig.ask("/", ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors", field]).status == 200)
            withExtendedLifetime((stream, other)) {}
        }

        /// A page of any site can have a browser ask for links that are none.
        @Test func wrongLinksAreNoGuessesAndKeepNobodyOut() throws {
            let rig = try closedRig()
            let cookie = try cookie(rig.ask("/", [basic("viewer:\(token)")]))
            for guess in 0..<30 { #expect(try rig.ask("/?code=wrong-\(guess)").status == 401) }
            #expect(try rig.ask("/api/streams", [cookie]).status == 200)
            #expect(try rig.ask("/?code=wrong", [cookie]).status == 200)
            // And a right link lets in where there were too many wrong tokens.
            for guess in 0..<10 { _ = try rig.ask("/", ["Authorization: Bearer wrong-\(guess)"]) }
            #expect(try rig.ask("/", ["Authorization: Bearer \(token)"]).status == 429)
            let code = try #require(rig.server.signInLink().split(separator: "?").last)
            #expect(try rig.ask("/?\(code)")["set-cookie"] != nil)
        }

        @Test func attemptsAreCounted() throws {
            let rig = try closedRig()
            _ = try rig.ask("/", ["Authorization: Bearer wrong-0"])
            let text = try rig.ask("/metrics", ["Authorization: Bearer \(token)"]).text
            #expect(text.contains("framestreaming_sign_in_failures_total 1\n"))
            #expect(text.contains("framestreaming_sign_in_refused_total 0\n"))
            // Without a token there is nothing to count, and nothing changes.
            let open = try Rig()
            #expect(try !open.ask("/metrics").text.contains("sign_in"))
            #expect(open.server.signInLink() == open.server.address)
            #expect(try open.ask("/", ["Authorization: Bearer wrong"])["set-cookie"] == nil)
        }
    }
}
