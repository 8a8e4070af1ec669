internal import FrameStreamingCore

/// Bytes being put together in network byte order.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        var shift = Value.bitWidth
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: value >> Value(shift)))
        }
    }

    mutating func put(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    mutating func putZeros(_ count: Int) {
        for _ in 0..<count { bytes.append(0) }
    }
}

/// Bytes being taken apart in network byte order. Reading behind the end is a protocol violation, never a trap.
struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func take<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(FrameStreamingError) -> Value {
        let count = Value.bitWidth / 8
        var value: Value = 0
        for byte in try take(count) {
            // A shift by 8 is more than a UInt8 has; the smart shift makes that 0, which is right.
            value = (value << 8) | Value(truncatingIfNeeded: byte)
        }
        return value
    }

    mutating func take(_ count: Int) throws(FrameStreamingError) -> ArraySlice<UInt8> {
        guard count <= rest.count else {
            throw .violation("a message ends \(count - rest.count) bytes too early")
        }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func skip(_ count: Int) throws(FrameStreamingError) { _ = try take(count) }

    var remaining: Int { rest.count }
}

extension FrameStreamingError {
    /// What the peer sent is not of the protocol. There is one remedy, so it is said in one place.
    static func violation(_ what: String) -> FrameStreamingError {
        FrameStreamingError(
            .protocolViolation,
            "the peer does not keep to the protocol (\(what)): check that it speaks the same handshake and version")
    }
}
