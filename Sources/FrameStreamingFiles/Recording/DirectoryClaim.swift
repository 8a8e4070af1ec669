import FrameStreamingCore
import FrameStreamingSystem

/// The names of the files in a directory of JPEGs.
enum FrameFileName {
    /// `frame-000001`; the number has more digits where six are too few.
    static func name(_ number: Int) -> String {
        let digits = String(number)
        return "frame-" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
    }

    /// Whether a recorder has given a file this name.
    static func isFrame(_ name: String) -> Bool {
        guard name.hasPrefix("frame-"), name.hasSuffix(".jpg") else { return false }
        let digits = name.utf8.dropFirst(6).dropLast(4)
        return digits.count >= 6 && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

/// A directory that a recorder has for itself: locked first, and then looked at, as ``RecordingClaim`` does with files.
struct DirectoryClaim {
    let directory: Directory
    let path: String
    let number: Int
    let identity: FileDetails.Identity
    /// Whether it was made here.
    let isNew: Bool

    /// Takes the first name that the options allow.
    static func take(_ path: String, _ options: RecordingOptions) throws(FrameStreamingError) -> DirectoryClaim {
        try first(path, options, empties: true)
    }

    /// The name that ``take(_:_:)`` would take now: the directory is made, and no picture in it is removed.
    static func check(_ path: String, _ options: RecordingOptions) throws(FrameStreamingError) -> String {
        try first(path, options, empties: false).path
    }

    private static func first(
        _ path: String, _ options: RecordingOptions, empties: Bool
    ) throws(FrameStreamingError) -> DirectoryClaim {
        try RecordingNames(path: path, options: options).first { name, number throws(FrameStreamingError) in
            do throws(SystemError) {
                while true {
                    if let outcome = try take(name, number, options.existing, empties: empties) { return outcome }
                }
            } catch {
                guard error.code == Errno.notDirectory, isOther(name) else {
                    throw FrameStreamingError(error, subject: name, remedy: "the directory cannot be made there")
                }
                guard number == options.firstNumber else { return .exists(isLocked: false) }
                throw FrameStreamingError(
                    .invalidArgument, "is a file: give a directory, or a name that is free", subject: name,
                    errno: Errno.notDirectory)
            }
        }
    }

    /// Whether there is something that is no directory, rather than above it.
    private static func isOther(_ name: String) -> Bool {
        var bare = name[...]
        while bare.count > 1, bare.hasSuffix("/") { bare = bare.dropLast() }
        return (try? fileDetails(String(bare))) != nil
    }

    /// Nil: what was there is not there any more, so look again.
    private static func take(
        _ name: String, _ number: Int, _ existing: RecordingOptions.Existing, empties: Bool
    ) throws(SystemError) -> RecordingNames.Outcome<DirectoryClaim>? {
        let isNew = try makeNewDirectory(name)
        let directory = try Directory(name)
        if try directory.tryLock() == .busy { return .exists(isLocked: true) }
        let identity = try directory.details().identity
        guard try fileDetails(name)?.identity == identity else { return nil }
        if existing == .replace {
            if empties { try removeFrames(directory) }
        } else if try hasFrames(directory) {
            return .exists(isLocked: false)
        }
        return .taken(
            DirectoryClaim(directory: directory, path: name, number: number, identity: identity, isNew: isNew))
    }

    static func hasFrames(_ directory: Directory) throws(SystemError) -> Bool {
        var isFound = false
        try directory.forEachName { name in
            isFound = FrameFileName.isFrame(name)
            return !isFound
        }
        return isFound
    }

    private static func removeFrames(_ directory: Directory) throws(SystemError) {
        var names: [String] = []
        try directory.forEachName { name in
            if FrameFileName.isFrame(name) { names.append(name) }
            return true
        }
        for name in names { try directory.remove(name) }
    }

    /// Opens the directory again that a recorder closed.
    ///
    /// - Throws: `recordingLost` where it is not there any more, or somebody else's.
    static func takeAgain(
        _ path: String, _ identity: FileDetails.Identity
    ) throws(FrameStreamingError) -> Directory {
        let directory: Directory
        let lock: Descriptor.Lock
        let found: FileDetails.Identity
        do throws(SystemError) {
            directory = try Directory(path)
            lock = try directory.tryLock()
            found = try directory.details().identity
        } catch {
            if error.code == Errno.noEntry { throw .lost(path, "another program removed it") }
            throw FrameStreamingError(error, subject: path, remedy: "the directory cannot be opened again to go on")
        }
        guard found == identity else { throw .lost(path, "another directory is in its place") }
        guard lock != .busy else { throw .lost(path, "another recorder took it") }
        return directory
    }
}
