/// Parses what a browser sends over a WebSocket (RFC 6455) from bytes in any pieces, without a
/// socket and without waiting.
///
/// A message's length, of up to 2^63, is checked before any of its bytes are kept.
struct WebSocketInput {
    enum Event: Hashable {
        case text([UInt8])
        case binary([UInt8])
        case ping([UInt8])
        case closed
    }

    /// Why the connection must end: the code and the reason of the CLOSE frame.
    struct Violation: Error, Hashable {
        let code: UInt16
        let reason: String
    }

    /// Many times as much as a list of watched streams or an acknowledgement needs.
    static let largestMessage = 64 << 10

    private var bytes: [UInt8] = []
    private var position = 0
    /// The message whose fragments are arriving.
    private(set) var fragments: (isText: Bool, bytes: [UInt8])?

    /// The memory that is kept.
    var keptBytes: Int { bytes.capacity + (fragments?.bytes.capacity ?? 0) }

    mutating func append(_ more: some Sequence<UInt8>) {
        // Where more than half was used, less is moved than was used, however a peer cuts its frames.
        if position > bytes.count / 2 {
            bytes.removeFirst(position)
            position = 0
        }
        bytes.append(contentsOf: more)
    }

    /// Returns the next event; nil while it is incomplete.
    mutating func next() throws(Violation) -> Event? {
        while let frame = try frame() {
            if let event = try event(of: frame) { return event }
        }
        return nil
    }

    private struct Frame {
        let isLast: Bool
        let opcode: UInt8
        let payload: [UInt8]
    }

    private mutating func event(of frame: Frame) throws(Violation) -> Event? {
        let begun = fragments?.bytes.count
        switch (frame.opcode, begun) {
        case (0x0, let begun?):
            guard begun + frame.payload.count <= Self.largestMessage else { throw .tooLarge }
            // In place: a peer decides how many fragments there are.
            fragments?.bytes.append(contentsOf: frame.payload)
        case (0x1, nil): fragments = (true, frame.payload)
        case (0x2, nil): fragments = (false, frame.payload)
        case (0x8, _): return .closed
        case (0x9, _): return .ping(frame.payload)
        case (0xA, _): return nil
        default: throw Violation(code: 1002, reason: "an unexpected opcode")
        }
        guard frame.isLast, let whole = fragments.take() else { return nil }
        return whole.isText ? .text(whole.bytes) : .binary(whole.bytes)
    }

    private mutating func frame() throws(Violation) -> Frame? {
        let left = bytes.count - position
        guard left >= 2 else { return nil }
        let (first, second) = (bytes[position], bytes[position + 1])
        guard first & 0x70 == 0 else { throw Violation(code: 1002, reason: "an extension that was not agreed on") }
        guard second & 0x80 != 0 else { throw Violation(code: 1002, reason: "a client must mask its frames") }
        let isControl = first & 0x08 != 0
        var length = Int(second & 0x7F)
        var header = 2
        if length >= 126 {
            guard !isControl else { throw Violation(code: 1002, reason: "a control frame of more than 125 bytes") }
            let digits = length == 126 ? 2 : 8
            guard left >= header + digits else { return nil }
            var long: UInt64 = 0
            for byte in bytes[position + 2..<position + 2 + digits] { long = long << 8 | UInt64(byte) }
            guard long <= Self.largestMessage else { throw .tooLarge }
            length = Int(long)
            header += digits
        }
        guard !isControl || first & 0x80 != 0 else {
            throw Violation(code: 1002, reason: "a control frame in fragments")
        }
        guard left >= header + 4 + length else { return nil }
        let mask = Array(bytes[position + header..<position + header + 4])
        var payload = Array(bytes[position + header + 4..<position + header + 4 + length])
        for index in payload.indices { payload[index] ^= mask[index & 3] }
        position += header + 4 + length
        return Frame(isLast: first & 0x80 != 0, opcode: first & 0x0F, payload: payload)
    }
}

extension WebSocketInput.Violation {
    fileprivate static var tooLarge: Self {
        Self(code: 1009, reason: "a message is at most \(WebSocketInput.largestMessage) bytes")
    }
}
