@testable import FrameStreamingPreview
import Testing

@Suite struct RequestReaderTests {
    /// Requests that arrive in pieces.
    private func requests(_ text: String, pieces: Int = .max) throws -> [RequestHead] {
        var reader = RequestReader()
        var requests: [RequestHead] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            reader.append(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
            while let request = try reader.next() { requests.append(request) }
        }
        return requests
    }

    private func status(_ bytes: [UInt8]) -> Int? {
        var reader = RequestReader()
        reader.append(bytes)
        do throws(RequestRefusal) {
            while try reader.next() != nil {}
            return nil
        } catch {
            return error.status.code
        }
    }

    private func status(_ text: String) -> Int? { status(Array(text.utf8)) }

    @Test(arguments: [1, 2, 3, 7, 1000]) func inAnyPieces(pieces: Int) throws {
        let text =
            "\r\nGET /a?b=c&scale=1%2F2 HTTP/1.1\r\nHost: localhost\r\nX-Y:  a b\t\r\n\r\n"
            + "HEAD / HTTP/1.0\nConnection: keep-alive\n\n"
            + "GET / HTTP/1.1\r\nhost:[::1]:80\r\nConnection: x, Close\r\n\r\n"
        let found = try requests(text, pieces: pieces)
        #expect(found.map(\.path) == ["/a", "/", "/"] && found.map(\.method) == [.get, .head, .get])
        #expect(found.map(\.host) == ["localhost", nil, "[::1]:80"])
        #expect(
            found.map(\.isVersion11) == [true, false, true] && found.map(\.keepsConnection) == [true, false, false])
        #expect(
            found[0].values("x-y") == ["a b"] && found[0].parameter("scale") == "1/2" && found[0].parameter("b") == "c")
        #expect(found[0].parameter("a") == nil && found[1].query == nil)
    }

    @Test(arguments: [
        ("GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n", "/"),
        ("GET HTTP://LOCALHOST/x?y HTTP/1.1\r\nHost: localhost\r\n\r\n", "/x"),
        ("GET http://localhost?y HTTP/1.0\r\n\r\n", "/"),
        ("GET http://localhost:80/x HTTP/1.1\r\nHost: localhost\r\n\r\n", "/x"),
        ("GET http://localhost/x HTTP/1.1\r\nHost: LocalHost:80\r\n\r\n", "/x"),
        ("GET http://localhost:/x HTTP/1.1\r\nHost: localhost\r\n\r\n", "/x"),
    ]) func absoluteTargets(text: String, path: String) throws {
        let found = try requests(text)
        let host = try #require(found.first?.host)
        #expect(found.map(\.path) == [path] && SameOriginCheck.name(of: host)?.lowercased() == "localhost")
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400), ("GET  / HTTP/1.1\r\n\r\n", 400), ("GET /\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505), ("GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
        ("GET / XXXX\r\nHost: a\r\n\r\n", 400), ("GET / \r\nHost: a\r\n\r\n", 400), ("G\u{1}T / HTTP/1.1\r\n\r\n", 400),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("get / HTTP/1.1\r\nHost: a\r\n\r\n", 501), ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nHost: a\r\n\r\n", 405), ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n: a\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{0}b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
        ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
        ("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n", 400),
    ]) func whatIsRefused(text: String, code: Int) {
        #expect(status(text) == code)
    }

    /// The response to a HEAD has no body, even where the request is refused.
    @Test(arguments: [
        ("HEAD / HTTP/1.1\r\n\r\n", 400, true), ("\r\n\r\nHEAD / HTTP/9.9\r\n", 505, true),
        ("HEAD / HTTP/1.1\r\nHost: a\r\n b\r\n", 400, true), ("GET / HTTP/1.1\r\n\r\n", 400, false),
        ("HEADS / HTTP/1.1\r\nHost: a\r\n\r\n", 501, false), ("\nGET / HTTP/1.1\r\nHEAD / HTTP/1.1\r\n", 400, false),
    ]) func aRefusedRequestKeepsItsMethod(text: String, code: Int, isHead: Bool) {
        var reader = RequestReader()
        reader.append(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n\(text)".utf8))
        do throws(RequestRefusal) {
            #expect(try reader.next() != nil)
            _ = try reader.next()
            Issue.record("it was accepted")
        } catch {
            #expect(error.status.code == code && reader.isHead == isHead)
        }
    }

    @Test func anEmptyBodyIsAccepted() throws {
        #expect(try requests("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 000\r\n\r\n").count == 1)
    }

    @Test func lengthsAndNumbersAreBounded() throws {
        let long = String(repeating: "a", count: RequestLimits.requestLine)
        func line(_ count: Int) -> String { "GET /\(long.prefix(count - 14)) HTTP/1.1\r\nHost: a\r\n\r\n" }
        // The CR of a line counts, because it may be a character until LF has arrived.
        #expect(try requests(line(RequestLimits.requestLine - 1)).count == 1)
        #expect(status(line(RequestLimits.requestLine + 1)) == 414)
        func field(_ count: Int) -> String { "GET / HTTP/1.1\r\nHost: a\r\nX: \(long.prefix(count - 3))\r\n\r\n" }
        #expect(try requests(field(RequestLimits.field - 1)).count == 1)
        #expect(status(field(RequestLimits.field + 1)) == 431)
        func fields(_ count: Int) -> String {
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: count - 1) + "\r\n"
        }
        #expect(try requests(fields(RequestLimits.fieldCount)).count == 1)
        #expect(status(fields(RequestLimits.fieldCount + 1)) == 431)
        let three = String(repeating: "X: \(long.prefix(6000))\r\n", count: 3)
        #expect(status("GET / HTTP/1.1\r\nHost: a\r\n\(three)\r\n") == 431)
    }

    /// A line without an end is refused, so nothing grows with the bytes that a client sends.
    @Test func noMoreIsKeptThanTheLimits() {
        for (begin, code) in [("GET /", 414), ("GET / HTTP/1.1\r\nX: ", 431), ("", 414)] {
            var reader = RequestReader()
            reader.append(Array(begin.utf8))
            var taken = 0
            var found: Int?
            while found == nil, taken < 10_000_000 {
                reader.append([UInt8](repeating: 0x61, count: 16_384))
                taken += 16_384
                do throws(RequestRefusal) { _ = try reader.next() } catch { found = error.status.code }
            }
            #expect(found == code && taken == 16_384)
        }
    }

    @Test func garbageIsRefusedOrIncomplete() {
        var random = SystemRandomNumberGenerator()
        let whole = Array("GET /streams/a.jpg?scale=1/2 HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\n".utf8)
        for _ in 0..<5000 {
            var damaged = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: 0..<whole.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let found = status(damaged)
            #expect(found == nil || [400, 405, 413, 414, 431, 501, 505].contains(found))
        }
        #expect(status([UInt8](repeating: 0, count: 1000)) == nil && status([0x16, 3, 1, 2, 0, 10]) == 400)
        #expect(status([UInt8](repeating: 10, count: 100)) == 400)
    }

    @Test(arguments: [
        ("localhost", true), ("LOCALHOST:1", true), ("a.localhost", true), ("127.0.0.1", true), ("127.9.9.9:80", true),
        ("[::1]", true), ("[::1]:80", true), ("[::1].evil.example", false), ("[::1]evil", false), ("[::1]:80x", false),
        ("[::1]:80:evil.example", false), ("[::1]@evil.example", false), ("[::]", false), ("[::ffff:127.0.0.1]", false),
        ("localhost:evil.example", false), ("localhost:80;x", false), ("localhost@evil.example", false),
        (".localhost", false),
        ("localhost.", true), ("LOCALHOST.:80", true), ("a.localhost.", true), ("localhost..", false),
        (".localhost.", false), ("localhost.:evil.example", false), ("evil-localhost.", false), (".", false),
        ("localhost.evil.example", false), ("127.0.0.1.evil.example", false), ("127.1", false),
        ("127.0.0.256", false), ("127.0.0.+1", false), ("127.0.0.01", false), ("2130706433", false), ("0.0.0.0", false),
        ("", false), (":80", false), ("evil.example#localhost", false), ("evil.example/.localhost", false),
        ("evil.example\\.localhost", false), ("evil example.localhost", false), ("\u{2025}localhost", false),
    ]) func hostsThatCanOnlyMeanThisMachine(host: String, isLoopback: Bool) {
        #expect(SameOriginCheck.isLoopback(host) == isLoopback)
    }
}
