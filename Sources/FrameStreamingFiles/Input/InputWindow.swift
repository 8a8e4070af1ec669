import FrameStreamingCore

/// The bytes of an input that were read and are not used yet.
struct InputWindow: Sendable {
    /// The room for each read, at most: a pipe holds 64 KiB, and a file fills any room.
    private static let largestChunk = 256 * 1024

    private var memory: [UInt8] = []
    private var head = 0
    private var tail = 0

    /// The number of bytes.
    var count: Int { tail - head }

    /// Returns the byte at an index, which is checked.
    subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count)
        return memory[head + index]
    }

    /// Passes the bytes to `body`.
    func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // Bytes of UInt8: no padding is read.
        try body(unsafe memory.span.bytes.extracting(head..<tail))
    }

    /// Drops bytes from the start.
    mutating func drop(_ count: Int) {
        precondition(count >= 0 && count <= self.count)
        head += count
    }

    /// Drops everything.
    mutating func clear() { (head, tail) = (0, 0) }

    /// Copies the first bytes to `target`, which has room for them.
    func copy(_ count: Int, to target: UnsafeMutableRawBufferPointer) {
        let range = head..<head + count
        // Both rebasings check that `count` bytes exist, and the two memories do not overlap.
        unsafe memory.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[0..<count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range]))
        }
    }

    /// Reads once more; false at the end of the input.
    mutating func readMore(
        from input: inout FileInput, until deadline: Deadline
    ) throws(FrameStreamingError) -> Bool {
        // A small file needs no more room than it has bytes, and one to see its end.
        let chunk = min(Self.largestChunk, max(4096, input.size.map { $0 + 1 } ?? .max))
        if memory.count - tail < chunk, head > 0 {
            unsafe memory.withUnsafeMutableBytes { memory in
                // Rebasing checks that both ranges lie inside, and the copy may overlap itself
                // (memmove).
                unsafe UnsafeMutableRawBufferPointer(rebasing: memory[0..<tail - head])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[head..<tail]))
            }
            tail -= head
            head = 0
        }
        if memory.count - tail < chunk {
            memory += [UInt8](repeating: 0, count: max(memory.count, 2 * chunk))
        }
        let count = try input.read(into: &memory, at: tail, until: deadline)
        tail += count
        return count > 0
    }
}
