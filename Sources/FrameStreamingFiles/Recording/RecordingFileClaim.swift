import FrameStreamingCore
import FrameStreamingSystem

/// A file that one recorder holds exclusively.
///
/// Checking a name and then opening it would let another program come in between. So the file is
/// opened without a change, then locked, and only then inspected. A recorder may fill an empty file
/// if it holds the lock and the file still has its name. Only the holder of the lock removes a
/// file, so that no recorder fills a removed one.
struct RecordingFileClaim {
    let descriptor: Descriptor
    let path: String
    let number: Int
    /// Identifies the file; nil for a FIFO or a device, which cannot be identified.
    let identity: FileDetails.Identity?
    /// Whether this claim created the file.
    let isNew: Bool
    /// Whether a write may wait, and only bytes for which there is room may be written.
    var blocks = false

    private static let remedy = "the recording cannot be created there"

    /// Takes the first name that the options allow; nil = cancelled while waiting for the reader of
    /// a FIFO.
    static func take(
        _ path: String, _ options: RecordingOptions, _ cancellation: RecordingCancellation?
    ) throws(FrameStreamingError) -> RecordingFileClaim? {
        if RecordingStandardOutput.isNamed(path) {
            let opened = try RecordingStandardOutput.open()
            return RecordingFileClaim(
                descriptor: opened.descriptor, path: path, number: 1, identity: nil, isNew: false,
                blocks: opened.blocks)
        }
        return try RecordingNames(path: path, options: options).first { name, number throws(FrameStreamingError) in
            do throws(SystemError) {
                return try take(name, number, options.existing, isFirst: number == options.firstNumber, cancellation)
            } catch {
                throw FrameStreamingError(error, subject: name, remedy: remedy)
            }
        }
    }

    private static func take(
        _ name: String, _ number: Int, _ existing: RecordingOptions.Existing, isFirst: Bool,
        _ cancellation: RecordingCancellation?
    ) throws(SystemError) -> RecordingNames.Outcome<RecordingFileClaim?> {
        while true {
            let found = try fileDetails(name)
            switch found?.kind {
            case .fifo:
                guard let fifo = try RecordingFile.openFIFO(name, cancellation) else { return .taken(nil) }
                return .taken(
                    RecordingFileClaim(descriptor: fifo, path: name, number: number, identity: nil, isNew: false))
            case .directory:
                guard !isFirst else { throw SystemError("open", code: Errno.isDirectory) }
                return .exists(isLocked: false)
            case .regular, nil:
                // An existing recording need not even be opened.
                if let found, found.size > 0, existing != .replace { return .exists(isLocked: false) }
                if let outcome = try takeFile(name, number, existing) { return outcome }
            default:
                return .taken(
                    RecordingFileClaim(
                        descriptor: try Descriptor.openForWriting(name), path: name, number: number, identity: nil,
                        isNew: false))
            }
        }
    }

    /// Nil where the file has disappeared in between: look again.
    private static func takeFile(
        _ name: String, _ number: Int, _ existing: RecordingOptions.Existing
    ) throws(SystemError) -> RecordingNames.Outcome<RecordingFileClaim?>? {
        var isNew = true
        let file: Descriptor
        do throws(SystemError) {
            file = try Descriptor.createNewForAppending(name)
        } catch {
            guard error.code == Errno.exists else { throw error }
            // Or the name is a link whose target does not exist yet.
            file = try Descriptor.openForAppending(name, create: true)
            isNew = false
        }
        if try file.tryLock() == .busy { return .exists(isLocked: true) }
        let details = try file.details()
        guard details.kind == .regular, try fileDetails(name)?.identity == details.identity else { return nil }
        if details.size > 0 {
            guard existing == .replace else { return .exists(isLocked: false) }
            try file.truncate(to: 0)
        }
        return .taken(
            RecordingFileClaim(
                descriptor: file, path: name, number: number, identity: details.identity, isNew: isNew))
    }

    /// Reopens a suspended recorder's file, which had `length` bytes.
    ///
    /// - Throws: `recordingLost` where the file is not as it was left.
    static func takeAgain(
        _ path: String, _ identity: FileDetails.Identity, length: Int
    ) throws(FrameStreamingError) -> Descriptor {
        let file: Descriptor
        let lock: Descriptor.Lock
        let details: FileDetails
        do throws(SystemError) {
            file = try Descriptor.openForAppending(path, create: false)
            lock = try file.tryLock()
            details = try file.details()
        } catch {
            if error.code == Errno.noEntry { throw .lost(path, "another program removed it") }
            throw FrameStreamingError(error, subject: path, remedy: "it cannot be reopened to continue the recording")
        }
        guard details.identity == identity else { throw .lost(path, "another file is in its place") }
        guard lock != .busy else { throw .lost(path, "another recorder took it") }
        guard details.size == length else { throw .lost(path, size: details.size, of: length) }
        return file
    }

    /// Removes a file that a recorder created and never filled, unless another program has used it.
    static func discard(_ file: Descriptor, _ path: String) {
        guard let details = try? file.details(), details.size == 0,
            (try? fileDetails(path))?.identity == details.identity
        else { return }
        try? removeFile(path)
    }
}

extension FrameStreamingError {
    /// The error for a recording that no longer holds what its recorder wrote.
    static func lost(_ path: String, _ what: String) -> FrameStreamingError {
        FrameStreamingError(
            .recordingLost, "\(what) while it was recorded: continue in another recording", subject: path)
    }

    static func lost(_ path: String, size: Int, of expected: Int) -> FrameStreamingError {
        lost(path, "another program changed it (it has \(size) bytes instead of \(expected))")
    }
}
