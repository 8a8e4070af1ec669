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

/// The recordings of a run: the first has the name that was given, the next ones NAME-2, NAME-3.
final class Recordings: Sendable {
    private let path: String?
    private let rate: FrameRate
    private let count = Atomic(0)

    /// - Parameter rate: What a Y4M file says that it is to be played with.
    init(_ path: String?, rate: FrameRate) {
        self.path = path
        self.rate = rate
    }

    /// A recording for one connection. Its file is made with the first frame.
    func next() -> Recording { Recording(self) }

    fileprivate func open() throws(FrameStreamingError) -> (any FrameRecorder)? {
        guard let path, let kind = RecordingKind(path: path) else { return nil }
        let name = RecordingPath.numbered(path, count.wrappingAdd(1, ordering: .relaxed).newValue)
        switch kind {
        case .video: return try Y4MRecorder(path: name, rate: rate)
        case .motionJPEG: return try MJPEGRecorder(path: name)
        case .directory: return try JPEGDirectoryRecorder(path: name)
        }
    }
}

/// What one connection's frames go to: one recording after another, when their format changes.
final class Recording {
    private let recordings: Recordings
    private var recorder: (any FrameRecorder)?

    fileprivate init(_ recordings: Recordings) { self.recordings = recordings }

    func write(_ received: ReceivedFrame) throws(FrameStreamingError) {
        let isNew = recorder == nil
        if isNew { recorder = try recordings.open() }
        guard let recorder else { return }
        // Video takes the picture, JPEG recordings take it as it came.
        let frame = recorder is Y4MRecorder ? received.frame : received.encoded
        if !isNew, !recorder.accepts(frame) {
            try recorder.close()
            self.recorder = try recordings.open()
        }
        try self.recorder?.write(frame)
    }

    func close() { try? recorder?.close() }
}
