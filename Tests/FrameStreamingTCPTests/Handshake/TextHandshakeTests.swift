import FrameStreamingCore
import Testing

@testable import FrameStreamingTCP

@Suite struct TextHeaderParserTests {
    /// Feeds the pieces; image bytes are taken out as a connection does.
    private func parse(_ pieces: [[UInt8]], limit: Int = 1000) throws -> [TextHeaderParser.Event] {
        var parser = TextHeaderParser(maximumFrameByteCount: limit, listens: true)
        var events: [TextHeaderParser.Event] = []
        var imageLeft = 0
        for piece in pieces {
            var input = InputBuffer(piece)
            while true {
                imageLeft -= input.drop(upTo: imageLeft)
                if imageLeft > 0 { break }
                guard let event = try parser.take(from: &input) else { break }
                events.append(event)
                if case .header(let imageBytes) = event { imageLeft = imageBytes }
            }
        }
        return events
    }

    @Test func cutsAtEveryPositionMakeNoDifference() throws {
        let bytes =
            Array("7, ".utf8) + [1, 2, 3, 4, 5, 6, 7] + Array("1000, ".utf8)
            + [UInt8](repeating: 0x6F, count: 1000) + Array("over".utf8)
        let expected: [TextHeaderParser.Event] = [.header(imageBytes: 7), .header(imageBytes: 1000), .over]
        for cut in 0...bytes.count {
            #expect(try parse([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected, "cut at \(cut)")
        }
        #expect(try parse(bytes.map { [$0] }) == expected)
    }

    @Test func onlyOver() throws { #expect(try parse([Array("over".utf8)]) == [.over]) }

    @Test(arguments: [
        ("1000000000000, ", FrameStreamingError.Code.limitExceeded), ("1001, ", .limitExceeded),
        (String(repeating: "9", count: 4000), .limitExceeded), ("-1, ", .protocolViolation),
        ("+1, ", .protocolViolation), ("1a, ", .protocolViolation), ("01, ", .protocolViolation),
        ("0, ", .protocolViolation), (", ", .protocolViolation), (" 1, ", .protocolViolation),
        ("1,1", .protocolViolation), ("1,,", .protocolViolation), ("ovex", .protocolViolation),
        ("ok", .protocolViolation), ("GET /", .protocolViolation), ("\0\0\0\0", .protocolViolation),
    ])
    func badHeaders(_ text: String, _ code: FrameStreamingError.Code) {
        #expect { try parse([Array(text.utf8)]) } throws: { ($0 as? FrameStreamingError)?.code == code }
        #expect { try parse(text.utf8.map { [$0] }) } throws: { ($0 as? FrameStreamingError)?.code == code }
    }
}

@Suite struct TextSenderMachineTests {
    @Test func twoReceiptsAFrameInAnyCuts() throws {
        for pieces in [["okok"], ["o", "kok"], ["ok", "ok"], ["oko", "k"], ["o", "k", "o", "k"]] {
            var machine = TextSenderMachine(listens: true)
            #expect(machine.announce(imageBytes: 12_345) == Array("12345, ".utf8))
            var events: [TextSenderMachine.Event] = []
            for piece in pieces {
                var input = InputBuffer(Array(piece.utf8))
                while let event = try machine.take(from: &input) { events.append(event) }
            }
            #expect(events == [.permitted, .consumed])
            #expect(machine.step == .idle)
        }
    }

    @Test func receiptsWithoutAFrameAreRefused() throws {
        var machine = TextSenderMachine(listens: true)
        var input = InputBuffer(Array("ok".utf8))
        #expect(throws: FrameStreamingError.self) { try machine.take(from: &input) }
    }

    @Test(arguments: ["no", "OK", "o ", "\r\n", "oo"]) func otherWordsAreRefused(_ word: String) throws {
        var machine = TextSenderMachine(listens: true)
        _ = machine.announce(imageBytes: 1)
        var input = InputBuffer(Array(word.utf8))
        #expect(throws: FrameStreamingError.self) { try machine.take(from: &input) }
    }
}

@Suite struct JPEGSizeTests {
    private func size(_ bytes: [UInt8]) -> [Int]? { unsafe jpegSize(bytes.span.bytes).map { [$0.width, $0.height] } }

    @Test(arguments: [UInt8(0xC0), 0xC1, 0xC2, 0xC3, 0xCF]) func isReadFromTheFrameHeader(_ marker: UInt8) {
        #expect(size(jpegBytes(width: 1366, height: 768, marker: marker)) == [1366, 768])
    }

    @Test func fillBytesAreSkipped() {
        var bytes = jpegBytes(width: 17, height: 13)
        bytes.insert(contentsOf: [0xFF, 0xFF], at: 2)
        #expect(size(bytes) == [17, 13])
    }

    @Test func nothingIsFoundWhereThereIsNone() {
        let good = jpegBytes(width: 17, height: 13)
        #expect(size([]) == nil && size([0xFF]) == nil && size(Array("hello".utf8)) == nil)
        #expect(size([0xFF, 0xD8, 0xFF, 0xDA, 0, 8, 0, 0, 0, 0]) == nil)
        #expect(size([0xFF, 0xD8, 0xFF, 0xE0, 0, 1, 0, 0]) == nil)
        #expect(size([0xFF, 0xD8, 0xFF, 0xE0, 0xFF, 0xFF, 0, 0]) == nil)
        #expect(size(jpegBytes(width: 0, height: 13)) == nil && size(jpegBytes(width: 17, height: 0)) == nil)
        #expect(size(jpegBytes(width: 17, height: 13, marker: 0xC4)) == nil)
        // Every shorter piece is either without a size or has the right
        // one: nothing is read behind the end.
        for count in 0..<good.count {
            let found = size(Array(good[..<count]))
            #expect(found == nil || found == [17, 13])
        }
    }
}
