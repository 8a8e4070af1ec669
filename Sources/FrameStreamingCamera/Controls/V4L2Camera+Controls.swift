public import FrameStreamingCore
internal import FrameStreamingSystem

extension V4L2Camera {
    /// The camera's controls with their values now; none while it is lost.
    public func controls() -> [CameraControl] {
        shared.withLock(\.ring)?.withNode { $0.controls() } ?? []
    }

    /// A control's value now.
    ///
    /// - Throws: `invalidArgument` for a name that it does not have; `unsupported` for a button; `sourceLost` while it is lost.
    public func value(ofControl name: String) throws(FrameStreamingError) -> Int {
        guard let controls = shared.withLock(\.ring)?.withNode({ $0.controls() }) else { throw lostForNow }
        guard let control = controls.first(where: { $0.name == CameraControl.name(of: name) }) else {
            throw FrameStreamingError(
                .invalidArgument,
                "the camera has no control \(name); it has \(controls.map(\.name).joined(separator: ", "))",
                subject: path)
        }
        guard let value = control.value else {
            throw FrameStreamingError(.unsupported, "the control \(control.name) has no value", subject: path)
        }
        return value
    }

    /// Sets a control, and again whenever the camera comes back. What stands in its way is switched off first: automatic exposure
    /// before an exposure time. While the camera is lost, it is set when it is back.
    ///
    /// - Throws: `invalidArgument` for a name or value that it does not have, `unsupported` for one that can only be read,
    ///   `notPermitted` and `busy` as the driver says.
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
        FrameStreamingError(.sourceLost, "the camera is lost: ask again when it is back", subject: path)
    }
}
