import Foundation
import FrameStreamingCore
import FrameStreamingPreview
import FrameStreamingSystem
import FrameStreamingTLS
import Testing

extension PreviewTests {
    /// A preview over HTTPS, by a certificate of its own that the clients know.
    @Suite struct EncryptionTests {
        private let server: TLSSecurity
        private let clients: TLSSecurity

        init() throws {
            let path = FileManager.default.temporaryDirectory.appending(path: "preview-\(UUID()).pem").path
            defer { try? FileManager.default.removeItem(atPath: path) }
            server = try TLSSecurity(selfMadeFor: [], keptIn: path)
            clients = try TLSSecurity(certificates: TLSCertificates(authorities: path))
        }

        private func rig(_ change: (inout PreviewOptions) -> Void = { _ in }) throws -> Rig {
            try Rig(clients: clients) {
                $0.security = server.webSecurity
                change(&$0)
            }
        }

        @Test func everythingIsServedOverHTTPS() throws {
            let rig = try rig()
            #expect(rig.server.address == "https://127.0.0.1:\(rig.port)/")
            let stream = rig.server.stream(named: "cam")
            #expect(stream.address == "https://127.0.0.1:\(rig.port)/streams/cam.mjpg")
            let jpeg = try rig.jpeg(7)
            stream.show(jpeg)
            #expect(try rig.ask("/").text.contains("<html"))
            #expect(try rig.ask("/streams/cam.jpg").body == jpeg.contents)
            #expect(try rig.ask("/", method: "HEAD").status == 200)
            let client = try rig.connect()
            for _ in 0..<3 {
                client.request("/api/streams")
                #expect(try client.answer().text.contains("\"cam\""))
            }
            withExtendedLifetime(stream) {}
        }

        /// Pictures of many records, to a client that reads slowly and to one that does not.
        @Test func largePicturesArriveWhole() throws {
            let rig = try rig()
            let stream = rig.server.stream(named: "cam")
            let picture = try rig.bulk(1, byteCount: 5_000_000)
            stream.show(picture)
            for size in [65_536, nil] as [CInt?] {
                let reader = try rig.reader("/streams/cam.mjpg", receiveBuffer: size)
                try #require(try reader.line() == "--\(Rig.boundary)")
                #expect(try reader.part(boundary: Rig.boundary).bytes == picture.contents)
                let client = try rig.connect(receiveBuffer: size)
                client.request("/streams/cam.jpg")
                #expect(try client.answer().body == picture.contents)
            }
            withExtendedLifetime(stream) {}
        }

        @Test func aPageIsSentPicturesAndAcknowledges() throws {
            let rig = try rig()
            let stream = rig.server.stream(named: "cam")
            // What comes with the request is not lost.
            let client = try rig.connect()
            client.request("/api/live", Client.upgrade + ["Origin: https://127.0.0.1"])
            client.watch("cam")
            try #require(client.head().status == 101)
            for number in 1...20 {
                let jpeg = try rig.jpeg(UInt64(number))
                stream.show(jpeg)
                let picture = try client.pictureOrEnd().picture()
                #expect(picture.jpeg == jpeg.contents)
                try client.acknowledge(picture.header)
            }
            rig.server.close()
            #expect(try client.pictureOrEnd().closeCode == 1001)
            withExtendedLifetime(stream) {}
        }

        /// Over HTTPS a page that was not encrypted is another site.
        @Test func anOriginWithoutEncryptionIsForeign() throws {
            let rig = try rig()
            #expect(try rig.ask("/api/live", Client.upgrade + ["Origin: http://127.0.0.1"]).status == 403)
            #expect(try rig.ask("/", ["Origin: https://127.0.0.1"]).status == 200)
        }

        @Test func theCookieIsForHTTPSAndThisHostOnly() throws {
            let token = PreviewToken.generate()
            let rig = try rig { $0.token = token }
            let link = rig.server.signInLink()
            try #require(link.hasPrefix("https://127.0.0.1:\(rig.port)/?code="))
            let field = try #require(try rig.ask("/?\(link.split(separator: "?")[1])")["set-cookie"])
            #expect(field.hasPrefix("__Host-frame-preview-\(rig.port)=") && field.hasSuffix("; Secure"))
            #expect(field.contains("; Path=/;") && !field.contains("Domain"))
            let page = try rig.page(["Cookie: \(field.prefix { $0 != ";" })"])
            withExtendedLifetime(page) {}
            #expect(try rig.ask("/").status == 401)
        }

