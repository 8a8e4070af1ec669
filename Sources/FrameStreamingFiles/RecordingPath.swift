public import FrameStreamingCore
import FrameStreamingSystem

/// Where recordings go.
public enum RecordingPath {
    /// The path of the `number`th recording: `out.y4m` itself, then `out-2.y4m`, `out-3.y4m`; of a directory `DIR`, `DIR-2`.
    public static func numbered(_ path: String, _ number: Int) -> String {
        guard number > 1 else { return path }
        var bytes = Array(path.utf8)
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        let name = (bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
        // The dot of a hidden file's name does not begin an ending.
        let dot = bytes[name...].lastIndex(of: UInt8(ascii: "."))
        let end = dot.map { $0 > name ? $0 : bytes.count } ?? bytes.count
        bytes.insert(contentsOf: Array("-\(number)".utf8), at: end)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Sees whether ``MJPEGRecorder`` and ``Y4MRecorder`` can write there, before the first picture comes. What is in the file stays, and
    /// where there is none, none is left.
    ///
    /// - Throws: `notFound` where the directory is not there; `notPermitted`; `system`.
    public static func checkFile(_ path: String) throws(FrameStreamingError) {
        do throws(SystemError) {
            switch try fileKind(path) {
            case .directory: throw SystemError("open", code: Errno.isDirectory)
            // To open and close one would be the end for who reads it.
            case .fifo: try checkWritable(path)
            case .some: _ = try Descriptor.openForWriting(path)
            case nil: try tryFile(path)
            }
        } catch {
            throw FrameStreamingError(
                error, subject: path,
                remedy:
                    "the recording cannot be made there; name a file in a directory that is there and may be written")
        }
    }

    /// Sees whether ``JPEGDirectoryRecorder`` can write there, before the first picture comes. The directory is made where it is not there.
    ///
    /// - Throws: As `JPEGDirectoryRecorder.init(path:)`, and `notPermitted` or `system` where no file can be made in it.
    public static func checkDirectory(_ path: String) throws(FrameStreamingError) {
        let recorder = try JPEGDirectoryRecorder(path: path)
        do throws(SystemError) {
            try tryFile("\(recorder.path)/.frame-check.part")
        } catch {
            throw FrameStreamingError(
                error, subject: path, remedy: "no picture can be written there; name a directory that may be written")
        }
    }

    /// Makes a file, and removes it.
    private static func tryFile(_ path: String) throws(SystemError) {
        do throws(SystemError) {
            _ = try Descriptor.createNew(path)
        } catch {
            // Somebody else was faster, or the file's place is a link that leads to where there is none: writing will tell.
            if error.code == Errno.exists { return }
            throw error
        }
        try removeFile(path)
    }
}
