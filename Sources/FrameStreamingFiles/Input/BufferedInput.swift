import FrameStreamingCore

/// Reads lines of text and runs of bytes from a ``FileInput``.
///
/// Text goes through a small read-ahead buffer; frames are read straight into their memory. Bytes
/// that were read before a deadline passed are kept.
struct BufferedInput: Sendable {
    private(set) var file: FileInput
    private var ahead = [UInt8](repeating: 0, count: Self.aheadCapacity)
    private var head = 0
    private var tail = 0

    /// The longest text line that can be read, line end included.
    static let aheadCapacity = 4096

    init(_ file: FileInput) { self.file = file }

    /// The number of bytes that were read ahead.
    var buffered: Int { tail - head }

    /// Returns the byte `index` places behind the next one, which must have been read ahead.
    func peek(_ index: Int) -> UInt8 {
        precondition(index >= 0 && index < buffered)
        return ahead[head + index]
    }

    /// Whether these bytes come next, and were read ahead.
    func begins(with bytes: [UInt8]) -> Bool {
        buffered >= bytes.count && bytes.indices.allSatisfy { peek($0) == bytes[$0] }
    }

    /// Skips bytes that were read ahead.
    mutating func skip(_ count: Int) {
        precondition(count >= 0 && count <= buffered)
        head += count
    }

    /// Goes back to `offset` bytes behind the start of reading.
    mutating func rewind(to offset: Int) throws(FrameStreamingError) {
        try file.rewind(to: offset)
        head = 0
        tail = 0
    }

    /// Reads ahead until at least `count` bytes are buffered; false where the input ends before.
    mutating func readAhead(_ count: Int, until deadline: Deadline) throws(FrameStreamingError) -> Bool {
        precondition(count <= Self.aheadCapacity)
        while buffered < count {
            if head > 0 {
                for index in head..<tail { ahead[index - head] = ahead[index] }
                tail -= head
                head = 0
            }
            let got = try file.read(into: &ahead, at: tail, until: deadline)
            if got == 0 { return false }
            tail += got
        }
        return true
    }

    /// Returns the length of the next line without its end; nil where the input ends, or `limit` is
    /// reached, before the line does.
    mutating func lineLength(limit: Int, until deadline: Deadline) throws(FrameStreamingError) -> Int? {
        precondition(limit <= Self.aheadCapacity)
        var length = 0
        while true {
            while length < min(buffered, limit) {
                if peek(length) == UInt8(ascii: "\n") { return length }
                length += 1
            }
            guard length < limit, try readAhead(length + 1, until: deadline) else { return nil }
        }
    }

    /// Reads into `bytes` from `offset` on, buffered bytes first; 0 at the end.
    mutating func read(
        into bytes: inout MutableRawSpan, at offset: Int, until deadline: Deadline
    ) throws(FrameStreamingError) -> Int {
        guard buffered > 0 else { return try file.read(into: &bytes, at: offset, until: deadline) }
        let count = min(buffered, bytes.byteCount - offset)
        let range = head..<head + count
        head += count
        unsafe bytes.withUnsafeMutableBytes { target in
            unsafe ahead.withUnsafeBytes { source in
                // Both rebasings check that `count` bytes exist, and the two memories do not
                // overlap.
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
            }
        }
        return count
    }
}
