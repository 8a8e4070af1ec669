internal import FrameStreaming
internal import Glibc

/// Writes each picture to a new file, and never replaces one.
///
/// Unsafe code: the system's calls, each with a path or a buffer that lives as long as the call.
struct SnapshotFolder {
    /// The folder's path.
    let path: String

    /// Writes a JPEG as it was received. Returns the file's path.
    ///
    /// - Throws: `notFound` and `notPermitted` if the folder does not exist or cannot be written,
    ///   `system` if the disk is full or fails. No new file is left then.
    func write(_ jpeg: Frame, at time: time_t) throws(FrameStreamingError) -> String {
        for attempt in 1...1000 {
            let name = "\(path)/\(Self.name(stamp(time), attempt))"
            // O_EXCL, because another program could create the file between a check and the write.
            let file = unsafe open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if file < 0, errno == EEXIST { continue }
            guard file >= 0 else { throw Self.failure(errno, name) }
            if let code = Self.write(jpeg, to: file) {
                unsafe unlink(name)
                throw Self.failure(code, name)
            }
            return name
        }
        throw FrameStreamingError(
            .busy, "there are a thousand snapshots of this second: take the next one in a second", subject: path)
    }

    /// `frame-view-20261123-045512.jpg`, and `-2` and so on for more of the same second.
    static func name(_ stamp: String, _ attempt: Int) -> String {
        "frame-view-\(stamp)\(attempt == 1 ? "" : "-\(attempt)").jpg"
    }

    /// Writes everything and closes the file. Returns the errno of a failure.
    private static func write(_ jpeg: Frame, to file: CInt) -> CInt? {
        let written = unsafe jpeg.withUnsafeBytes { bytes -> CInt? in
            var done = 0
            while done < bytes.count {
                // Inside the buffer: `done` is below its count.
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
                let count = unsafe Glibc.write(file, rest.baseAddress, rest.count)
                if count < 0, errno != EINTR { return errno }
                done += max(0, count)
            }
            return nil
        }
        // A network file system may report only here that it is full.
        let closed = close(file) == 0 ? nil : errno
        return written ?? closed
    }

    private static func failure(_ code: CInt, _ name: String) -> FrameStreamingError {
        switch code {
        case ENOENT, ENOTDIR:
            FrameStreamingError(
                .notFound, "there is no such folder: make it, or name another with --snapshots", subject: name,
                errno: code)
        case EACCES, EPERM, EROFS:
            FrameStreamingError(
                .notPermitted, "the folder cannot be written: name another with --snapshots", subject: name, errno: code
            )
        default:
            FrameStreamingError(
                .system, "the snapshot was not written: \(unsafe String(cString: strerror(code)))", subject: name,
                errno: code)
        }
    }
}

/// `20261123-045512`, local time.
func stamp(_ time: time_t) -> String {
    var (time, parts) = unsafe (time, tm())
    unsafe localtime_r(&time, &parts)
    func digits(_ value: CInt, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    return unsafe digits(parts.tm_year + 1900, 4) + digits(parts.tm_mon + 1, 2) + digits(parts.tm_mday, 2) + "-"
        + digits(parts.tm_hour, 2) + digits(parts.tm_min, 2) + digits(parts.tm_sec, 2)
}
