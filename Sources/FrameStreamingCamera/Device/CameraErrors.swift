internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Turns the errnos of V4L2 drivers into errors that say what to do.
enum CameraErrors {
    static func opening(_ error: SystemError, _ path: String) -> FrameStreamingError {
        let (code, words): (FrameStreamingError.Code, String) =
            switch error.code {
            case Errno.access, Errno.notPermitted:
                (
                    .notPermitted,
                    "no permission: add the user to the group video (sudo usermod -aG video $USER) and log in again"
                )
            case Errno.noEntry, Errno.notDirectory:
                (.notFound, "there is no such camera: check the path, or list /dev/video*")
            case Errno.noDevice, Errno.noSuchAddress:
                (.notFound, "the camera is gone: plug it in again")
            case Errno.busy: (.busy, busy)
            case Errno.noTerminal, Errno.invalid, Errno.isDirectory:
                (.unsupported, "this is not a V4L2 device: use a /dev/video path")
            default: (.system, "\(error.reason) (\(error.call))")
            }
        return FrameStreamingError(code, words, subject: path, errno: error.code)
    }

    static let busy = "another program uses the camera: end it (fuser -v shows which) or use another camera"

    static func streaming(_ error: SystemError, _ path: String) -> FrameStreamingError {
        let (code, words): (FrameStreamingError.Code, String) =
            switch error.code {
            case Errno.busy: (.busy, busy)
            case Errno.noSpace:
                (
                    .limitExceeded,
                    "no USB bandwidth is left for this size and rate: use a smaller size, a lower rate, MJPG, or another USB bus"
                )
            case Errno.noDevice, Errno.noSuchAddress: (.sourceLost, "the camera is gone: plug it in again")
            case Errno.outOfMemory:
                (.system, "the driver has no memory for its buffers: use a smaller size or fewer buffers")
            case Errno.noLink: (.sourceLost, "no signal: connect the source and switch it on")
            case Errno.noLock: (.sourceLost, "the signal is too unstable to lock on to: check the cable")
            case Errno.outOfRange:
                (.sourceLost, "the input cannot take this signal: choose another at the source")
            case Errno.inputOutput:
                (
                    .sourceLost,
                    "the driver reports an input/output error (\(error.call)): check the cable, or plug the camera in again"
                )
            default: (.system, "\(error.reason) (\(error.call))")
            }
        return FrameStreamingError(code, words, subject: path, errno: error.code)
    }

    static func notACamera(_ path: String, _ capability: NodeCapability) -> FrameStreamingError {
        FrameStreamingError(
            .unsupported,
            "\(capability.card) does not capture pictures with this node, which is for metadata, output or conversion: use another node of the device",
            subject: path)
    }

    static func stalled(_ path: String, _ time: Duration) -> FrameStreamingError {
        FrameStreamingError(.sourceLost, "no picture for \(time): the camera has stalled", subject: path)
    }
}
