internal import CV4L2
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Turns settings by name into values for the driver, with automatic modes first, because a driver
/// refuses a value that an automatic mode sets.
enum ControlPlan {
    struct Step: Hashable {
        var control: CameraControl
        var value: Int
    }

    /// For each control, the automatic mode that must be off before it can be
    /// set, and the value that means off.
    private static let automatic: [UInt32: (id: UInt32, off: Int)] = [
        UInt32(V4L2_CID_EXPOSURE_ABSOLUTE): (UInt32(V4L2_CID_EXPOSURE_AUTO), 1),
        UInt32(V4L2_CID_EXPOSURE): (UInt32(V4L2_CID_EXPOSURE_AUTO), 1),
        UInt32(V4L2_CID_WHITE_BALANCE_TEMPERATURE): (UInt32(V4L2_CID_AUTO_WHITE_BALANCE), 0),
        UInt32(V4L2_CID_RED_BALANCE): (UInt32(V4L2_CID_AUTO_WHITE_BALANCE), 0),
        UInt32(V4L2_CID_BLUE_BALANCE): (UInt32(V4L2_CID_AUTO_WHITE_BALANCE), 0),
        UInt32(V4L2_CID_FOCUS_ABSOLUTE): (UInt32(V4L2_CID_FOCUS_AUTO), 0),
        UInt32(V4L2_CID_GAIN): (UInt32(V4L2_CID_AUTOGAIN), 0),
        UInt32(V4L2_CID_HUE): (UInt32(V4L2_CID_HUE_AUTO), 0),
        UInt32(V4L2_CID_BRIGHTNESS): (UInt32(V4L2_CID_AUTOBRIGHTNESS), 0),
        UInt32(V4L2_CID_ISO_SENSITIVITY): (UInt32(V4L2_CID_ISO_SENSITIVITY_AUTO), 0),
    ]

    /// Returns the values to set, in order.
    ///
    /// - Throws: `invalidArgument` for a name or a value that the camera does not have;
    ///   `unsupported` for a control that is read-only.
    static func steps(
        for settings: [CameraControlSetting], among controls: [CameraControl]
    ) throws(FrameStreamingError) -> [Step] {
        var steps: [Step] = []
        for setting in settings {
            let wanted = CameraControl.name(of: setting.name)
            guard let control = controls.first(where: { $0.name == wanted }) else {
                throw FrameStreamingError(
                    .invalidArgument,
                    "the camera has no control \(setting.name): its controls are \(controls.map(\.name).joined(separator: ", "))"
                )
            }
            guard !control.isReadOnly else {
                throw FrameStreamingError(.unsupported, "the control \(control.name) is read-only")
            }
            steps.append(Step(control: control, value: try value(of: setting, for: control)))
        }
        let asked = Set(steps.map(\.control.id))
        var first: [Step] = []
        for step in steps {
            guard let automatic = automatic[step.control.id], !asked.contains(automatic.id),
                let control = controls.first(where: { $0.id == automatic.id }), control.value != automatic.off,
                !control.isReadOnly, !first.contains(where: { $0.control.id == control.id })
            else { continue }
            first.append(Step(control: control, value: automatic.off))
        }
        let switches = Set(automatic.values.map(\.id))
        return first + steps.filter { switches.contains($0.control.id) }
            + steps.filter { !switches.contains($0.control.id) }
    }

    private static func value(
        of setting: CameraControlSetting, for control: CameraControl
    ) throws(FrameStreamingError) -> Int {
        let text = setting.value.lowercased()
        func refused(_ remedy: String) -> FrameStreamingError {
            FrameStreamingError(
                .invalidArgument, "the control \(control.name) does not take \(setting.value): \(remedy)")
        }
        switch control.kind {
        case .button: return 1
        case .boolean:
            if ["1", "on", "true", "yes"].contains(text) { return 1 }
            if ["0", "off", "false", "no"].contains(text) { return 0 }
            throw refused("use on or off")
        case .menu:
            if let item = control.items.first(where: { $0.name.lowercased() == text }) { return item.index }
            if let index = Int(text), control.items.contains(where: { $0.index == index }) { return index }
            throw refused("use one of " + control.items.map { "\($0.index) (\($0.name))" }.joined(separator: ", "))
        default:
            guard let number = Int(text), number >= control.minimum, number <= control.maximum else {
                throw refused("use \(control.minimum) to \(control.maximum)")
            }
            return number
        }
    }

    /// Sets the values one after another. A refusal is reported and does not stop the camera.
    static func apply(_ steps: [Step], to node: VideoNode, refused: (Step, FrameStreamingError) -> Void) {
        for step in steps {
            do throws(SystemError) {
                try node.setControl(step.control.id, to: step.value)
            } catch {
                refused(step, refusal(error, step, node.path))
            }
        }
    }

    static func refusal(_ error: SystemError, _ step: Step, _ path: String) -> FrameStreamingError {
        let (code, remedy): (FrameStreamingError.Code, String) =
            switch error.code {
            case Errno.access, Errno.notPermitted:
                (.notPermitted, "it cannot be set now, perhaps because an automatic mode sets it")
            case Errno.outOfRange:
                (.invalidArgument, "\(step.value) is out of range, \(step.control.minimum) to \(step.control.maximum)")
            case Errno.busy: (.busy, "it cannot be set while the camera streams, or another program uses it")
            default: (.system, error.reason)
            }
        return FrameStreamingError(
            code, "the control \(step.control.name) was not set to \(step.value): \(remedy)", subject: path,
            errno: error.code)
    }
}
