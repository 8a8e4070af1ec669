internal import FrameStreamingCore

/// Bytes being put together in network byte order.
///
/// Unsafe code: an integer's own bytes are appended while it is there.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        // All at once: byte by byte, a header costs more than its system call's entry.
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    mutating func put(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    mutating func putZeros(_ count: Int) {
        for _ in 0..<count { bytes.append(0) }
    }
}

/// Bytes being taken apart in network byte order. Reading behind the end is a protocol violation, never a trap.
///
/// Unsafe code: an integer is loaded from `position`, behind which there are at least as many bytes as it has.
struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var position = 0

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    mutating func take<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(FrameStreamingError) -> Value {
        let start = try advance(by: Value.bitWidth / 8)
        return unsafe bytes.withUnsafeBytes {
            unsafe Value(bigEndian: $0.loadUnaligned(fromByteOffset: start, as: Value.self))
        }
    }

    mutating func take(_ count: Int) throws(FrameStreamingError) -> ArraySlice<UInt8> {
        let start = bytes.startIndex + (try advance(by: count))
        return bytes[start..<start + count]
    }

    /// Passes `count` bytes; where they began.
    private mutating func advance(by count: Int) throws(FrameStreamingError) -> Int {
        guard count <= remaining else { throw .violation("a message ends \(count - remaining) bytes too early") }
        defer { position += count }
        return position
    }

    mutating func skip(_ count: Int) throws(FrameStreamingError) { _ = try advance(by: count) }

    var remaining: Int { bytes.count - position }
}

extension FrameStreamingError {
    /// What the peer sent is not of the protocol. There is one remedy, so it is said in one place.
    static func violation(_ what: String) -> FrameStreamingError {
        FrameStreamingError(
            .protocolViolation,
            "the peer does not keep to the protocol (\(what)): check that it speaks the same handshake and version")
    }
}
