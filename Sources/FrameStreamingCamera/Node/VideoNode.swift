internal import CV4L2
package import FrameStreamingSystem

/// An open video node: V4L2's ioctls with types. Interrupted calls are made again here, and nowhere else.
///
/// Unsafe code, safe because: each ioctl gets a pointer to a local struct of the very type that its number names, and it
/// is of no use to the driver after the call.
package struct VideoNode: Sendable {
    package let path: String
    let descriptor: CInt
    let calls: any VideoCalls
    package let capability: NodeCapability

    /// Opens `path` and asks what it is.
    ///
    /// - Throws: ENOTTY where it is no V4L2 node.
    package init(_ path: String, _ calls: any VideoCalls) throws(SystemError) {
        let descriptor = try calls.open(path)
        do throws(SystemError) {
            var answer = v4l2_capability()
            try unsafe Self.call(calls, descriptor, "VIDIOC_QUERYCAP", fs_VIDIOC_QUERYCAP, &answer)
            // libv4l2's plugin for multi-planar nodes prints on standard output, and we read their planes ourselves.
            if !NodeCapability(answer).isMultiPlanar {
                calls.adopt(descriptor)
                // Asked again: a plugin may show the node in another way.
                try unsafe Self.call(calls, descriptor, "VIDIOC_QUERYCAP", fs_VIDIOC_QUERYCAP, &answer)
            }
            capability = NodeCapability(answer)
        } catch {
            calls.close(descriptor)
            // What a plain file or another device answers to an ioctl that it does not know.
            throw error.code == Errno.invalid ? SystemError("VIDIOC_QUERYCAP", code: Errno.noTerminal) : error
        }
        self.path = path
        self.descriptor = descriptor
        self.calls = calls
    }

    func close() { calls.close(descriptor) }

    /// The buffers' type: enum v4l2_buf_type.
    var bufferType: UInt32 {
        capability.isMultiPlanar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE.rawValue : V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
    }

    func call<Argument>(
        _ name: StaticString, _ request: UInt, _ argument: inout Argument
    ) throws(SystemError) {
        try unsafe Self.call(calls, descriptor, name, request, &argument)
    }

    @unsafe private static func call<Argument>(
        _ calls: any VideoCalls, _ descriptor: CInt, _ name: StaticString, _ request: UInt, _ argument: inout Argument
    ) throws(SystemError) {
        while true {
            let code = unsafe withUnsafeMutablePointer(to: &argument) {
                unsafe calls.ioctl(descriptor, request, UnsafeMutableRawPointer($0))
            }
            if code == 0 { return }
            if code != Errno.interrupted { throw SystemError("\(name)", code: code) }
        }
    }
}

/// A name in a field of 32 bytes.
func name<Field>(of field: Field) -> String {
    unsafe withUnsafeBytes(of: field) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
