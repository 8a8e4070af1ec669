import FrameStreamingCore
import FrameStreamingSystem

/// A directory that one recorder holds exclusively. It is locked first and inspected afterwards, as
/// ``RecordingFileClaim`` does with files.
struct RecordingDirectoryClaim {
    let directory: Directory
    let path: String
    let number: Int
    let identity: FileDetails.Identity
    /// Whether this claim created the directory.
    let isNew: Bool

    /// Takes the first name that the options allow.
    static func take(_ path: String, _ options: RecordingOptions) throws(FrameStreamingError) -> RecordingDirectoryClaim
    {
        try first(path, options, empties: true)
    }

    /// Returns the name that ``take(_:_:)`` would take now. Creates the directory, and removes no
    /// frame in it.
    static func check(_ path: String, _ options: RecordingOptions) throws(FrameStreamingError) -> String {
        try first(path, options, empties: false).path
    }

    private static func first(
        _ path: String, _ options: RecordingOptions, empties: Bool
    ) throws(FrameStreamingError) -> RecordingDirectoryClaim {
        try RecordingNames(path: path, options: options).first { name, number throws(FrameStreamingError) in
            do throws(SystemError) {
                while true {
                    if let outcome = try take(name, number, options.existing, empties: empties) { return outcome }
                }
            } catch {
                guard error.code == Errno.notDirectory, isOther(name) else {
                    throw FrameStreamingError(
                        error, subject: name, remedy: "name a place where a directory can be created")
                }
                guard number == options.firstNumber else { return .exists(isLocked: false) }
                throw FrameStreamingError(
                    .invalidArgument, "is a file: name a directory, or a free name", subject: name,
                    errno: Errno.notDirectory)
            }
        }
    }

    /// Whether the name itself, and not a directory above it, is something else than a directory.
    private static func isOther(_ name: String) -> Bool {
        var bare = name[...]
        while bare.count > 1, bare.hasSuffix("/") { bare = bare.dropLast() }
        return (try? fileDetails(String(bare))) != nil
    }

    /// Nil where the directory has disappeared in between: look again.
    private static func take(
        _ name: String, _ number: Int, _ existing: RecordingOptions.Existing, empties: Bool
    ) throws(SystemError) -> RecordingNames.Outcome<RecordingDirectoryClaim>? {
        let isNew = try makeNewDirectory(name)
        let directory = try Directory(name)
        if try directory.tryLock() == .busy { return .exists(isLocked: true) }
        let identity = try directory.details().identity
        guard try fileDetails(name)?.identity == identity else { return nil }
        if existing == .replace {
            if empties { try removeFrames(directory) }
        } else if try holdsPictures(directory) {
            return .exists(isLocked: false)
        }
        return .taken(
            RecordingDirectoryClaim(directory: directory, path: name, number: number, identity: identity, isNew: isNew))
    }

    /// Whether there are pictures of any program, which must not mix with those of a recorder.
    static func holdsPictures(_ directory: Directory) throws(SystemError) -> Bool {
        var isFound = false
        try directory.forEachName { name in
            isFound = FrameFileName.isPicture(name)
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

    /// Reopens the directory of a suspended recorder.
    ///
    /// - Throws: `recordingLost` where the directory is missing, or another program's.
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
            throw FrameStreamingError(
                error, subject: path, remedy: "its directory cannot be reopened to continue the recording")
        }
        guard found == identity else { throw .lost(path, "another directory is in its place") }
        guard lock != .busy else { throw .lost(path, "another recorder took it") }
        return directory
    }
}
