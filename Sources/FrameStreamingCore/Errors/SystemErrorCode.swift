internal import FrameStreamingSystem

extension SystemError {
    /// The code of an errno, whatever call it is from; callers that know more choose a better one.
    var commonCode: FrameStreamingError.Code {
        switch code {
        case Errno.noEntry, Errno.notDirectory: .notFound
        case Errno.access, Errno.notPermitted: .notPermitted
        case Errno.busy: .busy
        case Errno.addressInUse: .addressInUse
        case Errno.brokenPipe, Errno.connectionReset, Errno.timedOut: .connectionLost
        case Errno.connectionRefused, Errno.hostUnreachable, Errno.networkUnreachable: .connectionFailed
        default: .system
        }
    }
}
