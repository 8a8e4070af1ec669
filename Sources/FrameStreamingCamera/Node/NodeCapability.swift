internal import CV4L2

/// The answer to VIDIOC_QUERYCAP: what a node is.
package struct NodeCapability: Hashable, Sendable {
    package let driver: String
    package let card: String
    package let busInfo: String
    /// The flags of this node. Those of the whole device would mislead: a webcam's metadata node
    /// has VIDEO_CAPTURE among them.
    package let flags: UInt32

    init(_ answer: v4l2_capability) {
        driver = name(of: answer.driver)
        card = name(of: answer.card)
        busInfo = name(of: answer.bus_info)
        let hasOwn = answer.capabilities & UInt32(V4L2_CAP_DEVICE_CAPS) != 0
        flags = hasOwn ? answer.device_caps : answer.capabilities
    }

    private func has(_ flag: Int32) -> Bool { flags & UInt32(bitPattern: flag) != 0 }

    /// Whether its buffers have several memory planes.
    var isMultiPlanar: Bool { !has(V4L2_CAP_VIDEO_CAPTURE) && has(V4L2_CAP_VIDEO_CAPTURE_MPLANE) }

    /// Whether the node captures images and is not a converter (M2M), an output or a metadata node.
    package var isCamera: Bool {
        (has(V4L2_CAP_VIDEO_CAPTURE) || has(V4L2_CAP_VIDEO_CAPTURE_MPLANE))
            && !has(V4L2_CAP_VIDEO_M2M) && !has(V4L2_CAP_VIDEO_M2M_MPLANE)
            && !has(V4L2_CAP_VIDEO_OUTPUT) && !has(V4L2_CAP_VIDEO_OUTPUT_MPLANE)
    }

    /// Whether its buffers can be mapped.
    var streams: Bool { has(V4L2_CAP_STREAMING) }
}
