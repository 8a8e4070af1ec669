package import Glibc

/// A file descriptor that is closed with its last reference, and the plain file calls on it.
///
/// Unsafe code: the read and write calls take pointers; each passes the pointer and length of one
/// and the same span.
package final class Descriptor: Sendable {
    package let raw: CInt
    private let owned: Bool

    /// Takes over `raw`. A descriptor that is not owned (standard input) stays open.
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

    /// Opens for reading without waiting. A FIFO opens even without a writer, and reads never
    /// block.
    package static func openNonBlocking(_ path: String) throws(SystemError) -> Descriptor {
        try open(path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
    }

    /// Creates a file for writes that always append; `EEXIST` where the name is taken.
    package static func createNewForAppending(_ path: String) throws(SystemError) -> Descriptor {
        try open(path, flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
    }

    /// Creates a file that only this user may read and write; `EEXIST` where the name is taken.
    package static func createNewPrivate(_ path: String) throws(SystemError) -> Descriptor {
        try open(path, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    }

    /// Opens a file for writes that always append, without waiting.
    ///
    /// - Parameter create: Whether to create a missing file.
    package static func openForAppending(_ path: String, create: Bool) throws(SystemError) -> Descriptor {
        try open(path, flags: O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | (create ? O_CREAT : 0))
    }

    /// Opens an existing file for writing, unchanged and without waiting; `ENXIO` for a FIFO
    /// without a reader.
    package static func openForWriting(_ path: String) throws(SystemError) -> Descriptor {
        try open(path, flags: O_WRONLY | O_NONBLOCK | O_NOCTTY)
    }

    /// Reads once into the bytes behind `offset`; 0 = end, or no room. Throws `EAGAIN` like any
    /// other error.
    package func read(into bytes: inout MutableRawSpan, at offset: Int = 0) throws(SystemError) -> Int {
        precondition(offset >= 0 && offset <= bytes.byteCount)
        return try retryingInterrupts("read") {
            unsafe bytes.withUnsafeMutableBytes {
                unsafe Glibc.read(raw, $0.baseAddress?.advanced(by: offset), $0.count - offset)
            }
        }
    }

    /// Returns the bytes that have arrived at a socket, at most `count`, and leaves them unread.
    /// Waits for nothing: it throws `EAGAIN` where none has arrived. Empty = the peer's bytes have
    /// ended.
    package func peek(_ count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try retryingInterrupts("recv") {
            unsafe bytes.withUnsafeMutableBytes {
                unsafe recv(raw, $0.baseAddress, $0.count, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT))
            }
        }
        return Array(bytes.prefix(got))
    }

    /// Writes once, possibly less than all.
    package func write(_ bytes: RawSpan) throws(SystemError) -> Int {
        try retryingInterrupts("write") {
            unsafe bytes.withUnsafeBytes { unsafe Glibc.write(raw, $0.baseAddress, $0.count) }
        }
    }

    /// Writes both runs of bytes once, the second directly behind the first, possibly less than
    /// all.
    package func write(_ first: RawSpan, _ second: RawSpan) throws(SystemError) -> Int {
        try retryingInterrupts("writev") {
            unsafe first.withUnsafeBytes { first in
                unsafe second.withUnsafeBytes { second in
                    // writev only reads from the memory that its iovecs point at.
                    var parts = unsafe (
                        iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
                        iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
                    )
                    // Both elements of the homogeneous tuple are adjacent iovecs, and writev gets
                    // their exact count.
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

    /// The offset of the next read or write.
    package func position() throws(SystemError) -> Int {
        Int(try retryingInterrupts("lseek") { lseek(raw, 0, SEEK_CUR) })
    }

    /// Whether it is a terminal.
    package var isTerminal: Bool { isatty(raw) == 1 }

    package func truncate(to size: Int) throws(SystemError) {
        _ = try retryingInterrupts("ftruncate") { ftruncate(raw, off_t(size)) }
    }

    /// fdatasync(2): returns when the written bytes are on the disk, and the metadata that reading
    /// them needs.
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

    /// Reads up to `limit` bytes: for the small files of /proc and /sys.
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

/// rename(2): a recorder's files appear complete or not at all.
package func renameFile(_ from: String, to: String) throws(SystemError) {
    _ = try retryingInterrupts("rename") { unsafe rename(from, to) }
}

/// unlink(2).
package func removeFile(_ path: String) throws(SystemError) {
    _ = try retryingInterrupts("unlink") { unsafe unlink(path) }
}

/// access(2): throws unless the file is writable.
package func checkWritable(_ path: String) throws(SystemError) {
    _ = try retryingInterrupts("access") { unsafe access(path, W_OK) }
}

/// mkdir(2), which accepts an existing directory.
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
