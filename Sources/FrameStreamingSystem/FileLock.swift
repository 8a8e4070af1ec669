internal import Glibc

extension Descriptor {
    /// The result of a request for a lock.
    package enum Lock: Sendable {
        case taken
        /// Another open file has the lock: another program's, or another recording of this one.
        case busy
        /// The file system has no locks.
        case unsupported
    }

    /// Locks the file or directory against every other request for its lock; never waits.
    ///
    /// The lock belongs to the open file. It ends when that is closed, and so with the process,
    /// however the process ends.
    package func tryLock() throws(SystemError) -> Lock {
        do throws(SystemError) {
            _ = try retryingInterrupts("flock") { flock(raw, LOCK_EX | LOCK_NB) }
            return .taken
        } catch {
            switch error.code {
            case EWOULDBLOCK: return .busy
            // NFS cannot lock a file that is not open for writing, as directories are: EBADF.
            case ENOLCK, EOPNOTSUPP, ENOSYS, EINVAL, EBADF: return .unsupported
            default: throw error
            }
        }
    }
}
