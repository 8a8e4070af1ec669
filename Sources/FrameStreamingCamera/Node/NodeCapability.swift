internal import CV4L2

/// What VIDIOC_QUERYCAP says.
package struct NodeCapability: Hashable, Sendable {
    package let driver: String
    package let card: String
    package let busInfo: String
    /// The flags of this very node: a webcam's metadata node has VIDEO_CAPTURE in those of the whole device too.
    package let flags: UInt32

    init(_ answer: v4l2_capability) {
        driver = name(of: answer.driver)
        card = name(of: answer.card)
        busInfo = name(of: answer.bus_info)
        let hasOwn = answer.capabilities & UInt32(V4L2_CAP_DEVICE_CAPS) != 0
        flags = hasOwn ? answer.device_caps : answer.capabilities
    }

    private func has(_ flag: Int32) -> Bool { flags & UInt32(bitPattern: flag) != 0 }

    /// Whether its pictures come in buffers of several planes.
    var isMultiPlanar: Bool { !has(V4L2_CAP_VIDEO_CAPTURE) && has(V4L2_CAP_VIDEO_CAPTURE_MPLANE) }

    /// Whether it takes pictures, and is not a converter (M2M), an output or a metadata node.
    package var isCamera: Bool {
        (has(V4L2_CAP_VIDEO_CAPTURE) || has(V4L2_CAP_VIDEO_CAPTURE_MPLANE))
            && !has(V4L2_CAP_VIDEO_M2M) && !has(V4L2_CAP_VIDEO_M2M_MPLANE)
            && !has(V4L2_CAP_VIDEO_OUTPUT) && !has(V4L2_CAP_VIDEO_OUTPUT_MPLANE)
    }

    /// Whether its buffers can be mapped.
    var streams: Bool { has(V4L2_CAP_STREAMING) }
}
