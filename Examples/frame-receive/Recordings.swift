import FrameStreaming
import Synchronization

/// The recordings of a run: the first has the name that was given, the next ones NAME-2, NAME-3.
final class Recordings: Sendable {
    private let path: String?
    private let count = Atomic(0)

    init(_ path: String?) { self.path = path }

    /// Whether the name asks for raw video.
    static func isVideo(_ path: String?) -> Bool { path?.lowercased().hasSuffix(".y4m") ?? false }

    /// A recording for one connection. Its file is made with the first frame.
    func next() -> Recording { Recording(self) }

    fileprivate func open() throws(FrameStreamingError) -> (any FrameRecorder)? {
        guard let path else { return nil }
        let name = RecordingPath.numbered(path, count.wrappingAdd(1, ordering: .relaxed).newValue)
        if Self.isVideo(path) { return try Y4MRecorder(path: name) }
        if [".mjpg", ".mjpeg"].contains(where: path.lowercased().hasSuffix) { return try MJPEGRecorder(path: name) }
        return try JPEGDirectoryRecorder(path: name)
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
