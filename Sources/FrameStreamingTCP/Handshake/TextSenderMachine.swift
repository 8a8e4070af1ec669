internal import FrameStreamingCore

/// The text handshake's bytes as its sender sees them: two `ok` a frame, and nothing else. No I/O.
struct TextSenderMachine {
    enum Event: Hashable {
        /// The first `ok`: the payload may go.
        case permitted
        /// The second `ok`: the frame was consumed.
        case consumed
    }

    enum Step: Hashable { case idle, awaitsPermission, awaitsReceipt }

    static let receipt = Array("ok".utf8)
    static let goodbye = Array("over".utf8)

    private(set) var step = Step.idle
    private var hasHalf = false

    /// The header, which goes out in one send with nothing behind it: the tutorial's server takes all of its first recv for it.
    mutating func announce(imageBytes: Int) -> [UInt8] {
        precondition(step == .idle, "a frame is announced when the one before was consumed")
        step = .awaitsPermission
        return Array("\(imageBytes), ".utf8)
    }

    /// Whether half an `ok` has come.
    var isInMessage: Bool { hasHalf }

    /// Takes bytes from `input` until an `ok` is complete; nil when more are needed.
    mutating func take(from input: inout InputBuffer) throws(FrameStreamingError) -> Event? {
        while let byte = input.popFirst() {
            guard byte == Self.receipt[hasHalf ? 1 : 0] else {
                throw .textViolation("the byte \(byte) where an `ok` was due")
            }
            hasHalf.toggle()
            if hasHalf { continue }
            switch step {
            case .idle: throw .textViolation("an `ok` that nobody asked for")
            case .awaitsPermission:
                step = .awaitsReceipt
                return .permitted
            case .awaitsReceipt:
                step = .idle
                return .consumed
            }
        }
        return nil
    }
}
