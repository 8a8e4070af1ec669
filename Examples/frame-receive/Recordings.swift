import ExampleSupport
import FoundationEssentials
import FrameStreaming
import Glibc
import Synchronization

/// The recordings of a run. Each takes the first free name of NAME, NAME-2, NAME-3. A stream that
/// comes back after a break continues its recording.
final class Recordings: Sendable {
    private struct Session {
        let recording: Recording
        /// How many connections use it: two for a moment, if a stream comes back before the end
        /// of its old connection was noticed.
        var users = 0
        /// The number of the break that ended its last connection.
        var broke = 0
    }

    private struct State {
        var sessions: [UInt64: Session] = [:]
        var breaks = 0
    }

    private struct Starts {
        /// The first number to try: those before it were taken.
        var nextNumber = 1
        var begun = 0
        var limit: StartLimit
        /// The recording that has standard output, the FIFO or the device.
        var holder: Recording?
    }

    /// The limit for one stream: an ordinary camera changes its size now and then.
    static let startsOfStream = StartLimit(burst: 16, interval: .seconds(10))

    /// The kind of recording; nil = none.
    let kind: RecordingKind?
    private let path: String
    private let rate: FrameRate
    private let options: RecordingOptions
    private let maximum: Int
    private let output: OutputOptions
    /// How many broken streams may continue their recordings: those that broke last.
    private let mostBroken: Int
    private let state = Mutex(State())
    private let starts: Locked<Starts>
    private let cancellation: RecordingCancellation
    private let segments: SegmentOptions
    private let kept: Mutex<KeptRecordings?>
    /// The last signal to record; nil = there was none.
    private let triggered = Mutex<MonotonicTime?>(nil)

    /// Checks that the first recording can be made, so that no sender streams
    /// for an hour without a recording.
    ///
    /// - Parameters:
    ///   - maximumConnections: The most streams at once. As many may break at once, and all of them
    ///     can continue.
    init(
        _ arguments: ConsumeOptions, maximumConnections: Int, _ output: OutputOptions
    ) throws(FrameStreamingError) {
        path = arguments.record ?? ""
        kind = arguments.record.flatMap(RecordingKind.init)
        rate = arguments.recordRate ?? .thirty
        options = arguments.recordingOptions
        maximum = arguments.maximumRecordings
        segments = arguments.segments
        kept = Mutex(arguments.segments.kept)
        self.output = output
        mostBroken = max(1024, maximumConnections)
        starts = Locked(
            Starts(limit: StartLimit(burst: max(256, maximumConnections * 4), interval: .milliseconds(250))))
        cancellation = try RecordingCancellation()
        var first = options
        if arguments.overwrite == false { first.existing = .refuse }
        if RecordingPath.isStandardOutput(path) { leaveStandardOutputToPictures() }
        let name =
            switch kind {
            case .video, .motionJPEG, .film: try RecordingPath.checkFile(path, options: first)
            case .directory: try RecordingPath.checkDirectory(path, options: first)
            case nil: path
            }
        if name != path, !segments.isDated {
            printNote("\(path): there is a recording already, which stays; the next one is \(name)")
        }
    }

    /// The recording of a peer's stream. Its file is made with the first frame.
    func recording(of peer: Peer) -> Recording {
        guard peer.session != 0 else { return Recording(self, peer) }
        return state.withLock { state in
            var session = state.sessions[peer.session] ?? Session(recording: Recording(self, peer))
            session.users += 1
            state.sessions[peer.session] = session
            return session.recording
        }
    }

    /// Ends a connection's use of its recording. A stream that broke may come back and continue it.
    /// If it does not, the recording is intact, because pictures are written whole.
    func leave(_ recording: Recording, isOver: Bool) {
        let isLast = state.withLock { state in
            guard var session = state.sessions[recording.session] else { return true }
            session.users -= 1
            state.breaks += 1
            session.broke = state.breaks
            state.sessions[recording.session] = isOver && session.users == 0 ? nil : session
            return session.users == 0
        }
        guard isLast else { return }
        if isOver || recording.session == 0 { return recording.close() }
        // A stream that comes back at this moment opens its file again.
        let mayGoOn = recording.suspend()
        let forgotten: [Recording] = state.withLock { state in
            if !mayGoOn, state.sessions[recording.session]?.users == 0 { state.sessions[recording.session] = nil }
            let broken = state.sessions.filter { $0.value.users == 0 }
            guard broken.count > mostBroken else { return [] }
            let oldest = broken.sorted { $0.value.broke < $1.value.broke }.prefix(broken.count - mostBroken)
            for (session, _) in oldest { state.sessions[session] = nil }
            return oldest.map(\.value.recording)
        }
        for recording in forgotten { recording.close() }
    }