        /// More requests than one read takes: what the encryption has already is not waited for.
        @Test func requestsThatCameTogetherAreAllAnswered() throws {
            let rig = try rig()
            let client = try rig.connect()
            let one = "GET /api/streams HTTP/1.1\r\nHost: localhost\r\n"
            client.send(String(repeating: "\(one)\r\n", count: 1000) + "\(one)Connection: close\r\n\r\n")
            for _ in 0...1000 { #expect(try client.answer().status == 200) }
            #expect(try client.rest().isEmpty)
        }

        @Test func plainHTTPIsToldWhereToGo() throws {
            let token = PreviewToken.generate()
            let rig = try rig { $0.token = token }
            for method in ["GET", "HEAD"] {
                let client = try Client(port: rig.port)
                client.request("/?\(rig.server.signInLink().split(separator: "?")[1])", method: method)
                let answer = try client.answer(hasBody: method == "GET")
                #expect(answer.status == 400 && answer["connection"] == "close" && answer["set-cookie"] == nil)
                if method == "GET" { #expect(answer.text.contains("open https://127.0.0.1:\(rig.port)/")) }
                #expect(try client.rest().isEmpty)
            }
            #expect(try Client(port: rig.port).answered("\0\u{1}rubbish\r\n\r\n")?.status == 400)
        }

        /// A client hello that ends in the middle, that is none, or of which only a byte comes.
        @Test(
            arguments: [
                [22, 3, 1, 0, 5, 1, 0, 0, 1, 0], [22, 3, 1, 255, 255], [22, 0, 0, 0, 0, 0, 0],
                [22] + [UInt8](repeating: 65, count: 3000),
            ] as [[UInt8]]) func aBrokenHandshakeEndsAlone(bytes: [UInt8]) throws
        {
            let rig = try rig()
            let client = try Client(port: rig.port)
            client.send(bytes)
            client.endWriting()
            let answer = try client.rest()
            // An alert or nothing, and never a byte of HTTP.
            #expect(answer.isEmpty || answer[0] == 21)
            #expect(try rig.ask("/api/streams").status == 200)
        }

        @Test func silentHandshakesKeepNoClientOut() throws {
            let rig = try rig()
            let silent = try (0..<150).map { _ in
                let client = try Client(port: rig.port)
                client.send([22, 3, 1])
                return client
            }
            #expect(try rig.ask("/api/streams").status == 200)
            // The connections that waited longest were ended.
            #expect(try silent[0].rest().isEmpty && silent[1].rest().isEmpty)
        }

        /// Both a token and encryption, or the caller's word that neither is needed.
        @Test func othersNeedATokenAndEncryption() throws {
            func code(_ change: (inout PreviewOptions) -> Void) -> FrameStreamingError.Code? {
                var options = PreviewOptions()
                change(&options)
                do {
                    let rig = try Rig()
                    let open = try PreviewServer(on: "0.0.0.0:0", codec: rig.codec, options: options)
                    open.close()
                    return nil
                } catch { return (error as? FrameStreamingError)?.code }
            }
            #expect(code { $0.token = .generate() } == .notPermitted)
            #expect(code { $0.security = server.webSecurity } == .notPermitted)
            #expect(code { $0.insecure = true } == nil)
            #expect(
                code {
                    $0.token = .generate()
                    $0.security = server.webSecurity
                } == nil)
        }

        @Test func aKeyIsNoCertificate() throws {
            let keys = try TLSSecurity(keys: [PreSharedKey.generate(identity: "camera")])
            for security in [keys, clients] {
                let error = #expect(throws: FrameStreamingError.self) {
                    try Rig { $0.security = security.webSecurity }
                }
                #expect(error?.code == .invalidArgument)
            }
        }
    }
}

extension Client {
    /// The answer to these bytes; nil if none came.
    fileprivate func answered(_ text: String) throws -> Head? {
        send(text)
        return try? head()
    }
}
