@testable import FrameStreamingPreview
import Testing

@Suite struct WebSocketInputTests {
    private func frame(
        _ first: UInt8, _ payload: [UInt8], length: [UInt8]? = nil, mask: [UInt8]? = [9, 8, 7, 6]
    ) -> [UInt8] {
        let masked = mask.map { mask in payload.enumerated().map { $1 ^ mask[$0 % 4] } } ?? payload
        var head = length ?? [UInt8(payload.count)]
        if mask != nil { head[0] |= 0x80 }
        return [first] + head + (mask ?? []) + masked
    }

    private func events(_ bytes: [UInt8], pieces: Int = .max) throws -> [WebSocketInput.Event] {
        var input = WebSocketInput()
        var events: [WebSocketInput.Event] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            input.append(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
            while let event = try input.next() { events.append(event) }
        }
        return events
    }

    @Test(arguments: [1, 2, 3, 7, 1000]) func inAnyPieces(pieces: Int) throws {
        let long = [UInt8](repeating: 5, count: 300)
        let bytes =
            frame(0x81, [1, 2, 3]) + frame(0x89, [4]) + frame(0x81, long, length: [126, 1, 44]) + frame(0x8A, [])
            + frame(0x81, long, length: [127, 0, 0, 0, 0, 0, 0, 1, 44]) + frame(0x88, [3, 232])
        #expect(
            try events(bytes, pieces: pieces)
                == [.text([1, 2, 3]), .ping([4]), .text(long), .text(long), .closed])
    }

    @Test func fragmentsAreJoinedAndControlFramesComeBetween() throws {
        let bytes = frame(0x01, [1]) + frame(0x89, []) + frame(0x00, [2]) + frame(0x80, [3]) + frame(0x81, [4])
        #expect(try events(bytes) == [.ping([]), .text([1, 2, 3]), .text([4])])
        #expect(try events(frame(0x02, [1]) + frame(0x80, [2]) + frame(0x82, [])) == [.binary([1, 2]), .binary([])])
    }

    /// A peer that is always a byte ahead leaves something of the next frame each time.
    @Test func whatWasUsedIsNotKept() throws {
        var input = WebSocketInput()
        let pong = frame(0x8A, [UInt8](repeating: 7, count: 125))
        input.append(pong.prefix(1))
        for _ in 0..<5000 {
            input.append(pong.dropFirst() + pong.prefix(1))
            #expect(try input.next() == nil)
        }
        #expect(input.keptBytes < 4096)
    }

    /// Joined in place, they move as seldom as an array grows, and not with each fragment.
    @Test func fragmentsAreNotCopiedForEachOther() throws {
        var input = WebSocketInput()
        input.append(frame(0x01, []))
        var (place, moves) = (0, 0)
        for _ in 0..<5000 {
            input.append(frame(0x00, [1]))
            #expect(try input.next() == nil)
            // The address is only compared.
            let next = unsafe input.fragments?.bytes.withUnsafeBytes { Int(bitPattern: $0.baseAddress) } ?? 0
            if next != place { moves += 1 }
            place = next
        }
        #expect(input.fragments?.bytes.count == 5000 && moves < 30)
    }

    @Test func violationsAreRefused() throws {
        let cases: [([UInt8], UInt16)] = [
            (frame(0x81, [1], mask: nil), 1002),  // not masked
            (frame(0xC1, [1]), 1002),  // an extension's bit
            (frame(0x80, [1]), 1002),  // goes on with nothing
            (frame(0x01, [1]) + frame(0x81, [2]), 1002),  // another message within one
            (frame(0x83, [1]), 1002),  // reserved
            (frame(0x09, [1]), 1002),  // a control frame in fragments
            (frame(0x89, [], length: [126, 0, 200]), 1002),  // a long one
            (frame(0x81, [], length: [127, 0, 0, 0, 0, 0, 1, 0, 1]), 1009),  // too long by its length alone
            (frame(0x81, [], length: [127, 255, 255, 255, 255, 255, 255, 255, 255]), 1009),
        ]
        for (bytes, code) in cases {
            let error = #expect(throws: WebSocketInput.Violation.self) { try events(bytes) }
            #expect(error?.code == code, "\(bytes.prefix(4))")
        }
        // Fragments whose sum is too long, while each alone is not.
        let piece = [UInt8](repeating: 1, count: 40_000)
        let error = #expect(throws: WebSocketInput.Violation.self) {
            try events(frame(0x01, piece, length: [126, 0x9C, 0x40]) + frame(0x80, piece, length: [126, 0x9C, 0x40]))
        }
        #expect(error?.code == 1009)
    }

    @Test func sentMessagesHaveTheirLength() {
        #expect(WebSocketOutput.text("ab".utf8) == [0x81, 2, 0x61, 0x62])
        #expect(WebSocketOutput.text([UInt8](repeating: 0x61, count: 126)).prefix(4) == [0x81, 126, 0, 126])
        #expect(
            WebSocketOutput.text([UInt8](repeating: 0x61, count: 65_536)).prefix(10) == [
                0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0,
            ])
        #expect(WebSocketOutput.close(1013, "no") == [0x88, 4, 0x03, 0xF5, 0x6E, 0x6F])
        #expect(WebSocketOutput.close(1008, String(repeating: "é", count: 200))[1] <= 125)
        #expect(
            WebSocketOutput.pictureHead([0x7B, 0x7D], imageBytes: 70_000).prefix(10) == [
                0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x76,
            ])
        #expect(
            WebSocketOutput.pictureHead([0x7B, 0x7D], imageBytes: 70_000).dropFirst(10) == [0, 0, 0, 2, 0x7B, 0x7D])
    }
}