    /// The limits of a segment.
    var plan: SegmentPlan { segments.plan }

    /// The memory for what precedes a signal to record; nil = everything is recorded.
    var preRoll: PreRoll? { segments.ring }

    /// Records the last seconds of every stream, and what follows.
    func trigger() { triggered.withLock { $0 = .now } }

    /// Whether a signal to record holds now.
    var isTriggered: Bool {
        guard let last = triggered.withLock({ $0 }) else { return false }
        return segments.postRoll.map { last.duration(to: .now) < .seconds($0) } ?? true
    }

    /// Removes what was recorded first in this run, if there is more than may be kept.
    ///
    /// - Parameters:
    ///   - path: The recording that grows.
    ///   - count: The bytes that it will have more.
    func makeRoom(for path: String, _ count: Int) {
        remove(kept.withLock { $0?.grows(path, by: count) ?? [] })
    }

    private func remove(_ paths: [String]) {
        for path in paths {
            do {
                try FileManager.default.removeItem(atPath: path)
            } catch {
                // Somebody else was faster.
                guard FileManager.default.fileExists(atPath: path) else { continue }
                printNote("\(path): it cannot be removed, and stays: \(error)")
            }
        }
    }

    /// Ends the waits for a FIFO's reader.
    func cancel() { cancellation.cancel() }

    /// Ends the recordings of streams that have not come back, once no connection is left.
    func finish() {
        let left = state.withLock { state in
            defer { state.sessions = [:] }
            return state.sessions.values.sorted { $0.broke < $1.broke }.map(\.recording)
        }
        for recording in left { recording.close() }
    }

    /// Makes the next recording.
    ///
    /// - Throws: `limitExceeded` if a stream, or all of them, begin
    ///   too many; `busy` if another stream has the FIFO, the device or standard output;
    ///   the recorder's errors.
    func begin(
        for recording: Recording, _ ofStream: inout StartLimit
    ) throws(FrameStreamingError) -> any FrameRecorder {
        if segments.isDated { return try beginDated(for: recording, &ofStream) }
        // What goes to a reader has one name, however often a recording begins there.
        let isStream = RecordingPath.isStream(path)
        if isStream { awaitTurn() }
        // Each begins with a number of its own. The file is made without the lock, because
        // opening a FIFO may wait for a reader.
        let number = try starts.withLock { (starts) throws(FrameStreamingError) in
            if isStream, starts.holder != nil {
                throw FrameStreamingError(
                    .busy,
                    "another stream is recorded there, and their pictures must not mix: start another receiver, or record to a directory",
                    subject: path)
            }
            try count(&starts, &ofStream)
            if isStream {
                starts.holder = recording
                return 1
            }
            defer { starts.nextNumber += 1 }
            return starts.nextNumber
        }
        var options = options
        options.firstNumber = number
        do throws(FrameStreamingError) {
            let recorder = try recorder(options, of: recording.peer, path: path)
            if !isStream { starts.withLock { $0.nextNumber = max($0.nextNumber, recorder.number + 1) } }
            output.records(RecordingStartEvent(path: recorder.path, peer: recording.peer))
            return recorder
        } catch {
            starts.withLock { starts in
                starts.begun -= 1
                starts.limit.giveBack()
                if starts.holder === recording { starts.holder = nil }
                if !isStream { giveBack(number, &starts) }
            }
            ofStream.giveBack()
            throw error
        }
    }

