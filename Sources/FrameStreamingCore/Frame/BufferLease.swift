/// A run of memory on loan, which returns to its owner when the last Frame that holds it is gone.
///
/// Unsafe code, safe because: `start` is valid for `capacity` bytes from init to deinit; it is
/// written only through a FrameBuffer, which is unique, and only read afterwards; and it is
/// returned exactly once, in deinit.
@safe final class BufferLease: @unchecked Sendable {
    let start: UnsafeMutableRawPointer
    let capacity: Int
    private let owner: Owner

    private enum Owner {
        case pool(FramePool)
        case unpooled
        case other(@Sendable () -> Void)
    }

    /// Leases a slot of a pool.
    init(slot: PoolSlot, of pool: FramePool) {
        unsafe start = slot.start
        capacity = slot.capacity
        owner = .pool(pool)
    }

    /// Allocates memory, which is freed at the end.
    init(unpooledBytes: Int) {
        unsafe start = .allocate(byteCount: unpooledBytes, alignment: PoolSlot.alignment)
        capacity = unpooledBytes
        owner = .unpooled
    }

    /// Leases memory of another owner.
    init(memory: UnsafeMutableRawBufferPointer, release: @escaping @Sendable () -> Void) {
        precondition(memory.count > 0, "a buffer must have at least 1 byte, not 0")
        guard let base = memory.baseAddress else { preconditionFailure("memory of \(memory.count) bytes at nil") }
        unsafe start = base
        capacity = memory.count
        owner = .other(release)
    }

    deinit {
        switch owner {
        case .pool(let pool): pool.takeBack(unsafe PoolSlot(start: start, capacity: capacity))
        case .unpooled: unsafe start.deallocate()
        case .other(let release): release()
        }
    }
}

/// Memory of a pool that is not leased at the moment.
@safe struct PoolSlot: @unchecked Sendable {
    let start: UnsafeMutableRawPointer
    let capacity: Int

    /// A cache line, which also suits vector code.
    static let alignment = 64
}
