internal import CV4L2
internal import FrameStreamingSystem
internal import Glibc

/// Converts to YUV 4:2:0, by libv4lconvert, the formats that this package does not read: Bayer,
/// vendors' compression, 10 and 16 bits, and others.
///
/// Unsafe code, safe because: the library's handle lives from init to deinit and is used under a
/// lock; source and target are the caller's memory, and their lengths are passed along.
@safe final class LibraryConverter: FrameConverter {
    @safe private struct State {
        var handle: OpaquePointer
        var source = unsafe v4l2_format()
        var target = unsafe v4l2_format()
    }

    private let state: Monitor<State>

    init?(_ descriptor: CInt) {
        guard let handle = unsafe v4lconvert_create(descriptor) else { return nil }
        unsafe state = Monitor(State(handle: handle))
    }

    deinit { state.withLock { unsafe v4lconvert_destroy($0.handle) } }

    private static func format(_ fourcc: UInt32, _ width: Int, _ height: Int) -> v4l2_format {
        var format = unsafe v4l2_format()
        unsafe format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        unsafe format.fmt.pix.width = UInt32(clamping: width)
        unsafe format.fmt.pix.height = UInt32(clamping: height)
        unsafe format.fmt.pix.pixelformat = fourcc
        unsafe format.fmt.pix.field = V4L2_FIELD_NONE.rawValue
        return unsafe format
    }

    func source(for fourcc: UInt32, width: Int, height: Int) -> (source: UInt32, width: Int, height: Int)? {
        state.withLock { state in
            var target = unsafe Self.format(fourcc, width, height)
            var source = unsafe v4l2_format()
            guard unsafe v4lconvert_try_format(state.handle, &target, &source) == 0 else { return nil }
            let (from, to) = unsafe (source.fmt.pix, target.fmt.pix)
            guard to.pixelformat == fourcc, from.pixelformat != fourcc else { return nil }
            return (from.pixelformat, Int(from.width), Int(from.height))
        }
    }

    func prepare(from source: NodeFormat, to fourcc: UInt32) throws(SystemError) -> Int {
        guard let plane = source.planes.first, source.planes.count == 1 else {
            throw SystemError("v4lconvert_convert", code: Errno.invalid)
        }
        var from = unsafe Self.format(source.fourcc, source.width, source.height)
        unsafe from.fmt.pix.bytesperline = UInt32(clamping: plane.stride)
        unsafe from.fmt.pix.sizeimage = UInt32(clamping: plane.size)
        var to = unsafe Self.format(fourcc, source.width, source.height)
        // For HSV, version 1.22 writes RGB into the memory for YUV.
        guard !["HSV3", "HSV4"].contains(source.name) else {
            throw SystemError("v4lconvert_convert", code: Errno.invalid)
        }
        let count = source.width * source.height * 3 / 2
        unsafe to.fmt.pix.bytesperline = UInt32(clamping: source.width)
        unsafe to.fmt.pix.sizeimage = UInt32(clamping: count)
        let (settledSource, settledTarget) = unsafe (from, to)
        state.withLock { state in
            unsafe state.source = settledSource
            unsafe state.target = settledTarget
        }
        // Enough for RGB, in case another format has the same fault.
        let room = source.width * source.height * 3
        try tryOut(sourceBytes: plane.size, targetBytes: room)
        return room
    }

    /// Finds out whether the library converts the format by converting a black image. EINVAL means
    /// no; other errors concern the image, and are ignored.
    private func tryOut(sourceBytes: Int, targetBytes: Int) throws(SystemError) {
        let source = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, sourceBytes), alignment: 64)
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, targetBytes), alignment: 64)
        defer {
            unsafe source.deallocate()
            unsafe target.deallocate()
        }
        unsafe source.initializeMemory(as: UInt8.self, repeating: 0)
        do throws(SystemError) {
            _ = try unsafe convert(source, into: target)
        } catch {
            if error.code == Errno.invalid { throw error }
        }
    }

    @unsafe func convert(
        _ source: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int {
        let (count, code) = state.withLock { state in
            let count = unsafe v4lconvert_convert(
                state.handle, &state.source, &state.target,
                source.baseAddress?.assumingMemoryBound(to: UInt8.self), CInt(clamping: source.count),
                target.baseAddress?.assumingMemoryBound(to: UInt8.self), CInt(clamping: target.count))
            return (Int(count), errno)
        }
        guard count >= 0 else { throw SystemError("v4lconvert_convert", code: code) }
        return count
    }
}
