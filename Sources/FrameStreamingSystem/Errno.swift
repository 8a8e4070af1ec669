internal import Glibc

/// errno's names for the modules that do not import Glibc.
package enum Errno {
    package static let again = EAGAIN
    package static let noEntry = ENOENT
    package static let exists = EEXIST
    package static let access = EACCES
    package static let notPermitted = EPERM
    package static let busy = EBUSY
    package static let addressInUse = EADDRINUSE
    package static let brokenPipe = EPIPE
    package static let connectionReset = ECONNRESET
    package static let connectionRefused = ECONNREFUSED
    package static let timedOut = ETIMEDOUT
    package static let isDirectory = EISDIR
    package static let notDirectory = ENOTDIR
    package static let noSpace = ENOSPC
    package static let hostUnreachable = EHOSTUNREACH
    package static let networkUnreachable = ENETUNREACH
    package static let inProgress = EINPROGRESS
    package static let connectionAborted = ECONNABORTED
    package static let addressNotAvailable = EADDRNOTAVAIL
    package static let invalid = EINVAL
    package static let badDescriptor = EBADF
    package static let notSocket = ENOTSOCK
}

/// The errors that device drivers return.
extension Errno {
    package static let interrupted = EINTR
    package static let noDevice = ENODEV
    package static let noSuchAddress = ENXIO
    package static let inputOutput = EIO
    package static let noTerminal = ENOTTY
    package static let outOfRange = ERANGE
    package static let outOfMemory = ENOMEM
    package static let noLink = ENOLINK
    package static let noLock = ENOLCK
    package static let protocolError = EPROTO
    package static let noData = ENODATA
}
