internal import FrameStreamingCore

/// Parses what a receiver reads with the text handshake: `<decimal length>, ` and that many bytes
/// for each frame, and `over` at the end.
///
/// It has no I/O, and no length is used before it was checked.
struct TextHeaderParser {
    enum Event: Hashable {
        /// A header is complete. After the first `ok`, the caller takes the next `imageBytes` bytes
        /// of the input.
        case header(imageBytes: Int)
        case over
    }

    private enum Step { case start, digits, blank, over }

    /// Ten digits hold any length that `maximumFrameByteCount` allows.
    private static let mostDigits = 10
    private static let goodbye = Array("over".utf8)

    private let maximumFrameByteCount: Int
    /// Whether the peer came to this side's port.
    private let listens: Bool
    private var step = Step.start
    private var length = 0
    /// The number of bytes of the header, or of `over`, that were taken.
    private var count = 0
    /// Whether nothing was taken so far.
    private var isAtStart = true

    /// - Parameter listens: Whether the peer came to this side's port; false = this side connected
    ///   to it.
    init(maximumFrameByteCount: Int, listens: Bool) {
        self.maximumFrameByteCount = maximumFrameByteCount
        self.listens = listens
    }

    /// Whether part of a header, or of `over`, was taken.
    var isInMessage: Bool { step != .start }

    /// Takes bytes from `input` until a header or `over` is complete; nil if more are needed.
    mutating func take(from input: inout InputBuffer) throws(FrameStreamingError) -> Event? {
        while let byte = input.popFirst() {
            switch step {
            case .start:
                if isAtStart { try checkIsOurs(byte, input) }
                isAtStart = false
                length = 0
                count = 1
                if byte == UInt8(ascii: "o") {
                    step = .over
                } else {
                    step = .digits
                    try addDigit(byte)
                }
            case .digits where byte == UInt8(ascii: ","): step = .blank
            case .digits:
                count += 1
                try addDigit(byte)
            case .blank:
                guard byte == UInt8(ascii: " ") else { throw .textViolation("no blank after the comma") }
                step = .start
                return .header(imageBytes: length)
            case .over:
                guard byte == Self.goodbye[count] else { throw .textViolation("neither a length nor `over`") }
                count += 1
                if count == Self.goodbye.count {
                    step = .start
                    return .over
                }
            }
        }
        return nil
    }

    /// Names the protocol of a peer that speaks another one.
    private func checkIsOurs(_ byte: UInt8, _ rest: InputBuffer) throws(FrameStreamingError) {
        let bytes = [byte] + rest.bytes(0..<min(rest.count, ForeignProtocol.longest))
        guard case .found(let foreign) = ForeignProtocol.find(in: bytes, isAll: true) else { return }
        throw foreign.error(isSender: false, listens: listens, at: nil)
    }

    private mutating func addDigit(_ byte: UInt8) throws(FrameStreamingError) {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else {
            throw .textViolation(
                byte == UInt8(ascii: "-") ? "a negative length" : "the byte \(byte) instead of a digit")
        }
        if count == 1 && byte == UInt8(ascii: "0") { throw .textViolation("a length that begins with 0") }
        length = length * 10 + Int(byte - UInt8(ascii: "0"))
        guard length <= maximumFrameByteCount, count <= Self.mostDigits else {
            throw FrameStreamingError(
                .limitExceeded,
                "the peer announced an image of \(length) bytes or more, and the limit is \(maximumFrameByteCount): \(FrameStreamingError.raiseLimit)",
                limit: .frameBytes)
        }
    }
}
