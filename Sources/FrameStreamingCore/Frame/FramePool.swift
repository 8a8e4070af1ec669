internal import FrameStreamingSystem

/// A pool of buffers that are used again. Once it is warm, a frame costs no allocation of its size.
///
/// Any thread may lease and return. A pool without a free slot never blocks: it allocates a buffer
/// outside the pool and counts it in ``Statistics/unpooled``. Slots grow to the largest requested
/// buffer. The memory lives until the pool and all of its Frames are gone.
public final class FramePool: Sendable {
    /// How a pool was used.
    public struct Statistics: Hashable, Sendable {
        /// Buffers that are leased at the moment, without unpooled ones.
        public var leased = 0
        /// How often a buffer was allocated outside the pool, because all slots were leased.
        public var unpooled = 0
        /// How often memory was allocated for a slot. The number does
        /// not change once the pool is warm.
        public var allocations = 0
    }

    private struct State {
        var free: [PoolSlot] = []
        /// The bytes of all slots, including leased ones.
        var bytes = 0
        var statistics = Statistics()
    }

    /// The largest number of slots.
    public let capacity: Int
    /// Bytes beyond which memory is not kept for later.
    public let maximumKeptByteCount: Int
    private let state: Monitor<State>

    /// A pool of at most `capacity` slots. Memory is allocated when it is first needed.
    ///
    /// - Parameters:
    ///   - capacity: The largest number of slots; 0 = none, and every buffer is unpooled.
    ///   - maximumKeptByteCount: A slot that returns while all slots together have more bytes is
    ///     freed, and free slots are freed before a new one exceeds it. Leased frames are not
    ///     limited by this.
    public init(capacity: Int, maximumKeptByteCount: Int = .max) {
        precondition(capacity >= 0, "a pool must have at least 0 slots, not \(capacity)")
        self.capacity = capacity
        self.maximumKeptByteCount = maximumKeptByteCount
        var first = State()
        first.free.reserveCapacity(capacity)
        state = Monitor(first)
    }

    deinit {
        // No lease is out: each holds the pool.
        state.withLock { state in
            for slot in state.free { unsafe slot.start.deallocate() }
        }
    }

    /// Leases a buffer of `byteCount` bytes, with the content of an earlier frame.
    ///
    /// - Precondition: `byteCount > 0`.
    public func buffer(byteCount: Int) -> FrameBuffer {
        precondition(byteCount > 0, "a buffer must have at least 1 byte, not \(byteCount)")
        let slot: PoolSlot? = state.withLock { state in
            guard state.statistics.leased < capacity else {
                state.statistics.unpooled += 1
                return nil
            }
            state.statistics.leased += 1
            // The slot that returned last is the warmest in the cache. One that is too
            // small is freed for a larger one.
            if let index = state.free.lastIndex(where: { $0.capacity >= byteCount }) {
                return state.free.remove(at: index)
            }
            if let small = state.free.popLast() { Self.free(small, &state) }
            state.statistics.allocations += 1
            // An eighth more, so that pictures that grow slowly do not allocate each
            // time; but not more than is kept.
            let generous = byteCount <= 4096 ? 4096 : (byteCount + byteCount / 8 + 4095) & ~4095
            let room = max(byteCount, min(generous, maximumKeptByteCount))
            while state.bytes + room > maximumKeptByteCount, let small = state.free.popLast() {
                Self.free(small, &state)
            }
            state.bytes += room
            return unsafe PoolSlot(
                start: .allocate(byteCount: room, alignment: PoolSlot.alignment), capacity: room)
        }
        guard let slot else { return FrameBuffer(lease: BufferLease(unpooledBytes: byteCount), byteCount: byteCount) }
        return FrameBuffer(lease: BufferLease(slot: slot, of: self), byteCount: byteCount)
    }

    func takeBack(_ slot: PoolSlot) {
        state.withLock { state in
            state.statistics.leased -= 1
            state.free.append(slot)
            if state.bytes > maximumKeptByteCount { Self.free(state.free.removeLast(), &state) }
        }
    }

    private static func free(_ slot: PoolSlot, _ state: inout State) {
        state.bytes -= slot.capacity
        unsafe slot.start.deallocate()
    }

    /// The figures so far.
    public var statistics: Statistics { state.withLock { $0.statistics } }
}
