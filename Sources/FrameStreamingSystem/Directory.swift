internal import Glibc

/// An open directory, and the calls on the names in it. They reach this directory and no other,
/// even after it was renamed or replaced.
///
/// Unsafe code: the names are passed as C strings for the length of a call; the stream that readdir
/// needs is created, used and closed in one function.
package final class Directory: Sendable {
    private let descriptor: Descriptor

    /// Opens a directory; `ENOTDIR` where the path is something else.
    package init(_ path: String) throws(SystemError) {
        descriptor = try Descriptor.open(path, flags: O_RDONLY | O_DIRECTORY)
    }

    package func details() throws(SystemError) -> FileDetails { try descriptor.details() }
    package func tryLock() throws(SystemError) -> Descriptor.Lock { try descriptor.tryLock() }
    /// Returns when the names in the directory are on the disk.
    package func sync() throws(SystemError) { try descriptor.sync() }

    /// Opens a file in the directory for writing. Creates it, or empties an existing one.
    package func create(_ name: String) throws(SystemError) -> Descriptor {
        Descriptor(
            try retryingInterrupts("openat") {
                unsafe openat(descriptor.raw, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
            })
    }

    /// Renames a file in the directory, and replaces the file that had the new name.
    package func rename(_ name: String, to new: String) throws(SystemError) {
        _ = try retryingInterrupts("renameat") { unsafe renameat(descriptor.raw, name, descriptor.raw, new) }
    }

    /// Renames a file in the directory to a free name; `EEXIST` where it is taken.
    package func rename(_ name: String, toFree new: String) throws(SystemError) {
        do throws(SystemError) {
            _ = try retryingInterrupts("linkat") { unsafe linkat(descriptor.raw, name, descriptor.raw, new, 0) }
        } catch {
            guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(error.code) else { throw error }
            // This file system has no hard links. The caller holds the directory's lock, so no
            // other recorder comes in between.
            guard try !contains(new) else { throw SystemError("linkat", code: EEXIST) }
            return try rename(name, to: new)
        }
        try remove(name)
    }

    private func contains(_ name: String) throws(SystemError) -> Bool {
        do throws(SystemError) {
            _ = try retryingInterrupts("faccessat") { unsafe faccessat(descriptor.raw, name, F_OK, 0) }
            return true
        } catch {
            guard error.code == ENOENT else { throw error }
            return false
        }
    }

    package func remove(_ name: String) throws(SystemError) {
        _ = try retryingInterrupts("unlinkat") { unsafe unlinkat(descriptor.raw, name, 0) }
    }

    /// Calls `body` with each name except `.` and `..`, in no order, until it returns false.
    package func forEachName(_ body: (String) -> Bool) throws(SystemError) {
        // A second open file, which closedir closes: closing the first would release the lock.
        let own = try retryingInterrupts("openat") {
            unsafe openat(descriptor.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard let stream = unsafe fdopendir(own) else {
            let code = errno
            _ = Glibc.close(own)
            throw SystemError("fdopendir", code: code)
        }
        defer { unsafe closedir(stream) }
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw SystemError("readdir", code: errno) }
                return
            }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != "..", !body(name) { return }
        }
    }
}

/// mkdir(2): returns whether the directory was created; false = the name is taken.
package func makeNewDirectory(_ path: String) throws(SystemError) -> Bool {
    do throws(SystemError) {
        _ = try retryingInterrupts("mkdir") { unsafe mkdir(path, 0o755) }
        return true
    } catch {
        if error.code == EEXIST { return false }
        throw error
    }
}

/// rmdir(2): removes an empty directory.
package func removeDirectory(_ path: String) throws(SystemError) {
    _ = try retryingInterrupts("rmdir") { unsafe rmdir(path) }
}
