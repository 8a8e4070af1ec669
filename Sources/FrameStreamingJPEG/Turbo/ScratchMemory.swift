/// Memory that a handle keeps from frame to frame and that only grows: its content is of no meaning between calls.
///
/// Unsafe code, safe because: the block is this object's alone, and pointers to it are used within one call of the
/// handle that owns it, after the call that may replace it.
@safe final class ScratchMemory {
    private var start: UnsafeMutablePointer<UInt8>?
    private(set) var capacity = 0
    /// Times that memory was allocated: stands still once the largest picture was seen.
    private(set) var allocations = 0

    deinit { unsafe start?.deallocate() }

    /// At least `byteCount` bytes; whatever was there before is gone when it had to grow.
    func room(_ byteCount: Int) -> UnsafeMutablePointer<UInt8> {
        if let start = unsafe start, capacity >= byteCount { return unsafe start }
        unsafe start?.deallocate()
        let fresh = unsafe UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
            .bindMemory(to: UInt8.self, capacity: byteCount)
        unsafe start = fresh
        capacity = byteCount
        allocations += 1
        return unsafe fresh
    }

    /// The start of planes of `sizes` bytes, each on a cache line of its own.
    static func place(_ sizes: [Int]) -> (offsets: [Int], byteCount: Int) {
        var next = 0
        var offsets: [Int] = []
        for size in sizes {
            offsets.append(next)
            next += (size + 63) & ~63
        }
        return (offsets, next)
    }
}
