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

extension VideoNode {
    /// Lists the controls (VIDIOC_QUERYCTRL with V4L2_CTRL_FLAG_NEXT_CTRL): integers, booleans,
    /// menus and buttons that are not disabled.
    func controls() -> [CameraControl] {
        var controls: [CameraControl] = []
        var last: UInt32 = 0
        for _ in 0..<1024 {
            var query = v4l2_queryctrl()
            query.id = last | V4L2_CTRL_FLAG_NEXT_CTRL
            // The id must grow: a broken driver could repeat one for ever.
            guard (try? call("VIDIOC_QUERYCTRL", fs_VIDIOC_QUERYCTRL, &query)) != nil, query.id > last else { break }
            last = query.id
            if let control = control(query) { controls.append(control) }
        }
        return controls
    }

    private func control(_ query: v4l2_queryctrl) -> CameraControl? {
        func has(_ flag: Int32) -> Bool { query.flags & UInt32(bitPattern: flag) != 0 }
        let kind: CameraControl.Kind
        switch query.type {
        case V4L2_CTRL_TYPE_INTEGER.rawValue: kind = .integer
        case V4L2_CTRL_TYPE_BOOLEAN.rawValue: kind = .boolean
        case V4L2_CTRL_TYPE_MENU.rawValue, V4L2_CTRL_TYPE_INTEGER_MENU.rawValue: kind = .menu
        case V4L2_CTRL_TYPE_BUTTON.rawValue: kind = .button
        default: return nil
        }
        guard !has(V4L2_CTRL_FLAG_DISABLED) else { return nil }
        let title = FrameStreamingCamera.name(of: query.name)
        return CameraControl(
            id: query.id, name: CameraControl.name(of: title), title: title, kind: kind, minimum: Int(query.minimum),
            maximum: Int(query.maximum), step: Int(query.step), defaultValue: Int(query.default_value),
            value: kind == .button || has(V4L2_CTRL_FLAG_WRITE_ONLY) ? nil : try? value(ofControl: query.id),
            items: kind == .menu ? items(query) : [], isReadOnly: has(V4L2_CTRL_FLAG_READ_ONLY),
            isInactive: has(V4L2_CTRL_FLAG_INACTIVE))
    }

    private func items(_ query: v4l2_queryctrl) -> [CameraControl.MenuItem] {
        guard query.minimum >= 0, query.maximum >= query.minimum, query.maximum < 1024 else { return [] }
        return (query.minimum...query.maximum).compactMap { index in
            var menu = v4l2_querymenu()
            menu.id = query.id
            menu.index = UInt32(index)
            // A menu may lack indices in between, for which the driver answers EINVAL.
            guard (try? call("VIDIOC_QUERYMENU", fs_VIDIOC_QUERYMENU, &menu)) != nil else { return nil }
            if query.type == V4L2_CTRL_TYPE_INTEGER_MENU.rawValue {
                return unsafe CameraControl.MenuItem(index: Int(index), name: "\(fs_menu_value(&menu))")
            }
            var text = [CChar](repeating: 0, count: 33)
            // The call writes 33 bytes.
            unsafe text.withUnsafeMutableBufferPointer { unsafe fs_menu_name($0.baseAddress, &menu) }
            let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return CameraControl.MenuItem(index: Int(index), name: String(decoding: bytes, as: UTF8.self))
        }
    }

    /// Reads a control (VIDIOC_G_CTRL).
    func value(ofControl id: UInt32) throws(SystemError) -> Int {
        var control = v4l2_control(id: id, value: 0)
        try call("VIDIOC_G_CTRL", fs_VIDIOC_G_CTRL, &control)
        return Int(control.value)
    }

    /// Sets a control (VIDIOC_S_CTRL).
    func setControl(_ id: UInt32, to value: Int) throws(SystemError) {
        var control = v4l2_control(id: id, value: Int32(clamping: value))
        try call("VIDIOC_S_CTRL", fs_VIDIOC_S_CTRL, &control)
    }
}

/// Returns the zero-terminated text in a fixed-size field.
func name<Field>(of field: Field) -> String {
    unsafe withUnsafeBytes(of: field) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
