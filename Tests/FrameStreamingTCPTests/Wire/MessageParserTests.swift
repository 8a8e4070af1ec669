import FrameStreamingCore
import Testing

@testable import FrameStreamingTCP

@Suite struct MessageParserTests {
    /// Feeds the pieces one by one, and takes images out as a connection does.
    private func parse(_ pieces: [[UInt8]]) throws -> [MessageParser.Event] {
        var parser = MessageParser(allowed: .everything, maximumFrameByteCount: 1000)
        var events: [MessageParser.Event] = []
        var imageLeft = 0
        for piece in pieces {
            var input = InputBuffer(piece)
            while true {
                imageLeft -= input.drop(upTo: imageLeft)
                if imageLeft > 0 { break }
                guard let event = try parser.take(from: &input) else { break }
                events.append(event)
                if case .frame(_, _, let imageBytes) = event { imageLeft = imageBytes }
            }
        }
        #expect(!parser.isInMessage && imageLeft == 0)
        return events
    }

    private func allMessages() throws -> [UInt8] {
        try goldenMessages().sorted { $0.key < $1.key }.flatMap(\.value)
    }

    @Test func cutsAtEveryPositionMakeNoDifference() throws {
        let bytes = try allMessages()
        let whole = try parse([bytes])
        // HELLO occurs twice, with and without the optional capability, FRAME with its relays, and BYE
        // with its reason.
        #expect(whole.count == WireType.allCases.count + 5)
        for cut in 0...bytes.count {
            #expect(try parse([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole, "cut at \(cut)")
        }
        #expect(try parse(bytes.map { [$0] }) == whole)
    }

    @Test func laterHeadersAndPayloadsArePassedOver() throws {
        let ping = Ping(id: 3, sendTime: 4)
        var writer = ByteWriter(capacity: 64)
        WirePrefix(type: WireType.ping.rawValue, flags: 0xFE, headerLength: 16 + 3000, payloadLength: 5).marshal(
            into: &writer)
        writer.put(ping.marshal().dropFirst(WirePrefix.length))
        writer.putZeros(3000 + 5)
        let bytes = writer.bytes + ping.marshal()
        for size in [1, 7, 100, 5000] {
            let pieces = stride(from: 0, to: bytes.count, by: size).map {
                Array(bytes[$0..<min($0 + size, bytes.count)])
            }
            #expect(try parse(pieces) == [.message(.ping(ping)), .message(.ping(ping))])
        }
    }

    @Test func aLaterFrameHeaderIsPassedOver() throws {
        var frame = try golden("FRAME")
        frame[3] += 2
        frame.insert(contentsOf: [9, 9], at: WirePrefix.length + FrameHeader.length)
        let events = try parse([frame])
        guard case .frame(_, let metadata, let imageBytes) = events.first else {
            Issue.record("no frame in \(events)")
            return
        }
        #expect(metadata == Array("hi".utf8) && imageBytes == 4)
    }

    @Test func unknownMessagesThatAreNotCriticalArePassedOver() throws {
        let unknown: [UInt8] = [0xC0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5]
        let ping = Ping(id: 3, sendTime: 4)
        #expect(try parse((unknown + ping.marshal()).map { [$0] }) == [.message(.ping(ping))])
    }

    @Test func aTypeThatMayNotComeIsToldByItsFirstByte() throws {
        var parser = MessageParser(allowed: [.hello], maximumFrameByteCount: 0)
        var input = InputBuffer([WireType.frame.rawValue])
        #expect(throws: FrameStreamingError.self) { try parser.take(from: &input) }
    }

    @Test func nothingLongIsCollectedOfAMessageThatIsNotKnown() throws {
        var parser = MessageParser(allowed: .everything, maximumFrameByteCount: 1000)
        var input = InputBuffer([0xC0, 0, 0, 0, 0, 0, 0x10, 0])
        #expect(try parser.take(from: &input) == nil)
        #expect(parser.isInMessage)
        var rest = InputBuffer([UInt8](repeating: 1, count: 4096))
        #expect(try parser.take(from: &rest) == nil)
        #expect(!parser.isInMessage)
    }
}
