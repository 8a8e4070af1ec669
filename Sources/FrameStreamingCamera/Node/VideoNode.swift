internal import CV4L2
package import FrameStreamingSystem

/// An open video node, with V4L2's ioctls as typed calls. Interrupted calls are repeated here.
///
/// Unsafe code, safe because: each ioctl gets a pointer to a local struct of the type that its
/// number names, and the driver does not use it after the call.
package struct VideoNode: Sendable {
    package let path: String
    let descriptor: CInt
    let calls: any VideoCalls
    package let capability: NodeCapability

    /// Opens a node and reads its capabilities.
    ///
    /// - Throws: ENOTTY if it is not a V4L2 node.
    package init(_ path: String, _ calls: any VideoCalls) throws(SystemError) {
        let descriptor = try calls.open(path)
        do throws(SystemError) {
            var answer = v4l2_capability()
            try unsafe Self.call(calls, descriptor, "VIDIOC_QUERYCAP", fs_VIDIOC_QUERYCAP, &answer)
            // libv4l2's plugin for multi-planar nodes prints to standard output, and is not needed.
            if !NodeCapability(answer).isMultiPlanar {
                calls.adopt(descriptor)
                // A plugin may change the node's capabilities.
                try unsafe Self.call(calls, descriptor, "VIDIOC_QUERYCAP", fs_VIDIOC_QUERYCAP, &answer)
            }
            capability = NodeCapability(answer)
        } catch {
            calls.close(descriptor)
            // A plain file or another device answers EINVAL to an unknown ioctl.
            throw error.code == Errno.invalid ? SystemError("VIDIOC_QUERYCAP", code: Errno.noTerminal) : error
        }
        self.path = path
        self.descriptor = descriptor
        self.calls = calls
    }

    func close() { calls.close(descriptor) }

    /// The type of the buffers (enum v4l2_buf_type).
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

/// Returns the zero-terminated text in a fixed-size field.
func name<Field>(of field: Field) -> String {
    unsafe withUnsafeBytes(of: field) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
