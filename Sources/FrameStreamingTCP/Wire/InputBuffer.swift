/// Bytes that were read and not used yet. One read may take a little more than the current message,
/// such as the acknowledgements behind it. Not much more, because image bytes in here are copied
/// once again.
struct InputBuffer {
    static let capacity = 1024
    private var storage: [UInt8]
    private var start = 0
    private var end = 0

    /// Creates a buffer that holds `bytes`.
    init(_ bytes: [UInt8] = []) {
        storage = bytes + [UInt8](repeating: 0, count: max(0, Self.capacity - bytes.count))
        end = bytes.count
    }

    var count: Int { end - start }
    var isEmpty: Bool { start == end }

    /// The first byte, which stays in the buffer.
    var first: UInt8? { isEmpty ? nil : storage[start] }

    /// Bytes of the buffer, which stay in it.
    func bytes(_ range: Range<Int>) -> ArraySlice<UInt8> {
        storage[start + range.lowerBound..<start + range.upperBound]
    }

    mutating func popFirst() -> UInt8? {
        guard !isEmpty else { return nil }
        defer { start += 1 }
        return storage[start]
    }

    /// Moves up to `limit` bytes to the end of `target`, and returns how many.
    mutating func move(upTo limit: Int, to target: inout [UInt8]) -> Int {
        let count = min(limit, count)
        target.append(contentsOf: storage[start..<start + count])
        start += count
        return count
    }

    /// Drops up to `limit` bytes, and returns how many.
    mutating func drop(upTo limit: Int) -> Int {
        let count = min(limit, count)
        start += count
        return count
    }

    /// Moves bytes to `target`, from `offset`, as many as fit, and returns how many.
    mutating func move(to target: inout MutableRawSpan, at offset: Int) -> Int {
        let count = min(target.byteCount - offset, count)
        // Both have `count` bytes behind the start of the copy. They do not overlap: `storage` is
        // private.
        unsafe target.withUnsafeMutableBytes { target in
            unsafe storage.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[start..<start + count]))
            }
        }
        start += count
        return count
    }

    /// Fills the buffer, which must be empty. `read` returns how many bytes it has stored from the
    /// start.
    mutating func fill<Failure: Error>(
        _ read: (inout MutableRawSpan) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        try fillIfAny { bytes throws(Failure) in try read(&bytes) } ?? 0
    }

    /// As ``fill(_:)``. `read` returns nil if there was nothing to read.
    mutating func fillIfAny<Failure: Error>(
        _ read: (inout MutableRawSpan) throws(Failure) -> Int?
    ) throws(Failure) -> Int? {
        precondition(isEmpty, "the buffer must be empty before it is filled")
        start = 0
        end = 0
        var span = storage.mutableSpan
        var bytes = unsafe span.mutableBytes
        let count = try read(&bytes)
        end = count ?? 0
        return count
    }
}
