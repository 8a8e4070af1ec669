public import FrameStreamingCore
import FrameStreamingSystem

/// Writes JPEG frames to numbered files in a directory: `frame-000001.jpg` and so on.
///
/// Each file is written under another name and then renamed, so that under its own name it is
/// complete or absent. A kill may leave one file `.frame-....part`. A directory holds the frames of
/// one recorder, in order; another recorder takes the next directory, `DIR-2`.
public final class JPEGDirectoryRecorder: FrameRecorder {
    private enum State {
        case open(Directory)
        /// Closed to save the descriptor: the next frame opens the directory again.
        case suspended
        case closed
    }

    /// The recording's directory: the requested path, or the next free name.
    public let path: String
    /// The number of that name (``RecordingPath/numbered(_:_:)``).
    public let number: Int
    /// Frames written so far.
    public private(set) var frameCount = 0
    /// The file of the last frame; nil before the first.
    public private(set) var lastPath: String?

    private var state: State
    private let identity: FileDetails.Identity
    private let isNew: Bool
    private let syncsFrames: Bool
    private var isNameSynced = false
    /// The number of the last file. Files of other programs may lie in between.
    private var lastNumber = 0

    /// Creates the directory if it does not exist, and locks it while the recorder is open.
    ///
    /// By default a directory that holds pictures, of whatever program, is kept, and the recorder
    /// takes the next free name. `RecordingOptions.Existing.replace` removes all
    /// `frame-NNNNNN.jpg` and leaves other files alone.
    ///
    /// - Throws: `invalidArgument` where a file has that name; `alreadyExists`, `busy` where the
    ///   options refuse a name; `notFound` where the parent directory is missing; `notPermitted`;
    ///   `system`.
    public init(path: String, options: RecordingOptions = RecordingOptions()) throws(FrameStreamingError) {
        let claim = try RecordingDirectoryClaim.take(path, options)
        self.path = claim.path
        number = claim.number
        state = .open(claim.directory)
        identity = claim.identity
        isNew = claim.isNew
        syncsFrames = options.syncsFrames
    }

    deinit { close() }

    /// Whether the frame is a JPEG, of any size.
    public func accepts(_ frame: Frame) -> Bool { frame.format.pixelFormat == .jpeg }

    /// Writes one JPEG to a file of its own.
    ///
    /// - Throws: `unsupported` for other pixel formats; `system` where the disk is full or fails;
    ///   `recordingLost` where another program has removed the directory; `closed` after
    ///   ``close()``.
    public func write(_ frame: Frame) throws(FrameStreamingError) {
        guard accepts(frame) else {
            throw FrameStreamingError(
                .unsupported,
                "the directory holds JPEGs, not \(frame.format.pixelFormat): encode first, or record Y4M",
                subject: path)
        }
        let directory = try opened()
        let name: String
        do throws(SystemError) {
            name = try store(frame.bytes, in: directory)
        } catch {
            if error.code == Errno.noEntry {
                state = .closed
                throw .lost(path, "another program removed it")
            }
            throw FrameStreamingError(
                error, subject: path, remedy: "this picture was not written; those before it are complete")
        }
        lastPath = "\(path)/\(name)"
        frameCount += 1
    }

    /// Closes the directory's descriptor until the next frame.
    public func suspend() { if case .open = state { state = .suspended } }

    /// Ends the recording, and removes a directory that it created and that has no frame. May be
    /// called again.
    public func close() {
        if case .open = state, isNew, frameCount == 0 { try? removeDirectory(path) }
        state = .closed
    }

    private func opened() throws(FrameStreamingError) -> Directory {
        switch state {
        case .open(let directory): return directory
        case .closed: throw FrameStreamingError(.closed, "the recording was closed earlier", subject: path)
        case .suspended:
            do throws(FrameStreamingError) {
                let directory = try RecordingDirectoryClaim.takeAgain(path, identity)
                state = .open(directory)
                return directory
            } catch {
                if error.code == .recordingLost { state = .closed }
                throw error
            }
        }
    }

    /// Writes the bytes to a new file, and returns its name.
    private func store(_ bytes: RawSpan, in directory: Directory) throws(SystemError) -> String {
        let temporary = ".\(FrameFileName.name(lastNumber + 1)).part"
        let file = try directory.create(temporary)
        do throws(SystemError) {
            try file.writeAll(bytes)
            if syncsFrames { try file.syncData() }
            while true {
                let name = "\(FrameFileName.name(lastNumber + 1)).jpg"
                do throws(SystemError) {
                    try directory.rename(temporary, toFree: name)
                    lastNumber += 1
                    if syncsFrames { try syncNames(directory) }
                    return name
                } catch {
                    // Another program's file has that name, and is kept.
                    guard error.code == Errno.exists else { throw error }
                    lastNumber += 1
                }
            }
        } catch {
            // The first error is reported, and not one of the removal.
            try? directory.remove(temporary)
            throw error
        }
    }

    private func syncNames(_ directory: Directory) throws(SystemError) {
        try directory.sync()
        guard !isNameSynced else { return }
        try syncParentDirectory(of: path)
        isNameSynced = true
    }
}
