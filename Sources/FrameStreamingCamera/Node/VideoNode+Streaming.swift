internal import CV4L2
internal import FrameStreamingSystem

/// A filled buffer as the driver describes it.
struct FilledBuffer: Hashable, Sendable {
    struct Plane: Hashable, Sendable {
        /// The bytes in use (bytesused); in a multi-planar buffer, including those before `offset`.
        var used: Int
        /// The offset of the data (data_offset).
        var offset: Int
    }

    var index: Int
    var flags: UInt32
    var sequence: UInt32
    /// The timestamp in nanoseconds, on the clock that `flags` name.
    var stamp: Int64
    var planes: [Plane]

    var isSuspect: Bool { flags & UInt32(V4L2_BUF_FLAG_ERROR) != 0 }
}

/// The length and the offset with which a driver's buffer is mapped.
struct BufferPlace: Hashable, Sendable {
    var length: Int
    var offset: Int
}

extension VideoNode {
    private static let memory = V4L2_MEMORY_MMAP.rawValue
    private static let mostPlanes = 8

    /// Requests buffers (VIDIOC_REQBUFS). Returns how many were
    /// granted; a request for 0 frees them.
    func requestBuffers(_ count: Int) throws(SystemError) -> Int {
        var request = v4l2_requestbuffers()
        request.count = UInt32(clamping: count)
        request.type = bufferType
        request.memory = Self.memory
        try call("VIDIOC_REQBUFS", fs_VIDIOC_REQBUFS, &request)
        return Int(request.count)
    }

    /// Returns a buffer's memory planes (VIDIOC_QUERYBUF).
    func places(ofBuffer index: Int) throws(SystemError) -> [BufferPlace] {
        try unsafe withBuffer(index) { buffer, planes throws(SystemError) in
            try unsafe call("VIDIOC_QUERYBUF", fs_VIDIOC_QUERYBUF, &buffer)
            guard capability.isMultiPlanar else {
                return [unsafe BufferPlace(length: Int(buffer.length), offset: Int(buffer.m.offset))]
            }
            return unsafe planes.prefix(Int(buffer.length)).map {
                unsafe BufferPlace(length: Int($0.length), offset: Int($0.m.mem_offset))
            }
        }
    }

    /// Queues a buffer (VIDIOC_QBUF).
    func queue(_ index: Int, planes count: Int) throws(SystemError) {
        try unsafe withBuffer(index) { buffer, _ throws(SystemError) in
            if capability.isMultiPlanar { unsafe buffer.length = UInt32(count) }
            try unsafe call("VIDIOC_QBUF", fs_VIDIOC_QBUF, &buffer)
        }
    }

    /// Dequeues a filled buffer (VIDIOC_DQBUF).
    func dequeue() throws(SystemError) -> FilledBuffer {
        try unsafe withBuffer(0) { buffer, planes throws(SystemError) in
            try unsafe call("VIDIOC_DQBUF", fs_VIDIOC_DQBUF, &buffer)
            let stamp =
                unsafe Int64(buffer.timestamp.tv_sec) &* 1_000_000_000 &+ Int64(buffer.timestamp.tv_usec) &* 1000
            var filled = unsafe FilledBuffer(
                index: Int(buffer.index), flags: buffer.flags, sequence: buffer.sequence, stamp: stamp,
                planes: [FilledBuffer.Plane(used: Int(buffer.bytesused), offset: 0)])
            if capability.isMultiPlanar {
                filled.planes = unsafe planes.prefix(Int(buffer.length)).map {
                    FilledBuffer.Plane(used: Int($0.bytesused), offset: Int($0.data_offset))
                }
            }
            return filled
        }
    }

    func startStreaming() throws(SystemError) {
        var type = CInt(bufferType)
        try call("VIDIOC_STREAMON", fs_VIDIOC_STREAMON, &type)
    }

    func stopStreaming() throws(SystemError) {
        var type = CInt(bufferType)
        try call("VIDIOC_STREAMOFF", fs_VIDIOC_STREAMOFF, &type)
    }

    func map(_ place: BufferPlace) throws(SystemError) -> BufferMapping {
        guard place.length > 0 else { throw SystemError("mmap", code: Errno.invalid) }
        let start = try unsafe calls.map(descriptor, length: place.length, offset: place.offset)
        return unsafe BufferMapping(start: start, length: place.length)
    }

    /// Calls `body` with a v4l2_buffer and memory for its planes,
    /// which only a multi-planar node uses.
    private func withBuffer<Result>(
        _ index: Int,
        _ body: (inout v4l2_buffer, UnsafeMutableBufferPointer<v4l2_plane>) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        var planes = [v4l2_plane](repeating: v4l2_plane(), count: Self.mostPlanes)
        // The closure keeps the array in place while the driver has its address.
        return try unsafe planes.withUnsafeMutableBufferPointer { planes throws(SystemError) in
            var buffer = unsafe v4l2_buffer()
            unsafe buffer.index = UInt32(clamping: index)
            unsafe buffer.type = bufferType
            unsafe buffer.memory = Self.memory
            if capability.isMultiPlanar {
                unsafe buffer.length = UInt32(Self.mostPlanes)
                unsafe buffer.m.planes = planes.baseAddress
            }
            return try unsafe body(&buffer, planes)
        }
    }
}
