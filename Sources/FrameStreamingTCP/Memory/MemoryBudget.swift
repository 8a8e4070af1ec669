public import FrameStreamingCore
internal import FrameStreamingSystem

/// Bounds the bytes of received frames that are not consumed yet, for each connection and for all
/// that share the budget.
///
/// Connections share a budget through ``TCPReceiverOptions/memory``. When it is used up, a
/// connection reads the next frame's image only after frames were consumed. Meanwhile the sender's
/// socket fills, and TCP blocks the sender. No frame is lost, and no credit is taken back.
///
/// Credit is granted within the budget, so a sender whose frames have about one size is blocked
/// only if its first frames are large; see ``TCPReceiverOptions/creditAhead``. While a connection
/// waits for memory it answers no PING, and later frames get a late arrival time.
///
/// Each connection may always hold one frame of up to
/// ``TCPReceiverOptions/maximumFrameByteCount``, or as many bytes of smaller ones. So no connection
/// waits for another one's consumer, and streams with much smaller frames never reach the limits.
/// All connections together hold at most ``total``, plus one largest frame each. Memory that a
/// program keeps after it has asked for the next frame, and decoded frames, are not counted.
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
        /// Wakes the accounts that wait until others give bytes back.
        var waiting: [UInt64: @Sendable () -> Void] = [:]
    }

    private let state = Monitor(State())

    /// The budget that all connections of a program share by default: 1 GiB, or a quarter of the
    /// memory if that is less. The memory is the machine's, or the limit of the program's control
    /// group.
    public static let standard = MemoryBudget(unchecked: min(1 << 30, max(1, physicalMemory() / 4)))

    /// Creates a budget for the connections whose options have it.
    ///
    /// - Parameters:
    ///   - total: Bytes for all connections together, at least 1.
    ///   - connection: Bytes for one connection, 1 to `total`. A quarter of `total` by default.
    /// - Throws: `invalidArgument`.
    public convenience init(total: Int, connection: Int? = nil) throws(FrameStreamingError) {
        guard total >= 1 else {
            throw FrameStreamingError(.invalidArgument, "a memory budget must be at least 1 byte, not \(total)")
        }
        if let connection, !(1...total).contains(connection) {
            throw FrameStreamingError(
                .invalidArgument,
                "a connection's part of a memory budget must be 1 to \(total) bytes, not \(connection)")
        }
        self.init(unchecked: total, connection: connection)
    }

    private init(unchecked total: Int, connection: Int? = nil) {
        self.total = total
        self.connection = connection ?? max(1, total / 4)
    }

    /// Bytes that connections hold now, rounded up for each of them.
    public var used: Int { state.withLock { $0.used } }

    /// The bytes for one connection if all open ones held the same.
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

    /// Takes bytes for an account.
    ///
    /// - Parameters:
    ///   - always: Whether the account gets them even if the budget is used up.
    ///   - wake: Called once others have given bytes back, if this returns false.
    /// - Returns: Whether the account has got them.
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
    /// - Returns: What wakes the waiting accounts, to be called without a lock.
    func give(_ bytes: Int) -> [@Sendable () -> Void] { state.withLock { Self.give(bytes, &$0) } }

    private static func give(_ bytes: Int, _ state: inout State) -> [@Sendable () -> Void] {
        state.used -= bytes
        guard bytes > 0, !state.waiting.isEmpty else { return [] }
        defer { state.waiting = [:] }
        return Array(state.waiting.values)
    }
}
