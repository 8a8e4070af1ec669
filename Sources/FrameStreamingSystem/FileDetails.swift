internal import Glibc

/// What fstat and stat say of a file: which one it is, how large, and under how many names it can be found.
package struct FileDetails: Hashable, Sendable {
    /// Which file it is, whatever its name: a file that was removed and made again is another one.
    package struct Identity: Hashable, Sendable {
        let device: UInt64
        let inode: UInt64
    }

    package let kind: Descriptor.Kind
    package let size: Int
    /// Names of the file; 0 = it was removed, and is there only for those that have it open.
    package let linkCount: Int
    package let identity: Identity

    fileprivate init(_ status: stat) {
        kind = Descriptor.Kind(status)
        size = Int(status.st_size)
        linkCount = Int(status.st_nlink)
        identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}

/// What is at `path`, where a link leads; nil = nothing.
package func fileDetails(_ path: String) throws(SystemError) -> FileDetails? {
    var status = stat()
    do throws(SystemError) {
        _ = try retryingInterrupts("stat") { unsafe stat(path, &status) }
    } catch {
        if error.code == ENOENT { return nil }
        throw error
    }
    return FileDetails(status)
}

extension Descriptor {
    /// What the descriptor has open.
    package func details() throws(SystemError) -> FileDetails {
        var status = stat()
        _ = try retryingInterrupts("fstat") { unsafe fstat(raw, &status) }
        return FileDetails(status)
    }
}
