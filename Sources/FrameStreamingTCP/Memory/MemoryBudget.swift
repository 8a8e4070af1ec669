public import FrameStreamingCore
internal import FrameStreamingSystem

/// How many bytes of frames that have come and are not consumed all receiving connections together may hold, and each of them.
///
/// Connections share a budget through ``TCPOptions/memory``. Where it is used up a connection does not read the next frame's image
/// before frames were consumed: the sender's socket fills, and TCP holds the sender up. Nothing is lost, and nothing that was said is
/// taken back. Credit is granted within the budget, so a sender of frames of about one size meets that only where its first ones are
/// large; see ``TCPOptions/creditAhead``. While a connection waits, its answers to PING and the arrival times of what is behind wait, too.
///
/// Each connection may always hold one frame, however large, up to ``TCPOptions/maximumFrameBytes``, or so many bytes of smaller
/// ones: so none waits for another one's consumer, and streams whose frames are small beside that never meet the limits. All
/// connections together hold at most ``total``, or that and one largest frame each. What a program keeps of a frame
/// after it has asked for the next one, and what it decodes frames to, is its own and not counted.
public final class MemoryBudget: Sendable {
    /// Bytes for all connections together.
    public let total: Int
    /// Bytes for one connection.
    public let connection: Int

    struct State {
        /// Bytes that connections have taken.
        var used = 0
        var accounts: UInt64 = 0
        var connections = 0
        /// What wakes those that wait for others to give back.
        var waiting: [UInt64: @Sendable () -> Void] = [:]
    }

    private let state = Monitor(State())

    /// What all connections of a program share unless told otherwise: 1 GiB, or a quarter of the memory where that is less. The
    /// machine's memory counts, or the limit of the program's control group.
    public static let standard = MemoryBudget(unchecked: min(1 << 30, max(1, physicalMemory() / 4)))

    /// A budget for the connections whose options it is given to.
    ///
    /// - Parameters:
    ///   - total: Bytes for all connections together, at least 1.
    ///   - connection: Bytes for one connection, 1 to `total`; a quarter of `total`, unless given.
    /// - Throws: `invalidArgument`.
    public convenience init(total: Int, connection: Int? = nil) throws(FrameStreamingError) {
        guard total >= 1 else {
            throw FrameStreamingError(.invalidArgument, "a memory budget must be at least 1 byte, not \(total)")
        }
        if let connection, !(1...total).contains(connection) {
            throw FrameStreamingError(
                .invalidArgument,
                "a connection's part of a memory budget of \(total) bytes must be 1 to \(total), not \(connection)")
        }
        self.init(unchecked: total, connection: connection)
    }

    private init(unchecked total: Int, connection: Int? = nil) {
        self.total = total
        self.connection = connection ?? max(1, total / 4)
    }

    /// Bytes that connections hold now, rounded up for each of them.
    public var used: Int { state.withLock { $0.used } }

    /// What one of the connections that there are may hold, if all held as much.
    var share: Int { min(connection, state.withLock { total / max(1, $0.connections) }) }

    func open() -> UInt64 {
        state.withLock { state in
            state.connections += 1
            state.accounts += 1
            return state.accounts
        }
    }

    func close(_ account: UInt64, givingBack bytes: Int) -> [@Sendable () -> Void] {
        state.withLock { state in
            state.connections -= 1
            state.waiting[account] = nil
            return Self.give(bytes, &state)
        }
    }

    /// Takes bytes for an account. Where they are not there, `wake` is called once others have given some back, and the answer is false.
    ///
    /// - Parameter always: Whether it may have them in any case.
    func take(_ bytes: Int, always: Bool, for account: UInt64, wake: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard always || bytes <= total - min(total, state.used) else {
                state.waiting[account] = wake
                return false
            }
            state.used += bytes
            return true
        }
    }

    /// Gives bytes back.
    ///
    /// - Returns: What wakes those that waited, to be called without a lock.
    func give(_ bytes: Int) -> [@Sendable () -> Void] { state.withLock { Self.give(bytes, &$0) } }

    private static func give(_ bytes: Int, _ state: inout State) -> [@Sendable () -> Void] {
        state.used -= bytes
        guard bytes > 0, !state.waiting.isEmpty else { return [] }
        defer { state.waiting = [:] }
        return Array(state.waiting.values)
    }
}
