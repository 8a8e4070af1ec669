/// The frames that a server sends over a WebSocket (RFC 6455): whole messages, not masked.
enum WebSocketOutput {
    /// Returns the header of a message of `byteCount` bytes.
    private static func header(_ opcode: UInt8, _ byteCount: Int) -> [UInt8] {
        switch byteCount {
        case ...125: return [0x80 | opcode, UInt8(byteCount)]
        case ...0xFFFF: return [0x80 | opcode, 126, UInt8(byteCount >> 8), UInt8(byteCount & 0xFF)]
        default:
            return [0x80 | opcode, 127] + (0..<8).map { UInt8(truncatingIfNeeded: byteCount >> (8 * (7 - $0))) }
        }
    }

    static func text(_ text: some Collection<UInt8>) -> [UInt8] { header(0x1, text.count) + text }

    static func pong(_ payload: [UInt8]) -> [UInt8] { header(0xA, payload.count) + payload }

    /// Returns a CLOSE frame with a code and a reason, which is cut to the size of a control frame.
    static func close(_ code: UInt16, _ reason: String) -> [UInt8] {
        var words = reason
        while words.utf8.count > 123 { words.removeLast() }
        return header(0x8, 2 + words.utf8.count) + [UInt8(code >> 8), UInt8(code & 0xFF)] + words.utf8
    }

    /// Returns the part of a frame's message before its image: the WebSocket header, the length of
    /// `description`, and `description`.
    static func pictureHead(_ description: [UInt8], imageBytes: Int) -> [UInt8] {
        let count = description.count
        var head = header(0x2, 4 + count + imageBytes)
        head.reserveCapacity(head.count + 4 + count)
        for shift in [24, 16, 8, 0] { head.append(UInt8(truncatingIfNeeded: count >> shift)) }
        head += description
        return head
    }
}
