/// Whether the next frame for a receiver may depend on the one before, for a codec with memory.
///
/// The frames on a connection form chains: a key frame, then frames that depend on the one before. A
/// chain ends when a frame does not decode, when an encoder fails, and with the connection.
struct ReferenceChain: Hashable, Sendable {
    enum State: Hashable, Sendable {
        /// The next frame that is encoded must stand alone.
        case broken
        /// A frame that stands alone is being encoded, or waits to be sent.
        case begins
        /// The receiver has, or will have, what the next frame depends on.
        case holds
    }

    private(set) var state = State.broken
    /// The number, on its connection, of the frame with which the present chain began.
    private var first: UInt64 = 0

    /// A frame is taken for encoding. Returns whether it must stand alone.
    mutating func take() -> Bool {
        guard state == .broken else { return false }
        state = .begins
        return true
    }

    /// An encoded frame is sent with this number.
    mutating func sent(_ sequence: UInt64, dependsOnPrevious: Bool) {
        guard !dependsOnPrevious else { return }
        first = sequence
        state = .holds
    }

    /// The receiver did not decode the frame with this number. It refuses those behind it, too, until
    /// one stands alone. Frames before the present chain are of no consequence.
    mutating func failed(_ sequence: UInt64) {
        if state == .holds, sequence >= first { state = .broken }
    }

    /// The connection ended, or a frame that was taken is never sent.
    mutating func end() { state = .broken }
}
