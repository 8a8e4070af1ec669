internal import Glibc

/// A directory that is open, and the calls on the names in it. They reach this directory and no other, whatever becomes of its path.
///
/// Unsafe code: the names are passed as C strings for the length of a call; the stream that readdir needs is made, used and closed
/// in one function.
package final class Directory: Sendable {
    private let descriptor: Descriptor

    /// Opens a directory; `ENOTDIR` where there is something else.
    package init(_ path: String) throws(SystemError) {
        descriptor = try Descriptor.open(path, flags: O_RDONLY | O_DIRECTORY)
    }

    package func details() throws(SystemError) -> FileDetails { try descriptor.details() }
    package func tryLock() throws(SystemError) -> Descriptor.Lock { try descriptor.tryLock() }
    /// Returns when the names in it are on the disk.
    package func sync() throws(SystemError) { try descriptor.sync() }

    /// Opens a file in it for writing, made where it is not there, emptied where it is.
    package func create(_ name: String) throws(SystemError) -> Descriptor {
        Descriptor(
            try retryingInterrupts("openat") {
                unsafe openat(descriptor.raw, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
            })
    }

    /// Gives a file in it another name; what has that name is replaced.
    package func rename(_ name: String, to new: String) throws(SystemError) {
        _ = try retryingInterrupts("renameat") { unsafe renameat(descriptor.raw, name, descriptor.raw, new) }
    }

    /// Gives a file in it another name that is free; `EEXIST` where it is not.
    package func rename(_ name: String, toFree new: String) throws(SystemError) {
        do throws(SystemError) {
            _ = try retryingInterrupts("linkat") { unsafe linkat(descriptor.raw, name, descriptor.raw, new, 0) }
        } catch {
            guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(error.code) else { throw error }
            // No second names on this file system. Who asks holds the directory's lock, so that no recorder comes in between.
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

    /// Calls `body` with each name but `.` and `..`, in no order, until it returns false.
    package func forEachName(_ body: (String) -> Bool) throws(SystemError) {
        // A descriptor of its own, which closedir closes: another open file, so that the lock is not let go.
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

/// mkdir(2): whether it was made; false = something of that name is there.
package func makeNewDirectory(_ path: String) throws(SystemError) -> Bool {
    do throws(SystemError) {
        _ = try retryingInterrupts("mkdir") { unsafe mkdir(path, 0o755) }
        return true
    } catch {
        if error.code == EEXIST { return false }
        throw error
    }
}

/// rmdir(2): only where nothing is in it.
package func removeDirectory(_ path: String) throws(SystemError) {
    _ = try retryingInterrupts("rmdir") { unsafe rmdir(path) }
}
