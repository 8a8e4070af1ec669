internal import COpenSSL
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The bytes of a pre-shared key. They lie in locked memory that core dumps leave out, as far as the
/// system permits, and are overwritten at the end.
///
/// Unsafe code: the bytes lie behind a pointer from init to deinit, are written in the init only, and
/// are read within their length.
@safe final class KeySecret: @unchecked Sendable {
    static let byteCount = 32
    private let bytes: UnsafeMutableRawPointer

    /// - Parameter fill: Writes the key into the room; false = it could not.
    /// - Throws: `system` if there is no memory; `malformedInput` if `fill` returns false.
    init(_ fill: (inout MutableRawSpan) -> Bool) throws(FrameStreamingError) {
        guard let room = unsafe fs_secret_new(Self.byteCount) else {
            throw FrameStreamingError(.system, "there is no memory for a key")
        }
        unsafe bytes = room
        var span = unsafe MutableRawSpan(_unsafeStart: room, byteCount: Self.byteCount)
        guard fill(&span) else { throw FrameStreamingError(.malformedInput, "the key could not be made") }
    }

    /// Makes a random key.
    convenience init() throws(FrameStreamingError) {
        try self.init { room in
            unsafe room.withUnsafeMutableBytes {
                unsafe RAND_priv_bytes(
                    $0.baseAddress?.assumingMemoryBound(to: UInt8.self), CInt(clamping: $0.count)) == 1
            }
        }
    }

    deinit { unsafe fs_secret_free(bytes, Self.byteCount) }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe body(UnsafeRawBufferPointer(start: bytes, count: Self.byteCount))
    }
}