    /// Makes a recording whose name has the time. The next segment of a stream counts for no
    /// limit: the oldest are removed.
    private func beginDated(
        for recording: Recording, _ ofStream: inout StartLimit
    ) throws(FrameStreamingError) -> any FrameRecorder {
        let counts = !recording.hasSegments
        if counts { try starts.withLock { (starts) throws(FrameStreamingError) in try count(&starts, &ofStream) } }
        do throws(FrameStreamingError) {
            let recorder = try recorder(options, of: recording.peer, path: RecordingPath.dated(path))
            output.records(RecordingStartEvent(path: recorder.path, peer: recording.peer))
            return recorder
        } catch {
            if counts {
                starts.withLock { starts in
                    starts.begun -= 1
                    starts.limit.giveBack()
                }
                ofStream.giveBack()
            }
            throw error
        }
    }

    /// How long a stream waits for one that may be about to end: its sender is gone a moment before
    /// its recording is closed.
    private static let patience = Duration.seconds(1)

    /// Waits until no other stream has what this one needs now. A stream that broke gives it up.
    private func awaitTurn() {
        guard let holder = starts.withLock({ $0.holder }) else { return }
        if state.withLock({ $0.sessions[holder.session]?.users == 0 }) { holder.close() }
        _ = starts.wait(until: MonotonicTime.now.advanced(by: Self.patience)) { $0.holder == nil ? true : nil }
    }

    /// Whether the only reader of the recordings has gone, so that no other stream can be recorded.
    func hasLostReader(_ error: FrameStreamingError) -> Bool {
        RecordingPath.isStandardOutput(path) && error.subject == path && error.errno == EPIPE
    }

    /// Frees a name. A name that this run has recorded to must not be replaced, so
    /// then only the last number is freed.
    private func giveBack(_ number: Int, _ starts: inout Starts) {
        if options.existing != .replace || number == starts.nextNumber - 1 {
            starts.nextNumber = min(starts.nextNumber, number)
        }
    }

    private func count(_ starts: inout Starts, _ ofStream: inout StartLimit) throws(FrameStreamingError) {
        guard maximum == 0 || starts.begun < maximum else {
            throw FrameStreamingError(
                .limitExceeded, "\(maximum) recordings were begun, and no more are allowed", subject: path)
        }
        let now = MonotonicTime.now
        guard ofStream.take(at: now) else {
            throw FrameStreamingError(
                .limitExceeded, "the stream's pictures change their size or format too often to be recorded",
                subject: path)
        }
        guard starts.limit.take(at: now) else {
            ofStream.giveBack()
            throw FrameStreamingError(
                .limitExceeded, "too many recordings are begun in a short time: try again later", subject: path)
        }
        starts.begun += 1
    }

    private func recorder(
        _ options: RecordingOptions, of peer: Peer, path: String
    ) throws(FrameStreamingError) -> any FrameRecorder {
        switch kind {
        case .video: try Y4MRecorder(path: path, rate: rate, options: options, cancellation: cancellation)
        case .motionJPEG, nil: try MJPEGRecorder(path: path, options: options, cancellation: cancellation)
        case .film(let container):
            try FilmRecorder(
                path: path, container: container, stream: peer.stream, options: options, cancellation: cancellation)
        case .directory: try JPEGDirectoryRecorder(path: path, options: options)
        }
    }

    /// Ends a recording. Its recorder has removed a file without frames, whose name is free again.
    func ended(_ recorder: any FrameRecorder, of recording: Recording) {
        let wasHolder = starts.withLock { starts in
            guard starts.holder === recording else { return false }
            starts.holder = nil
            return true
        }
        if recorder.frameCount > 0 { noteSize(of: recorder.path) }
        guard recorder.frameCount > 0 else {
            if wasHolder || segments.isDated { return }
            guard !FileManager.default.fileExists(atPath: recorder.path) else { return }
            return starts.withLock { giveBack(recorder.number, &$0) }
        }
        output.recorded(RecordingEvent(path: recorder.path, frames: recorder.frameCount, peer: recording.peer))
    }

    private func noteSize(of path: String) {
        guard kept.withLock({ $0 != nil }) else { return }
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let size = (attributes?[.size] as? UInt64).map { Int(clamping: $0) } ?? 0
        remove(kept.withLock { $0?.ends(path, with: size) ?? [] })
    }

    /// Reports a recording that another program removed or changed; the
    /// stream continues in another one.
    func lost(_ error: FrameStreamingError) { printError(error.description, error) }
}
