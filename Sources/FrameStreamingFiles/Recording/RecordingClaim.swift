import FrameStreamingCore
import FrameStreamingSystem

/// A file that a recorder has for itself.
///
/// A name is never looked at first and opened later, for somebody else may come in between. The file is opened without a change to it, then
/// locked, and only then looked at: whoever has the lock of an empty file that is still found under its name may fill it. Only who has the
/// lock removes a file, so that nobody fills one that is gone.
struct RecordingClaim {
    let descriptor: Descriptor
    let path: String
    let number: Int
    /// Which file it is; nil = a FIFO or a device, of which there is nothing to be known.
    let identity: FileDetails.Identity?
    /// Whether it was made here.
    let isNew: Bool

    private static let remedy = "the recording cannot be made there"

    /// Takes the first name that the options allow. Nil: cancelled while waiting for who reads a FIFO.
    static func take(
        _ path: String, _ options: RecordingOptions, _ cancellation: RecordingCancellation?
    ) throws(FrameStreamingError) -> RecordingClaim? {
        try RecordingNames(path: path, options: options).first { name, number throws(FrameStreamingError) in
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
    ) throws(SystemError) -> RecordingNames.Outcome<RecordingClaim?> {
        while true {
            let found = try fileDetails(name)
            switch found?.kind {
            case .fifo:
                guard let fifo = try RecordingFile.openFIFO(name, cancellation) else { return .taken(nil) }
                return .taken(
                    RecordingClaim(descriptor: fifo, path: name, number: number, identity: nil, isNew: false))
            case .directory:
                guard !isFirst else { throw SystemError("open", code: Errno.isDirectory) }
                return .exists(isLocked: false)
            case .regular, nil:
                // What is no recording of ours to lose need not even be opened.
                if let found, found.size > 0, existing != .replace { return .exists(isLocked: false) }
                if let outcome = try takeFile(name, number, existing) { return outcome }
            default:
                return .taken(
                    RecordingClaim(
                        descriptor: try Descriptor.openForWriting(name), path: name, number: number, identity: nil,
                        isNew: false))
            }
        }
    }

    /// Nil: what was there is not there any more, so look again.
    private static func takeFile(
        _ name: String, _ number: Int, _ existing: RecordingOptions.Existing
    ) throws(SystemError) -> RecordingNames.Outcome<RecordingClaim?>? {
        var isNew = true
        let file: Descriptor
        do throws(SystemError) {
            file = try Descriptor.createNewForAppending(name)
        } catch {
            guard error.code == Errno.exists else { throw error }
            // Or it is a link that leads to where there is nothing yet.
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
            RecordingClaim(
                descriptor: file, path: name, number: number, identity: details.identity, isNew: isNew))
    }

    /// Opens the file again that a recorder closed when it had so many bytes.
    ///
    /// - Throws: `recordingLost` where it is not as it was left.
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
            throw FrameStreamingError(error, subject: path, remedy: "the recording cannot be opened again to go on")
        }
        guard details.identity == identity else { throw .lost(path, "another file is in its place") }
        guard lock != .busy else { throw .lost(path, "another recorder took it") }
        guard details.size == length else { throw .lost(path, size: details.size, of: length) }
        return file
    }

    /// Removes a file that a recorder made and never filled, unless somebody else has done something with it.
    static func discard(_ file: Descriptor, _ path: String) {
        guard let details = try? file.details(), details.size == 0,
            (try? fileDetails(path))?.identity == details.identity
        else { return }
        try? removeFile(path)
    }
}

extension FrameStreamingError {
    /// A recording that is not any more what its recorder has made of it.
    static func lost(_ path: String, _ what: String) -> FrameStreamingError {
        FrameStreamingError(.recordingLost, "\(what) while it was recorded: go on in another recording", subject: path)
    }

    static func lost(_ path: String, size: Int, of expected: Int) -> FrameStreamingError {
        lost(path, "another program changed it (it has \(size) bytes instead of \(expected))")
    }
}
