/// Memory that a handle keeps between frames, and that only grows. Its content has no meaning
/// between calls.
///
/// Unsafe code, safe because: only this object owns the block. A pointer to it is used within one
/// call of the handle that owns it, and only after the last call in it that may replace the block.
@safe final class ScratchMemory {
    private var start: UnsafeMutablePointer<UInt8>?
    private(set) var capacity = 0
    /// The number of allocations, which stays constant once the largest frame was seen.
    private(set) var allocations = 0

    deinit { unsafe start?.deallocate() }

    /// Returns at least `byteCount` bytes. The previous content is lost when the memory has to
    /// grow.
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

    /// Returns the offsets of planes of `sizes` bytes, each starting on its own cache line.
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
