import ExampleSupport
import FrameStreaming
import Synchronization

/// What a recording's name asks for.
enum RecordingKind {
    case video, motionJPEG, directory

    /// Nil for an ending that is none of these: `x.avi` would become a directory of that name.
    init?(path: String) {
        let lowered = path.lowercased()
        let name = lowered.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        if path.hasSuffix("/") {
            self = .directory
        } else if name.isEmpty {
            return nil
        } else if name.hasSuffix(".y4m") {
            self = .video
        } else if name.hasSuffix(".mjpg") || name.hasSuffix(".mjpeg") {
            self = .motionJPEG
        } else if name == ".." || !name.dropFirst().contains(".") {
            // The dot of a hidden directory's name does not begin an ending.
            self = .directory
        } else {
            return nil
        }
    }
}

/// The recordings of a run: the first has the name that was given, the next ones NAME-2, NAME-3, with --no-overwrite of those that are free. A stream that comes back after a break
/// has the one that it had.
final class Recordings: Sendable {
    private let path: String?
    private let rate: FrameRate
    private let overwrite: Bool
    private let count = Atomic(0)
    private let ofSessions = Mutex<[UInt64: Session]>([:])

    private struct Session {
        let recording: Recording
        /// Connections that have it: two for a moment, when a stream comes back before its old connection's end was noticed.
        var users = 0
        /// When its last connection broke, counted in breaks.
        var broke = 0
    }

    /// Streams that broke and whose recordings are kept open for them: those that broke last.
    private static let mostBroken = 16
    private let breaks = Atomic(0)
    private let cancellation: RecordingCancellation

    /// Sees whether the first one can be made: nobody is to send pictures for an hour that are kept nowhere.
    ///
    /// - Parameters:
    ///   - rate: What a Y4M file says that it is to be played with.
    ///   - overwrite: Whether earlier recordings of these names may be lost.
    init(_ path: String?, rate: FrameRate, overwrite: Bool) throws(FrameStreamingError) {
        self.path = path
        self.rate = rate
        self.overwrite = overwrite
        cancellation = try RecordingCancellation()
        guard let path, let kind = RecordingKind(path: path) else { return }
        switch kind {
        case .video, .motionJPEG: try RecordingPath.checkFile(path)
        case .directory: try RecordingPath.checkDirectory(path)
        }
        try RecordingPlace.check(path, overwrite: overwrite, label: "frame-receive")
    }

    /// Whether anything is to be recorded.
    fileprivate var isWanted: Bool { path != nil }

    /// The recording of a peer's stream. Its file is made with the first frame.
    func recording(of peer: Peer) -> Recording {
        guard peer.session != 0 else { return Recording(self, session: 0) }
        return ofSessions.withLock { sessions in
            var session = sessions[peer.session] ?? Session(recording: Recording(self, session: peer.session))
            session.users += 1
            sessions[peer.session] = session
            return session.recording
        }
    }

    /// The connection is over. A stream that broke may come back for its recording; one that does not leaves it whole, for pictures are
    /// written whole.
    func leave(_ recording: Recording, isOver: Bool) {
        let number = breaks.wrappingAdd(1, ordering: .relaxed).newValue
        let done: [Recording] = ofSessions.withLock { sessions in
            guard var session = sessions[recording.session] else { return [recording] }
            session.users -= 1
            session.broke = number
            sessions[recording.session] = isOver && session.users == 0 ? nil : session
            if isOver, session.users == 0 { return [recording] }
            let broken = sessions.filter { $0.value.users == 0 }.sorted { $0.value.broke > $1.value.broke }
            return broken.dropFirst(Self.mostBroken).map { old in
                sessions[old.key] = nil
                return old.value.recording
            }
        }
        for recording in done { recording.close() }
    }

    /// Ends the waits for who reads a FIFO.
    func cancel() { cancellation.cancel() }

    private func nextName(_ path: String) -> String {
        while true {
            let name = RecordingPath.numbered(path, count.wrappingAdd(1, ordering: .relaxed).newValue)
            guard RecordingPlace.isTaken(name) else { return name }
            guard overwrite else { continue }
            // Of the first it was said at the start.
            if name != path { RecordingPlace.warn(name, label: "frame-receive") }
            return name
        }
    }

    fileprivate func open() throws(FrameStreamingError) -> (any FrameRecorder)? {
        guard let path, let kind = RecordingKind(path: path) else { return nil }
        let name = nextName(path)
        switch kind {
        case .video: return try Y4MRecorder(path: name, rate: rate, cancellation: cancellation)
        case .motionJPEG: return try MJPEGRecorder(path: name, cancellation: cancellation)
        case .directory: return try JPEGDirectoryRecorder(path: name)
        }
    }
}

/// What one stream's frames go to: one recording after another, when their format changes.
final class Recording: Sendable {
    let session: UInt64
    private let recordings: Recordings
    // One connection after another writes, each on a thread of its own.
    private let recorder = Mutex<(any FrameRecorder)?>(nil)

    fileprivate init(_ recordings: Recordings, session: UInt64) {
        self.recordings = recordings
        self.session = session
    }

    func write(_ received: ReceivedFrame) throws(FrameStreamingError) {
        guard recordings.isWanted else { return }
        try recorder.withLock { (recorder) throws(FrameStreamingError) in
            let isNew = recorder == nil
            if isNew { recorder = try recordings.open() }
            guard let current = recorder else { return }
            // Video takes the picture, JPEG recordings take it as it came.
            let frame = current is Y4MRecorder ? received.frame : received.encoded
            if !isNew, !current.accepts(frame) {
                try current.close()
                recorder = try recordings.open()
            }
            try recorder?.write(frame)
        }
    }

    func close() {
        recorder.withLock { recorder in
            try? recorder?.close()
            recorder = nil
        }
    }
}
