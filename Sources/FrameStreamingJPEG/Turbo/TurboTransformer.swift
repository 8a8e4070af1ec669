internal import CTurboJPEG
internal import FrameStreamingCore

/// A transformer with the room for its output.
///
/// Unsafe code, safe because: with TJFLAG_NOREALLOC TurboJPEG assumes tjBufSize bytes. It is
/// undocumented whether that is for the size before or after the turn, so the room fits the larger.
///
/// `@unchecked Sendable`: one thread at a time has it, from a ``HandlePool``.
final class TurboTransformer: @unchecked Sendable {
    private let handle: TurboHandle
    private let room = ScratchMemory()

    init() throws(FrameStreamingError) { handle = try unsafe TurboHandle(tjInitTransform()) }

    var scratchAllocations: Int { room.allocations }

    func header(_ jpeg: UnsafeRawBufferPointer, _ limits: ScanLimits) throws(FrameStreamingError) -> TurboJPEGHeader {
        try unsafe handle.header(jpeg, limits)
    }

    /// Transforms a JPEG. The output stays in this object's room, ready for ``output(_:into:)``.
    ///
    /// - Precondition: `header` was read with this object.
    func run(
        _ jpeg: UnsafeRawBufferPointer, _ header: TurboJPEGHeader, _ transform: tjtransform,
        strictness: JPEGCodec.Strictness
    ) throws(FrameStreamingError) -> (byteCount: Int, header: TurboJPEGHeader, warned: Bool) {
        // Every sampling needs at most what 4:4:4 of whole 32x32 blocks does, in either
        // orientation.
        let sides = (width: (header.width + 31) & ~31, height: (header.height + 31) & ~31)
        let upright = try TurboHandle.largestJPEG(width: sides.width, height: sides.height, sampling: 0)
        let turned = try TurboHandle.largestJPEG(width: sides.height, height: sides.width, sampling: 0)
        let start = unsafe room.room(max(upright, turned))
        var target: UnsafeMutablePointer<UInt8>? = unsafe start
        var size: UInt = 0
        var plan = unsafe transform
        let flags = TJFLAG_NOREALLOC | TJFLAG_LIMITSCANS | (strictness == .strict ? TJFLAG_STOPONWARNING : 0)
        func transformOnce() -> CInt {
            unsafe tjTransform(
                handle.raw, jpeg.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt(jpeg.count), 1, &target, &size,
                &plan, flags)
        }
        let result = transformOnce()
        var warned = false
        if result != 0 {
            let complaint = handle.complaint()
            guard strictness == .tolerant, complaint.isWarning else {
                // libjpeg's JERR_BUFFER_SIZE. The room fits every image of this size, so only
                // metadata can exceed it.
                if complaint.text.contains("Buffer passed to JPEG library is too small") {
                    throw FrameStreamingError(
                        .limitExceeded,
                        "the JPEG has too much metadata to transform: set keepsMetadata to false"
                    )
                }
                throw .corruptImage(complaint.text)
            }
            // TurboJPEG also reports a warning where it gave up after one (TurboDecompressor.run).
            // The size is then that of the whole room. The room is zeroed, so that the end of an
            // earlier JPEG is not mistaken for the end of this one.
            unsafe start.update(repeating: 0, count: room.capacity)
            _ = transformOnce()
            warned = true
        }
        let count = Int(size)
        precondition(unsafe target == start && count <= room.capacity, "TurboJPEG left the buffer that it was given")
        let written = unsafe UnsafeRawBufferPointer(start: start, count: count)
        let newHeader = try unsafe self.header(written, .none)
        guard count >= 2, unsafe start[count - 2] == 0xFF, unsafe start[count - 1] == 0xD9 else {
            throw .corruptImage("it is truncated")
        }
        return (count, newHeader, warned)
    }

    /// Copies the first `count` bytes of the last output into memory of `pool`.
    func output(_ count: Int, into pool: FramePool) -> FrameBuffer {
        var buffer = pool.buffer(byteCount: count)
        unsafe buffer.withUnsafeMutableBytes {
            unsafe $0.baseAddress?.copyMemory(from: room.room(count), byteCount: count)
        }
        return buffer
    }
}
