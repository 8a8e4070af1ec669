public import FrameStreamingCore
import FrameStreamingSystem

/// Writes JPEG pictures to numbered files in a directory: `frame-000001.jpg` and so on.
///
/// Each is written under another name and then renamed, so that under its own name it is whole or not there at all. A
/// kill may leave one file `.frame-....part`. A directory has the pictures of one recorder, in their order: the next one takes the
/// next directory, `DIR-2`.
public final class JPEGDirectoryRecorder: FrameRecorder {
    private enum State {
        case open(Directory)
        /// Closed to spare the descriptor: the next frame opens it again.
        case suspended
        case closed
    }

    /// The directory that it writes: the path that was given, or the next one that was free.
    public let path: String
    /// Which of the numbered names that is (``RecordingPath/numbered(_:_:)``).
    public let number: Int
    /// Pictures written so far.
    public private(set) var frameCount = 0
    /// The file of the last picture; nil before the first.
    public private(set) var lastPath: String?

    private var state: State
    private let identity: FileDetails.Identity
    private let isNew: Bool
    private let syncsFrames: Bool
    private var isNameSynced = false
    /// The number of the last file: files of others may be in between.
    private var lastNumber = 0

    /// Makes the directory where it is not there, and has it for itself as long as it is open. One that has pictures of a recording is
    /// kept, and this recorder has the next name then, unless `options` say otherwise: to replace removes all `frame-NNNNNN.jpg`, and
    /// leaves other files alone.
    ///
    /// - Throws: `invalidArgument` where there is a file of that name; `alreadyExists`, `busy` where the options refuse a name; `notFound`
    ///   where the directory above is not there; `notPermitted`; `system`.
    public init(path: String, options: RecordingOptions = RecordingOptions()) throws(FrameStreamingError) {
        let claim = try DirectoryClaim.take(path, options)
        self.path = claim.path
        number = claim.number
        state = .open(claim.directory)
        identity = claim.identity
        isNew = claim.isNew
        syncsFrames = options.syncsFrames
    }

    deinit { close() }

    /// Whether it is a JPEG, of any size.
    public func accepts(_ frame: Frame) -> Bool { frame.format.pixelFormat == .jpeg }

    /// Writes one JPEG to a file of its own.
    ///
    /// - Throws: `unsupported` for other pixel formats; `system` where the disk is full or fails; `recordingLost` where another program
    ///   has removed the directory; `closed` after ``close()``.
    public func write(_ frame: Frame) throws(FrameStreamingError) {
        guard accepts(frame) else {
            throw FrameStreamingError(
                .unsupported,
                "the files hold JPEG pictures, not \(frame.format.pixelFormat): encode first, or record Y4M",
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
                error, subject: path, remedy: "the picture was not written; those before it are whole")
        }
        lastPath = "\(path)/\(name)"
        frameCount += 1
    }

    /// Closes the directory until the next frame, to spare its descriptor.
    public func suspend() { if case .open = state { state = .suspended } }

    /// Ends the recording, and removes a directory that was made for it and has no frame. Again and again.
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
                let directory = try DirectoryClaim.takeAgain(path, identity)
                state = .open(directory)
                return directory
            } catch {
                if error.code == .recordingLost { state = .closed }
                throw error
            }
        }
    }

    /// The name of the file that the bytes are in.
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
                    // Somebody has put a picture there, which stays.
                    guard error.code == Errno.exists else { throw error }
                    lastNumber += 1
                }
            }
        } catch {
            // The first error is the one that counts.
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
