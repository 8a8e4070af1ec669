public import FrameStreamingCore
import FrameStreamingSystem

/// Names recordings, and checks whether they can be written.
public enum RecordingPath {
    /// Returns the path of the `number`th recording: `out.y4m` itself, then `out-2.y4m`,
    /// `out-3.y4m`; for a directory `DIR`, `DIR-2`. Standard output, `-`, has one name.
    public static func numbered(_ path: String, _ number: Int) -> String {
        number > 1 ? suffixed(path, "-\(number)") : path
    }

    /// Returns the path of a recording that begins now: `out-20261130T104605.123Z.mkv`. Such names have
    /// the order of their times, which are UTC.
    package static func dated(_ path: String) -> String {
        let time = UTCTime(nanoseconds: monotonicNow() &+ realtimeOffset()).text
        return suffixed(path, "-" + time.filter { $0 != "-" && $0 != ":" }.dropLast(4) + "Z")
    }

    private static func suffixed(_ path: String, _ suffix: String) -> String {
        if RecordingStandardOutput.isNamed(path) { return path }
        var bytes = Array(path.utf8)
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        let name = (bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
        // The dot at the start of a hidden file's name does not begin an extension.
        let dot = bytes[name...].lastIndex(of: UInt8(ascii: "."))
        let end = dot.map { $0 > name ? $0 : bytes.count } ?? bytes.count
        bytes.insert(contentsOf: Array(suffix.utf8), at: end)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the path names standard output: `-`, `/dev/stdout`, `/dev/fd/1` or
    /// `/proc/self/fd/1`. A program that records there must print its own lines elsewhere.
    public static func isStandardOutput(_ path: String) -> Bool { RecordingStandardOutput.isNamed(path) }

    /// Whether what is written there goes to a reader and is not kept: standard output (`-`), a FIFO,
    /// a device or a socket. Such a place is always free, so a program has to see to it that only
    /// one recorder at a time writes there.
    public static func isStream(_ path: String) -> Bool {
        if isStandardOutput(path) { return true }
        switch try? fileDetails(path)?.kind {
        case .fifo, .character, .socket: return true
        case .regular, .directory, .other, nil: return false
        }
    }

    /// Checks whether ``MJPEGRecorder`` and ``Y4MRecorder`` can write there, before the first frame
    /// arrives. An existing file keeps its content, and no new file remains.
    ///
    /// - Returns: The name that a recorder with these options would take now.
    /// - Throws: `alreadyExists` where the options refuse the name; `notFound` where the directory
    ///   is missing; `invalidArgument` where frames are to be synced that go to a reader;
    ///   `notPermitted`; `system`.
    @discardableResult
    public static func checkFile(
        _ path: String, options: RecordingOptions = RecordingOptions()
    ) throws(FrameStreamingError) -> String {
        if isStandardOutput(path) {
            try RecordingFile.checkSyncing(try RecordingStandardOutput.open().descriptor, path, options)
            return path
        }
        if options.syncsFrames, isStream(path) { throw RecordingFile.cannotSync(path) }
        return try RecordingNames(path: path, options: options).first { name, number throws(FrameStreamingError) in
            do throws(SystemError) {
                let found = try fileDetails(name)
                switch found?.kind {
                case .directory:
                    guard number == options.firstNumber else { return .exists(isLocked: false) }
                    throw SystemError("open", code: Errno.isDirectory)
                // Opening and closing a FIFO would end its reader's input.
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
                        "the recording cannot be created there; name a file in a directory that exists and is writable"
                )
            }
        }
    }

    /// Checks whether ``JPEGDirectoryRecorder`` can write there, before the first frame arrives.
    /// Creates the directory if it does not exist.
    ///
    /// - Returns: The name that a recorder with these options would take now.
    /// - Throws: As `JPEGDirectoryRecorder.init(path:options:)`, and `notPermitted` or `system`
    ///   where no file can be created in it.
    @discardableResult
    public static func checkDirectory(
        _ path: String, options: RecordingOptions = RecordingOptions()
    ) throws(FrameStreamingError) -> String {
        // Nothing may be removed before the first frame.
        let name = try RecordingDirectoryClaim.check(path, options)
        do throws(SystemError) {
            try tryFile("\(name)/.frame-check.part")
        } catch {
            throw FrameStreamingError(
                error, subject: name, remedy: "no picture can be written there; name a writable directory")
        }
        return name
    }

    /// Creates a file, and removes it.
    private static func tryFile(_ path: String) throws(SystemError) {
        let file: Descriptor
        do throws(SystemError) {
            file = try Descriptor.createNewForAppending(path)
        } catch {
            // Another program was faster, or the name is a link whose target does not exist. The
            // recorder's own open decides.
            if error.code == Errno.exists { return }
            throw error
        }
        // Another recorder may have taken the file already.
        if try file.tryLock() != .busy { RecordingFileClaim.discard(file, path) }
    }
}
