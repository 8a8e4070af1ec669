internal import Glibc

/// The result of fstat and stat: the file's identity, size and number of names.
package struct FileDetails: Hashable, Sendable {
    /// Identifies a file, whatever its name: a file that was removed and created again is another
    /// one.
    package struct Identity: Hashable, Sendable {
        let device: UInt64
        let inode: UInt64
    }

    package let kind: Descriptor.Kind
    package let size: Int
    /// The number of names; 0 = the file was removed, and lives only until its last descriptor is
    /// closed.
    package let linkCount: Int
    package let identity: Identity
    /// The lowest nine bits of its mode: who may read, write and execute it.
    package let permissions: UInt32
    /// The number of the user who owns it.
    package let owner: UInt32

    fileprivate init(_ status: stat) {
        kind = Descriptor.Kind(status)
        size = Int(status.st_size)
        linkCount = Int(status.st_nlink)
        permissions = UInt32(status.st_mode) & 0o777
        owner = UInt32(status.st_uid)
        identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}

/// The number of the user whose rights this process has.
package func currentUser() -> UInt32 { UInt32(geteuid()) }

/// Returns what `path` leads to, through links; nil = nothing.
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
    /// Returns the details of the open file.
    package func details() throws(SystemError) -> FileDetails {
        var status = stat()
        _ = try retryingInterrupts("fstat") { unsafe fstat(raw, &status) }
        return FileDetails(status)
    }
}
