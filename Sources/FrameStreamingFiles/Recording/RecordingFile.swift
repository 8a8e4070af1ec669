import FrameStreamingCore
import FrameStreamingSystem

/// A file that grows by whole frames. Each frame is one write where the kernel accepts it, and a
/// partial frame is cut off after an error.
///
/// The file is checked after each frame, because a file that another program removed or cut would
/// swallow all that follows. A FIFO is opened without blocking, unlike a file: its reader may never
/// come, or may stop reading, and a cancellation ends both waits.
final class RecordingFile {
    private enum State {
        case open(Descriptor)
        /// Closed to save the descriptor: the next frame opens the file again.
        case suspended
        case closed
    }

    /// The path, and the number of that name.
    let path: String
    let number: Int
    private var state: State
    private let cancellation: RecordingCancellation?
    /// Identifies the file; nil for a FIFO, a device, or the caller's descriptor, which are not
    /// checked.
    private let identity: FileDetails.Identity?
    /// Whether the file is empty and was created here.
    private var isUnborn: Bool
    /// Whether part of a frame may be cut off at its end. Standard output may be a file that begins
    /// with bytes of other programs.
    private let isCut: Bool
    private let syncsFrames: Bool
    /// Whether a write may wait, which no cancellation would end. Then a write follows a poll, and
    /// is no longer than the room that the poll promises.
    private let blocks: Bool
    private var isNameSynced = false
    /// Bytes up to the end of the last whole frame.
    private var wholeLength = 0

    /// The interval at which a FIFO is checked for a reader, in nanoseconds. The kernel does not
    /// report that one has opened it.
    private static let slice: Int64 = 50_000_000

    /// The room that a pipe has when a poll says that it can be written to: PIPE_BUF of pipe(7).
    private static let promisedRoom = 4_096

    /// Takes the file; waits for the reader of a FIFO.
    init(
        path: String, _ options: RecordingOptions, cancellation: RecordingCancellation? = nil
    ) throws(FrameStreamingError) {
        guard let claim = try RecordingFileClaim.take(path, options, cancellation) else { throw Self.cancelled(path) }
        self.path = claim.path
        number = claim.number
        state = .open(claim.descriptor)
        identity = claim.identity
        isUnborn = claim.isNew
        isCut = !RecordingStandardOutput.isNamed(claim.path)
        syncsFrames = options.syncsFrames
        blocks = claim.blocks
        self.cancellation = cancellation
        try Self.checkSyncing(claim.descriptor, claim.path, options)
    }

    /// Checks that frames can be synced to a disk where the options ask for it.
    static func checkSyncing(
        _ descriptor: Descriptor, _ path: String, _ options: RecordingOptions
    ) throws(FrameStreamingError) {
        if options.syncsFrames, (try? descriptor.details())?.kind != .regular { throw cannotSync(path) }
    }

    static func cannotSync(_ path: String) -> FrameStreamingError {
        FrameStreamingError(
            .invalidArgument, "frames that go to a reader cannot be synced to a disk: record to a file", subject: path)
    }

    /// Writes to an open and empty descriptor.
    init(_ descriptor: Descriptor, path: String) {
        self.path = path
        number = 1
        state = .open(descriptor)
        cancellation = nil
        identity = nil
        isUnborn = false
        isCut = true
        syncsFrames = false
        blocks = false
    }

    deinit { close() }

    /// Waits for a reader and opens the FIFO; nil = cancelled.
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

    /// Ends the recording. A file that was created for it and has no frame is removed.
    func close() {
        if isUnborn, case .open(let descriptor) = state { RecordingFileClaim.discard(descriptor, path) }
        state = .closed
    }

    /// Adds what makes a film quick to open and to seek in. Without it every frame can be read, so a
    /// failure is passed over. What goes to a reader has its head sent already, and stays as it is.
    func finish(_ ending: FilmEnding) {
        guard identity != nil, wholeLength > 0, let descriptor = try? opened() else { return }
        do {
            try append(unsafe ending.tail.span.bytes, RawSpan())
            // Appending descriptors write at the end only. This name also leads to a file that was renamed.
            let file = try Descriptor.openForWriting("/proc/self/fd/\(descriptor.raw)")
            for patch in ending.patches {
                try file.seek(to: patch.offset)
                try file.writeAll(unsafe patch.bytes.span.bytes)
            }
            if syncsFrames { try file.syncData() }
        } catch {
            return
        }
    }

    /// Closes a regular file until the next frame. A FIFO stays open, because its reader would take
    /// a close for the end.
    func suspend() {
        if case .open = state, identity != nil { state = .suspended }
    }

