internal import FrameStreamingCore

/// Writes integers and bytes in network byte order.
///
/// Unsafe code: an integer is stored at `count`, where the storage has room for all its bytes.
struct ByteWriter {
    /// The written bytes, and zeros behind them. Integers are stored into existing bytes: an append
    /// for each would cost more, in all, than entering a system call.
    private var storage: [UInt8]
    private var count = 0

    /// - Parameter capacity: The expected number of bytes. More are possible.
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
        // Nothing behind `count` was ever written.
        _ = advance(by: count)
    }

    /// Makes room for `more` bytes, and returns where it begins.
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

extension ByteWriter {
    /// Writes the fourcc's characters in their order.
    mutating func put(_ format: PixelFormat) { put(format.rawValue.byteSwapped) }

    /// Writes a moment or a duration in nanoseconds; -1 = not known.
    mutating func put(_ time: MonotonicTime?) { put(time?.nanoseconds ?? -1) }
    mutating func put(_ nanoseconds: Int64?) { put(nanoseconds ?? -1) }
}
