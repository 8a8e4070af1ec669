public import FrameStreamingCore
import FrameStreamingSystem

/// Writes JPEG pictures to numbered files in a directory: `frame-000001.jpg` and so on.
///
/// Each is written under another name and then renamed, so that under its own name it is whole or not there at all. A
/// kill may leave one file `.frame-....part`.
public final class JPEGDirectoryRecorder: FrameRecorder {
    /// The directory that it writes.
    public let path: String
    /// Pictures written so far.
    public private(set) var frameCount = 0
    /// The file of the last picture; nil before the first.
    public private(set) var lastPath: String?

    private var isClosed = false

    /// Makes the directory where it is not there. Files in it of the same names are replaced, others are left alone.
    ///
    /// - Throws: `invalidArgument` where there is a file of that name; `notFound` where the directory above is not there;
    ///   `notPermitted`.
    public init(path: String) throws(FrameStreamingError) {
        self.path = path
        let kind: Descriptor.Kind
        do throws(SystemError) {
            try makeDirectory(path)
            kind = try Descriptor.openNonBlocking(path).status().kind
        } catch {
            throw FrameStreamingError(error, subject: path, remedy: "the directory cannot be made there")
        }
        guard kind == .directory else {
            throw FrameStreamingError(
                .invalidArgument, "is a file: give a directory, or a name that is free", subject: path,
                errno: Errno.notDirectory)
        }
    }

    /// Whether it is a JPEG, of any size.
    public func accepts(_ frame: Frame) -> Bool { frame.format.pixelFormat == .jpeg }

    /// Writes one JPEG to a file of its own.
    ///
    /// - Throws: `unsupported` for other pixel formats; `system` where the disk is full or fails; `closed` after ``close()``.
    public func write(_ frame: Frame) throws(FrameStreamingError) {
        guard !isClosed else {
            throw FrameStreamingError(.closed, "the recording was closed earlier", subject: path)
        }
        guard accepts(frame) else {
            throw FrameStreamingError(
                .unsupported,
                "the files hold JPEG pictures, not \(frame.format.pixelFormat): encode first, or record Y4M",
                subject: path)
        }
        let digits = String(frameCount + 1)
        let name = "frame-" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
        let temporary = "\(path)/.\(name).part"
        let final = "\(path)/\(name).jpg"
        do throws(SystemError) {
            let file = try Descriptor.create(temporary)
            do throws(SystemError) {
                try file.writeAll(frame.bytes)
                try renameFile(temporary, to: final)
            } catch {
                // The first error is the one that counts.
                try? removeFile(temporary)
                throw error
            }
        } catch {
            throw FrameStreamingError(
                error, subject: final, remedy: "the picture was not written; those before it are whole")
        }
        lastPath = final
        frameCount += 1
    }

    /// Ends the recording. Again and again.
    public func close() { isClosed = true }
}
