import FrameStreamingCore
import FrameStreamingSystem
import Glibc
import RawSockets
import Testing

@testable import FrameStreamingPreview

/// One connection with a clock of its own, without a server and without waiting.
@Suite struct HTTPConnectionTests {
    private let client: RawPeer
    private let connection: HTTPConnection
    private let begin = MonotonicTime(nanoseconds: 1_000_000_000_000)

    init() throws {
        let pair = try socketPair()
        // The test's end waits, up to a bound.
        client = RawPeer(socket: pair.1)
        let descriptor = Descriptor(pair.0)
        try descriptor.setNonBlocking()
        connection = HTTPConnection(descriptor, number: 1, from: PeerHost(four: 1), at: begin) { _ in
            .response(.sentence(.ok, "yes"))
        }
    }

    private func feed(_ text: String, after seconds: Int) {
        client.send(text)
        var buffer = [UInt8](repeating: 0, count: 4096)
        _ = connection.read(into: &buffer, at: begin.advanced(by: .seconds(seconds)))
    }

    private func check(after seconds: Double) {
        connection.checkDeadline(at: begin.advanced(by: .seconds(seconds)))
    }

    private func told() -> String { String(decoding: client.receiveOnce(4096), as: UTF8.self) }

    @Test func aRequestHasAllItsTimeAndNoMore() {
        feed("GET / HT", after: 1)
        // It continues, a byte at a time, which is too slow.
        for second in 2...10 {
            feed("T", after: second)
            check(after: Double(second))
            #expect(connection.phase == .reading(hasBegun: true))
        }
        check(after: 10.999)
        #expect(connection.phase == .reading(hasBegun: true))
        check(after: 11)
        #expect(told().hasPrefix("HTTP/1.1 408 ") && connection.phase == .leaving)
        check(after: 12)
        #expect(connection.phase == .over)
    }

    @Test func aSilentClientGetsNoAnswer() {
        check(after: 9.999)
        #expect(connection.phase == .reading(hasBegun: false))
        check(after: 10)
        #expect(connection.phase == .over)
    }

    @Test func betweenRequestsThereIsMoreTime() {
        feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n", after: 1)
        #expect(told().hasPrefix("HTTP/1.1 200 ") && connection.phase == .reading(hasBegun: false))
        check(after: 30.999)
        #expect(connection.phase == .reading(hasBegun: false))
        check(after: 31)
        #expect(connection.phase == .over)
    }

    @Test func aRequestBehindAnotherIsTakenWithoutMoreBytes() {
        feed("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET", after: 1)
        #expect(told().hasPrefix("HTTP/1.1 200 ") && connection.isReady)
        _ = connection.takeRequest(at: begin.advanced(by: .seconds(1)))
        #expect(told().hasPrefix("HTTP/1.1 200 ") && connection.isReady)
        _ = connection.takeRequest(at: begin.advanced(by: .seconds(1)))
        #expect(!connection.isReady && connection.phase == .reading(hasBegun: true))
        check(after: 11)
        #expect(told().hasPrefix("HTTP/1.1 408 "))
    }

    /// However many requests come, no more of them is read while a whole one waits.
    @Test func nothingIsReadBehindAWholeRequest() {
        var rest = [UInt8](String(repeating: "GET / HTTP/1.1\nHost:a\n\n", count: 6000).utf8)[...]
        var buffer = [UInt8](repeating: 0, count: 4096)
        for _ in 0..<30 {
            client.send(rest.prefix(buffer.count))
            rest = rest.dropFirst(buffer.count)
            if connection.wantsToRead { _ = connection.read(into: &buffer, at: begin) }
            if connection.isReady { _ = connection.takeRequest(at: begin) }
            #expect(told().hasPrefix("HTTP/1.1 200 "))
            #expect(connection.isReady && !connection.wantsToRead && connection.bufferedBytes < buffer.count)
        }
    }

    @Test func aClientThatDoesNotReadIsDisconnected() throws {
        var buffer = FramePool(capacity: 1).buffer(byteCount: 10_000_000)
        _ = unsafe buffer.withUnsafeMutableBytes { unsafe $0.initializeMemory(as: UInt8.self, repeating: 7) }
        let frame = try buffer.makeFrame(format: FrameFormat(width: 8, height: 8, pixelFormat: .jpeg))
        connection.send(HTTPResponse(.ok, type: "image/jpeg", .picture(frame)), at: begin)
        #expect(connection.phase == .answering(ends: true) && connection.pictureBytes == 10_000_000)
        // A second for each 100,000 bytes, plus the 30.
        check(after: 129.9)
        #expect(connection.phase == .answering(ends: true))
        check(after: 130.1)
        #expect(connection.phase == .over)
    }

    @Test func theClientGoes() {
        client.shutdownWriting()
        var buffer = [UInt8](repeating: 0, count: 16)
        _ = connection.read(into: &buffer, at: begin)
        #expect(connection.phase == .over)
    }
}