    private func opened() throws(FrameStreamingError) -> Descriptor {
        switch state {
        case .open(let descriptor): return descriptor
        case .closed: throw FrameStreamingError(.closed, "the recording was closed earlier", subject: path)
        case .suspended:
            // Only a file with an identity is ever suspended.
            guard let identity else { throw FrameStreamingError.lost(path, "it was closed") }
            do throws(FrameStreamingError) {
                let descriptor = try RecordingFileClaim.takeAgain(path, identity, length: wholeLength)
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
        }
        do throws(SystemError) {
            if syncsFrames { try sync(descriptor) }
        } catch {
            throw failed(error, descriptor, written: done)
        }
        wholeLength += total
        isUnborn = false
    }

    private func failed(_ error: SystemError, _ descriptor: Descriptor, written: Int) -> FrameStreamingError {
        let endsWhole = takeBack(written, of: descriptor)
        if error.code == Errno.brokenPipe {
            state = .closed
            return FrameStreamingError(
                .system,
                "its reader has gone (\(error.reason)): start the reader again, and then the stream; \(wholeLength) bytes of whole pictures were written",
                subject: path, errno: error.code)
        }
        let remedy =
            endsWhole
            ? "the recording ends with the last whole picture, at byte \(wholeLength); free space and try again"
            : "a part of the next picture follows \(wholeLength) bytes of whole ones; free space and start again"
        return FrameStreamingError(error, subject: path, remedy: remedy)
    }

    /// Writes once, from byte `done` on, as soon as there is room; nil = cancelled.
    private func write(
        _ first: RawSpan, _ second: RawSpan, from done: Int, to descriptor: Descriptor
    ) throws(SystemError) -> Int? {
        if blocks, try !waitForRoom(descriptor) { return nil }
        while true {
            do throws(SystemError) {
                let (head, rest) = (min(done, first.byteCount), max(0, done - first.byteCount))
                // Only what is no file can lose its reader.
                if identity != nil {
                    return try descriptor.write(
                        first.extracting(droppingFirst: head), second.extracting(droppingFirst: rest))
                }
                return try withoutPipeSignal { () throws(SystemError) in
                    let (first, second) = (
                        first.extracting(droppingFirst: head), second.extracting(droppingFirst: rest)
                    )
                    guard blocks else { return try descriptor.write(first, second) }
                    return try descriptor.write((first.isEmpty ? second : first).extracting(first: Self.promisedRoom))
                }
            } catch {
                guard error.code == Errno.again else { throw error }
            }
            guard try waitForRoom(descriptor) else { return nil }
        }
    }

    /// Waits until the descriptor takes bytes; false = cancelled.
    private func waitForRoom(_ descriptor: Descriptor) throws(SystemError) -> Bool {
        try wait(for: PollEvents.output, on: descriptor.raw, until: nil, wakeUp: cancellation?.wakeUp) != .woken
    }

    /// Checks that the file contains exactly what was written to it. The check follows a write in
    /// append mode, so a change in between cannot escape it.
    private func checkUnchanged(
        _ details: FileDetails, _ descriptor: Descriptor, grownBy total: Int
    ) throws(FrameStreamingError) {
        if details.linkCount > 0, details.size == wholeLength + total { return }
        state = .closed
        if details.linkCount == 0 { throw FrameStreamingError.lost(path, "another program removed it") }
        // A frame behind a hole, or without its header, would make the remaining file unreadable.
        if details.size >= total, details.size < wholeLength + total {
            try? descriptor.truncate(to: details.size - total)
        }
        throw FrameStreamingError.lost(path, size: details.size &- total, of: wholeLength)
    }

    private func sync(_ descriptor: Descriptor) throws(SystemError) {
        try descriptor.syncData()
        guard !isNameSynced, identity != nil else { return }
        try syncParentDirectory(of: path)
        isNameSynced = true
    }

    /// Cuts off a part of a frame.
    ///
    /// - Returns: Whether the recording ends with a whole frame. If not, it is closed.
    @discardableResult
    private func takeBack(_ count: Int, of descriptor: Descriptor) -> Bool {
        do throws(SystemError) {
            // A file that another program has cut must not grow again with a hole. The next frame
            // detects the cut.
            if identity != nil, try descriptor.details().size <= wholeLength { return true }
            guard isCut else { throw SystemError("ftruncate", code: Errno.invalid) }
            try descriptor.truncate(to: wholeLength)
            try descriptor.seek(to: wholeLength)
            return true
        } catch {
            // A pipe or device has no end to cut off, and no frame may follow half a frame.
            if count > 0 { close() }
            return count == 0
        }
    }

    private static func cancelled(_ path: String) -> FrameStreamingError {
        FrameStreamingError(.cancelled, "the wait for its reader was cancelled", subject: path)
    }
}

/// Returns when the name of a file is on the disk.
func syncParentDirectory(of path: String) throws(SystemError) {
    let slash = path.utf8.dropLast().lastIndex(of: UInt8(ascii: "/"))
    let parent = slash.map { $0 == path.utf8.startIndex ? "/" : String(path[..<$0]) } ?? "."
    try Directory(parent).sync()
}
