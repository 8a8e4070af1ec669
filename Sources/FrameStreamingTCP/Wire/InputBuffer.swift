/// Bytes that came and were not looked at yet: a read may take a little more than the message at hand, such as the
/// acknowledgements behind it. Not much more: what is an image's is copied once again.
struct InputBuffer {
    static let capacity = 1024
    private var storage: [UInt8]
    private var start = 0
    private var end = 0

    /// Empty, or holding `bytes`, as many as there are.
    init(_ bytes: [UInt8] = []) {
        storage = bytes + [UInt8](repeating: 0, count: max(0, Self.capacity - bytes.count))
        end = bytes.count
    }

    var count: Int { end - start }
    var isEmpty: Bool { start == end }

    /// The first byte, left where it is.
    var first: UInt8? { isEmpty ? nil : storage[start] }

    /// Bytes that are there, left where they are.
    func bytes(_ range: Range<Int>) -> ArraySlice<UInt8> {
        storage[start + range.lowerBound..<start + range.upperBound]
    }

    mutating func popFirst() -> UInt8? {
        guard !isEmpty else { return nil }
        defer { start += 1 }
        return storage[start]
    }

    /// Appends up to `limit` bytes to `target` and says how many.
    mutating func move(upTo limit: Int, to target: inout [UInt8]) -> Int {
        let count = min(limit, count)
        target.append(contentsOf: storage[start..<start + count])
        start += count
        return count
    }

    /// Drops up to `limit` bytes and says how many.
    mutating func drop(upTo limit: Int) -> Int {
        let count = min(limit, count)
        start += count
        return count
    }

    /// Copies what fits into `target`, from `offset`, and says how many bytes.
    mutating func move(to target: inout MutableRawSpan, at offset: Int) -> Int {
        let count = min(target.byteCount - offset, count)
        // Both hold `count` bytes from where the copy begins, and they do not overlap: `storage` is ours alone.
        unsafe target.withUnsafeMutableBytes { target in
            unsafe storage.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[start..<start + count]))
            }
        }
        start += count
        return count
    }

    /// Lets `read` fill the buffer, which must be empty; `read` says how many bytes it stored from the start.
    mutating func fill<Failure: Error>(
        _ read: (inout MutableRawSpan) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        try fillIfAny { bytes throws(Failure) in try read(&bytes) } ?? 0
    }

    /// As ``fill(_:)``, where `read` may also say that there was nothing.
    mutating func fillIfAny<Failure: Error>(
        _ read: (inout MutableRawSpan) throws(Failure) -> Int?
    ) throws(Failure) -> Int? {
        precondition(isEmpty, "a buffer is filled when all of it was used")
        start = 0
        end = 0
        var span = storage.mutableSpan
        var bytes = unsafe span.mutableBytes
        let count = try read(&bytes)
        end = count ?? 0
        return count
    }
}
