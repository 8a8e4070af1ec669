public import FrameStreamingCore
internal import FrameStreamingSystem

extension V4L2Camera {
    /// Returns the camera's controls with their values now; none while the camera is lost.
    ///
    /// May be called from any thread.
    public func controls() -> [CameraControl] {
        shared.withLock(\.ring)?.withNode { $0.controls() } ?? []
    }

    /// Returns a control's value now.
    ///
    /// - Throws: `invalidArgument` for a name that the camera does not have; `unsupported` for a
    ///   button; `sourceLost` while the camera is lost.
    public func value(ofControl name: String) throws(FrameStreamingError) -> Int {
        guard let controls = shared.withLock(\.ring)?.withNode({ $0.controls() }) else { throw lostForNow }
        guard let control = controls.first(where: { $0.name == CameraControl.name(of: name) }) else {
            throw FrameStreamingError(
                .invalidArgument,
                "the camera has no control \(name): its controls are \(controls.map(\.name).joined(separator: ", "))",
                subject: path)
        }
        guard let value = control.value else {
            throw FrameStreamingError(.unsupported, "the control \(control.name) has no value", subject: path)
        }
        return value
    }

    /// Sets a control now, and again each time the camera comes back. While the camera is lost, the
    /// control is set when it comes back.
    ///
    /// An automatic mode that sets the same value is switched off first, such as automatic exposure
    /// before an exposure time. May be called from any thread.
    ///
    /// - Throws: `invalidArgument` for a name or a value that the camera does not
    ///   have; `unsupported` for a control that is read-only; `notPermitted` or
    ///   `busy` if the driver refuses the value.
    public func set(_ setting: CameraControlSetting) throws(FrameStreamingError) {
        let refusal: Result<Void, FrameStreamingError>? = shared.withLock(\.ring)?.withNode { node in
            do throws(FrameStreamingError) {
                let steps = try ControlPlan.steps(for: [setting], among: node.controls())
                var refusal: FrameStreamingError?
                ControlPlan.apply(steps, to: node) { refusal = $1 }
                return refusal.map { .failure($0) } ?? .success(())
            } catch {
                return .failure(error)
            }
        }
        if case .failure(let error) = refusal { throw error }
        let name = CameraControl.name(of: setting.name)
        shared.withLock { shared in
            shared.controls.removeAll { CameraControl.name(of: $0.name) == name }
            shared.controls.append(setting)
        }
    }

    private var lostForNow: FrameStreamingError {
        FrameStreamingError(.sourceLost, "the camera is lost: try again when it is back", subject: path)
    }
}
