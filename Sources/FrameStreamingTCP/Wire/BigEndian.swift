internal import FrameStreamingCore

/// Bytes being put together in network byte order.
///
/// Unsafe code: an integer is stored at `count`, behind which there are as many bytes as it has.
struct ByteWriter {
    /// What was written, and zeros behind it: whole integers are stored into bytes that are there, for an append each costs more
    /// than a system call's entry in all.
    private var storage: [UInt8]
    private var count = 0

    /// - Parameter capacity: How many bytes there will be; more are taken, too.
    init(capacity: Int) { storage = [UInt8](repeating: 0, count: capacity) }

    var bytes: [UInt8] { count == storage.count ? storage : Array(storage[..<count]) }

    @inline(__always)
    mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        let start = advance(by: Value.bitWidth / 8)
        unsafe storage.withUnsafeMutableBytes {
            unsafe $0.storeBytes(of: value.bigEndian, toByteOffset: start, as: Value.self)
        }
    }

    mutating func put(_ more: some Collection<UInt8>) {
        let start = advance(by: more.count)
        storage.replaceSubrange(start..<start + more.count, with: more)
    }

    @inline(__always)
    mutating func putZeros(_ count: Int) {
        // They are there: nothing behind `count` was ever written.
        _ = advance(by: count)
    }

    /// Makes room for `more` bytes; where it begins.
    @inline(__always)
    private mutating func advance(by more: Int) -> Int {
        defer { count += more }
        if count + more > storage.count { grow(by: more) }
        return count
    }

    @inline(never)
    private mutating func grow(by more: Int) {
        storage.append(contentsOf: repeatElement(0, count: count + more - storage.count))
    }
}

/// Bytes being taken apart in network byte order. Reading behind the end is a protocol violation, never a trap.
///
/// Unsafe code: an integer is loaded from `position`, behind which there are at least as many bytes as it has.
struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var position = 0

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    @inline(__always)
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
    @inline(__always)
    private mutating func advance(by count: Int) throws(FrameStreamingError) -> Int {
        guard count <= remaining else { throw endsEarly(by: count - remaining) }
        defer { position += count }
        return position
    }

    @inline(never)
    private func endsEarly(by count: Int) -> FrameStreamingError {
        .violation("a message ends \(count) bytes too early")
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
