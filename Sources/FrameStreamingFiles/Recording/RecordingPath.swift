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
    /// - Returns: The name that a recorder with these options would have now.
    /// - Throws: `alreadyExists` where the options refuse the name; `notFound` where the directory is not there; `notPermitted`; `system`.
    @discardableResult
    public static func checkFile(
        _ path: String, options: RecordingOptions = RecordingOptions()
    ) throws(FrameStreamingError) -> String {
        try RecordingNames(path: path, options: options).first { name, number throws(FrameStreamingError) in
            do throws(SystemError) {
                let found = try fileDetails(name)
                switch found?.kind {
                case .directory:
                    guard number == options.firstNumber else { return .exists(isLocked: false) }
                    throw SystemError("open", code: Errno.isDirectory)
                // To open and close one would be the end for who reads it.
                case .fifo: try checkWritable(name)
                case .regular where (found?.size ?? 0) > 0 && options.existing != .replace:
                    return .exists(isLocked: false)
                case .some: _ = try Descriptor.openForWriting(name)
                case nil: try tryFile(name)
                }
                return .taken(name)
            } catch {
                throw FrameStreamingError(
                    error, subject: name,
                    remedy:
                        "the recording cannot be made there; name a file in a directory that is there and may be written"
                )
            }
        }
    }

    /// Sees whether ``JPEGDirectoryRecorder`` can write there, before the first picture comes. The directory is made where it is not there.
    ///
    /// - Returns: The name that a recorder with these options would have now.
    /// - Throws: As `JPEGDirectoryRecorder.init(path:options:)`, and `notPermitted` or `system` where no file can be made in it.
    @discardableResult
    public static func checkDirectory(
        _ path: String, options: RecordingOptions = RecordingOptions()
    ) throws(FrameStreamingError) -> String {
        // Nothing is to be removed before the first picture.
        let name = try DirectoryClaim.check(path, options)
        do throws(SystemError) {
            try tryFile("\(name)/.frame-check.part")
        } catch {
            throw FrameStreamingError(
                error, subject: name, remedy: "no picture can be written there; name a directory that may be written")
        }
        return name
    }

    /// Makes a file, and removes it.
    private static func tryFile(_ path: String) throws(SystemError) {
        let file: Descriptor
        do throws(SystemError) {
            file = try Descriptor.createNewForAppending(path)
        } catch {
            // Somebody else was faster, or the file's place is a link that leads to where there is none: writing will tell.
            if error.code == Errno.exists { return }
            throw error
        }
        // Another recorder may have taken it already.
        if try file.tryLock() != .busy { RecordingClaim.discard(file, path) }
    }
}
