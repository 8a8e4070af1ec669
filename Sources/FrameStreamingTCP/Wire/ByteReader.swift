internal import FrameStreamingCore

/// Reads integers and bytes in network byte order. Reading behind the end is a protocol violation,
/// never a trap.
///
/// Unsafe code: an integer is loaded from `position`, where at least as many bytes are left.
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

    /// Skips `count` bytes, and returns where they began.
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

extension ByteReader {
    mutating func takePixelFormat() throws(FrameStreamingError) -> PixelFormat {
        PixelFormat(rawValue: try take(UInt32.self).byteSwapped)
    }

    mutating func takeTime() throws(FrameStreamingError) -> MonotonicTime? {
        try takeNanoseconds().map { MonotonicTime(nanoseconds: $0) }
    }

    mutating func takeNanoseconds() throws(FrameStreamingError) -> Int64? {
        let value: Int64 = try take()
        return value < 0 ? nil : value
    }
}
