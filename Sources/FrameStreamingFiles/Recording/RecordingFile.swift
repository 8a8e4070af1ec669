import FrameStreamingCore
import FrameStreamingSystem

/// A file that grows by whole frames: each goes out in one call where the kernel takes it, and what of one was written
/// before an error is cut off again.
///
/// Behind each frame the file is looked at: one that was removed or cut by another program would swallow all that follows. A FIFO is opened
/// without blocking, unlike files: who reads it may never come, or stop reading, and a cancel ends both waits.
final class RecordingFile {
    private enum State {
        case open(Descriptor)
        /// Closed to spare the descriptor: the next frame opens the file again.
        case suspended
        case closed
    }

    /// The path, and which of the numbered names it is.
    let path: String
    let number: Int
    private var state: State
    private let cancellation: RecordingCancellation?
    /// Which file it is; nil = a FIFO, a device, or a descriptor of the caller's, which are not looked at.
    private let identity: FileDetails.Identity?
    /// Whether it is empty and was made here.
    private var isUnborn: Bool
    private let syncsFrames: Bool
    private var isNameSynced = false
    /// Bytes up to the end of the last whole frame.
    private var wholeLength = 0

    /// How often a FIFO is looked at for a reader: the kernel tells nobody that one has come.
    private static let slice: Int64 = 50_000_000

    /// Takes the file; a FIFO's reader is waited for.
    init(
        path: String, _ options: RecordingOptions, cancellation: RecordingCancellation? = nil
    ) throws(FrameStreamingError) {
        guard let claim = try RecordingClaim.take(path, options, cancellation) else { throw Self.cancelled(path) }
        self.path = claim.path
        number = claim.number
        state = .open(claim.descriptor)
        identity = claim.identity
        isUnborn = claim.isNew
        syncsFrames = options.syncsFrames
        self.cancellation = cancellation
    }

    /// Writes to a descriptor that is open and empty already.
    init(_ descriptor: Descriptor, path: String) {
        self.path = path
        number = 1
        state = .open(descriptor)
        cancellation = nil
        identity = nil
        isUnborn = false
        syncsFrames = false
    }

    deinit { close() }

    /// Nil: cancelled.
    static func openFIFO(
        _ path: String, _ cancellation: RecordingCancellation?
    ) throws(SystemError) -> Descriptor? {
        while true {
            do throws(SystemError) {
                return try Descriptor.openForWriting(path)
            } catch {
                guard error.code == Errno.noSuchAddress else { throw error }
            }
            let readiness = try wait(
                for: 0, on: -1, until: monotonicNow() + slice, wakeUp: cancellation?.wakeUp)
            if readiness == .woken { return nil }
        }
    }

    /// Ends it. A file that was made for it and has no frame is removed.
    func close() {
        if isUnborn, case .open(let descriptor) = state { RecordingClaim.discard(descriptor, path) }
        state = .closed
    }

    /// Closes a regular file until the next frame; others stay open, for their readers would take it for the end.
    func suspend() {
        if case .open = state, identity != nil { state = .suspended }
    }

    private func opened() throws(FrameStreamingError) -> Descriptor {
        switch state {
        case .open(let descriptor): return descriptor
        case .closed: throw FrameStreamingError(.closed, "the recording was closed earlier", subject: path)
        case .suspended:
            // Only what has an identity is suspended.
            guard let identity else { throw FrameStreamingError.lost(path, "it was closed") }
            do throws(FrameStreamingError) {
                let descriptor = try RecordingClaim.takeAgain(path, identity, length: wholeLength)
                state = .open(descriptor)
                return descriptor
            } catch {
                if error.code == .recordingLost { state = .closed }
                throw error
            }
        }
    }

    /// Writes both runs of bytes, one behind the other, or neither.
    func append(_ first: RawSpan, _ second: RawSpan) throws(FrameStreamingError) {
        let descriptor = try opened()
        let total = first.byteCount + second.byteCount
        var done = 0
        do throws(SystemError) {
            while done < total, let count = try write(first, second, from: done, to: descriptor) { done += count }
        } catch {
            throw failed(error, descriptor, written: done)
        }
        guard done == total else {
            takeBack(done, of: descriptor)
            throw Self.cancelled(path)
        }
        if identity != nil {
            let details: FileDetails
            do throws(SystemError) {
                details = try descriptor.details()
            } catch {
                throw failed(error, descriptor, written: done)
            }
            try checkUnchanged(details, descriptor, grownBy: total)
            do throws(SystemError) {
                if syncsFrames { try sync(descriptor) }
            } catch {
                throw failed(error, descriptor, written: done)
            }
        }
        wholeLength += total
        isUnborn = false
    }

    private func failed(_ error: SystemError, _ descriptor: Descriptor, written: Int) -> FrameStreamingError {
        takeBack(written, of: descriptor)
        return FrameStreamingError(
            error, subject: path,
            remedy: "the recording ends with the last whole picture, at byte \(wholeLength); free space and write on")
    }

    /// One write of what is behind `done`, as soon as there is room; nil = cancelled.
    private func write(
        _ first: RawSpan, _ second: RawSpan, from done: Int, to descriptor: Descriptor
    ) throws(SystemError) -> Int? {
        while true {
            do throws(SystemError) {
                return try descriptor.write(
                    first.extracting(droppingFirst: min(done, first.byteCount)),
                    second.extracting(droppingFirst: max(0, done - first.byteCount)))
            } catch {
                guard error.code == Errno.again else { throw error }
            }
            let readiness = try wait(
                for: PollEvents.output, on: descriptor.raw, until: nil, wakeUp: cancellation?.wakeUp)
            if readiness == .woken { return nil }
        }
    }

    /// Sees that the file is what was written to it. Asked behind the write, and the write goes behind what is there by then: so nothing
    /// can happen in between that is not noticed.
    private func checkUnchanged(
        _ details: FileDetails, _ descriptor: Descriptor, grownBy total: Int
    ) throws(FrameStreamingError) {
        if details.linkCount > 0, details.size == wholeLength + total { return }
        state = .closed
        if details.linkCount == 0 { throw FrameStreamingError.lost(path, "another program removed it") }
        // A frame behind a hole or without its header is of no use to who reads what is left.
        if details.size >= total, details.size < wholeLength + total {
            try? descriptor.truncate(to: details.size - total)
        }
        throw FrameStreamingError.lost(path, size: details.size &- total, of: wholeLength)
    }

    private func sync(_ descriptor: Descriptor) throws(SystemError) {
        try descriptor.syncData()
        guard !isNameSynced else { return }
        try syncParentDirectory(of: path)
        isNameSynced = true
    }

    private func takeBack(_ count: Int, of descriptor: Descriptor) {
        do throws(SystemError) {
            // What another program has cut must not grow again, by a hole: the next frame finds it.
            if identity != nil, try descriptor.details().size <= wholeLength { return }
            try descriptor.truncate(to: wholeLength)
            try descriptor.seek(to: wholeLength)
        } catch {
            // A pipe or device has nothing to take back: no frame may follow half a one.
            if count > 0 { close() }
        }
    }

    private static func cancelled(_ path: String) -> FrameStreamingError {
        FrameStreamingError(.cancelled, "the wait for who reads it was cancelled", subject: path)
    }
}

/// Returns when the name of a file is on the disk.
func syncParentDirectory(of path: String) throws(SystemError) {
    let slash = path.utf8.dropLast().lastIndex(of: UInt8(ascii: "/"))
    let parent = slash.map { $0 == path.utf8.startIndex ? "/" : String(path[..<$0]) } ?? "."
    try Directory(parent).sync()
}
