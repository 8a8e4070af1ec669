package import Glibc

/// A file descriptor that is closed with its last reference, and the plain file calls on it.
///
/// Unsafe code: the read and write calls take pointers; each passes the pointer and length of one and the same span.
package final class Descriptor: Sendable {
    package let raw: CInt
    private let owned: Bool

    /// Takes over `raw`; a borrowed one (standard input) is left open.
    package init(_ raw: CInt, owned: Bool = true) {
        self.raw = raw
        self.owned = owned
    }

    deinit {
        if owned { _ = Glibc.close(raw) }
    }

    package enum Kind: Sendable { case regular, directory, fifo, socket, character, other }

    package static func open(
        _ path: String, flags: CInt = O_RDONLY, mode: mode_t = 0o644
    ) throws(SystemError) -> Descriptor {
        let raw = try retryingInterrupts("open") { unsafe Glibc.open(path, flags | O_CLOEXEC, mode) }
        return Descriptor(raw)
    }

    /// Opens for reading without waiting: a FIFO without a writer is opened all the same, and its reads never block.
    package static func openNonBlocking(_ path: String) throws(SystemError) -> Descriptor {
        try open(path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
    }

    /// Opens for writing, made where it is not there, emptied where it is.
    package static func create(_ path: String) throws(SystemError) -> Descriptor {
        try open(path, flags: O_WRONLY | O_CREAT | O_TRUNC)
    }

    /// Makes a file for writing; `EEXIST` where something is there.
    package static func createNew(_ path: String) throws(SystemError) -> Descriptor {
        try open(path, flags: O_WRONLY | O_CREAT | O_EXCL)
    }

    /// Makes a file for writes that go behind what is there by then; `EEXIST` where something is there.
    package static func createNewForAppending(_ path: String) throws(SystemError) -> Descriptor {
        try open(path, flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
    }

    /// Opens a file for writes that go behind what is there by then, without waiting.
    ///
    /// - Parameter create: Whether to make it where it is not there.
    package static func openForAppending(_ path: String, create: Bool) throws(SystemError) -> Descriptor {
        try open(path, flags: O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | (create ? O_CREAT : 0))
    }

    /// Opens what is there for writing, as it is, without waiting: a FIFO without a reader is `ENXIO`.
    package static func openForWriting(_ path: String) throws(SystemError) -> Descriptor {
        try open(path, flags: O_WRONLY | O_NONBLOCK | O_NOCTTY)
    }

    /// Kind and size in bytes, from fstat.
    package func status() throws(SystemError) -> (kind: Kind, size: Int) {
        var status = stat()
        _ = try retryingInterrupts("fstat") { unsafe fstat(raw, &status) }
        return (Kind(status), Int(status.st_size))
    }

    /// One read into what is behind `offset`; 0 = end, or no room. `EAGAIN` is thrown like any other.
    package func read(into bytes: inout MutableRawSpan, at offset: Int = 0) throws(SystemError) -> Int {
        precondition(offset >= 0 && offset <= bytes.byteCount)
        return try retryingInterrupts("read") {
            unsafe bytes.withUnsafeMutableBytes {
                unsafe Glibc.read(raw, $0.baseAddress?.advanced(by: offset), $0.count - offset)
            }
        }
    }

    /// One write; may write less than all.
    package func write(_ bytes: RawSpan) throws(SystemError) -> Int {
        try retryingInterrupts("write") {
            unsafe bytes.withUnsafeBytes { unsafe Glibc.write(raw, $0.baseAddress, $0.count) }
        }
    }

    /// One write of both runs of bytes, the second directly behind the first; may write less than all.
    package func write(_ first: RawSpan, _ second: RawSpan) throws(SystemError) -> Int {
        try retryingInterrupts("writev") {
            unsafe first.withUnsafeBytes { first in
                unsafe second.withUnsafeBytes { second in
                    // writev only reads from what its iovecs point at.
                    var parts = unsafe (
                        iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
                        iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
                    )
                    // Both elements of the homogeneous tuple are adjacent iovecs, and writev gets their exact count.
                    return unsafe withUnsafeBytes(of: &parts) {
                        unsafe writev(raw, $0.baseAddress?.assumingMemoryBound(to: iovec.self), 2)
                    }
                }
            }
        }
    }

    package func writeAll(_ bytes: RawSpan) throws(SystemError) {
        var done = 0
        while done < bytes.byteCount {
            done += try write(bytes.extracting(droppingFirst: done))
        }
    }

    package func seek(to offset: Int) throws(SystemError) {
        _ = try retryingInterrupts("lseek") { lseek(raw, off_t(offset), SEEK_SET) }
    }

    /// Where the next read or write goes.
    package func position() throws(SystemError) -> Int {
        Int(try retryingInterrupts("lseek") { lseek(raw, 0, SEEK_CUR) })
    }

    package func truncate(to size: Int) throws(SystemError) {
        _ = try retryingInterrupts("ftruncate") { ftruncate(raw, off_t(size)) }
    }

    /// fdatasync(2): returns when what was written is on the disk, with as much as is needed to read it.
    package func syncData() throws(SystemError) {
        _ = try retryingInterrupts("fdatasync") { fdatasync(raw) }
    }

    /// fsync(2).
    package func sync() throws(SystemError) {
        _ = try retryingInterrupts("fsync") { fsync(raw) }
    }

    package func setNonBlocking() throws(SystemError) {
        let flags = try retryingInterrupts("fcntl") { fcntl(raw, F_GETFL) }
        _ = try retryingInterrupts("fcntl") { fcntl(raw, F_SETFL, flags | O_NONBLOCK) }
    }

    /// Everything up to `limit` bytes: for the small files of /proc and /sys.
    package func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while result.count < limit {
            var span = chunk.mutableSpan
            var bytes = unsafe span.mutableBytes
            let count = try read(into: &bytes)
            if count == 0 { break }
            result += chunk[..<count]
        }
        return Array(result.prefix(limit))
    }
}

/// rename(2): what a recorder uses to let a file appear whole or not at all.
package func renameFile(_ from: String, to: String) throws(SystemError) {
    _ = try retryingInterrupts("rename") { unsafe rename(from, to) }
}

/// unlink(2).
package func removeFile(_ path: String) throws(SystemError) {
    _ = try retryingInterrupts("unlink") { unsafe unlink(path) }
}

/// access(2): whether it may be written.
package func checkWritable(_ path: String) throws(SystemError) {
    _ = try retryingInterrupts("access") { unsafe access(path, W_OK) }
}

/// mkdir(2) that is content with a directory that is there.
package func makeDirectory(_ path: String) throws(SystemError) {
    do throws(SystemError) {
        _ = try retryingInterrupts("mkdir") { unsafe mkdir(path, 0o755) }
    } catch {
        if error.code != EEXIST { throw error }
    }
}

extension Descriptor.Kind {
    init(_ status: stat) {
        self =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFCHR: .character
            default: .other
            }
    }
}
