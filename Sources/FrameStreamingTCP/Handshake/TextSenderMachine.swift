internal import FrameStreamingCore

/// The text handshake as its sender sees it: two `ok` for each frame, and nothing else. It has no
/// I/O.
struct TextSenderMachine {
    enum Event: Hashable {
        /// The first `ok`: the payload may be sent.
        case permitted
        /// The second `ok`: the frame was consumed.
        case consumed
    }

    enum Step: Hashable { case idle, awaitsPermission, awaitsReceipt }

    static let receipt = Array("ok".utf8)
    static let goodbye = Array("over".utf8)

    private(set) var step = Step.idle
    private var hasHalf = false
    /// Whether the peer came to this side's port.
    private let listens: Bool

    /// - Parameter listens: Whether the peer came to this side's port; false = this side connected
    ///   to it.
    init(listens: Bool) { self.listens = listens }

    /// Returns the header. It must be sent alone: the tutorial's server takes all bytes of its
    /// first recv for the header.
    mutating func announce(imageBytes: Int) -> [UInt8] {
        precondition(step == .idle, "the frame before must be consumed first")
        step = .awaitsPermission
        return Array("\(imageBytes), ".utf8)
    }

    /// Whether half an `ok` was taken.
    var isInMessage: Bool { hasHalf }

    /// Takes bytes from `input` until an `ok` is complete; nil if more are needed.
    mutating func take(from input: inout InputBuffer) throws(FrameStreamingError) -> Event? {
        while let byte = input.popFirst() {
            guard byte == Self.receipt[hasHalf ? 1 : 0] else {
                let bytes = [byte] + input.bytes(0..<min(input.count, ForeignProtocol.longest))
                if case .found(let foreign) = ForeignProtocol.find(in: bytes, isAll: true), !hasHalf {
                    throw foreign.error(isSender: true, listens: listens, at: nil)
                }
                throw .textViolation("the byte \(byte) instead of an `ok`")
            }
            hasHalf.toggle()
            if hasHalf { continue }
            switch step {
            case .idle: throw .textViolation("an `ok` without a frame")
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
