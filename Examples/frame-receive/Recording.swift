import FrameStreaming
import Synchronization

/// Writes one stream's frames to one recording after another, as their format changes.
final class Recording: Sendable {
    private struct State {
        var recorder: (any FrameRecorder)?
        /// Limits the recordings that this stream may begin: each change of format begins one.
        var starts = Recordings.startsOfStream
    }

    let session: UInt64
    let peer: Peer
    private let recordings: Recordings
    // Connections write one after another, each on a thread of its own.
    private let state = Mutex(State())

    init(_ recordings: Recordings, _ peer: Peer) {
        self.recordings = recordings
        session = peer.session
        self.peer = peer
    }

    /// Writes a frame. If it throws, the frame was not written and must
    /// not be acknowledged as consumed.
    func write(_ received: ReceivedFrame) throws(FrameStreamingError) {
        guard let kind = recordings.kind else { return }
        let frame = Self.frame(of: received, for: kind)
        try state.withLock { (state) throws(FrameStreamingError) in
            if let current = state.recorder, !current.accepts(frame) { end(&state) }
            let recorder: any FrameRecorder
            if let current = state.recorder { recorder = current } else { recorder = try begin(&state) }
            do throws(FrameStreamingError) {
                try recorder.write(frame)
            } catch {
                guard error.code == .recordingLost else { throw error }
                // Another program removed or cut the file: reported once, and the
                // frame goes to the next recording.
                recordings.lost(error)
                end(&state)
                try begin(&state).write(frame)
            }
        }
    }

    /// A video needs the decoded picture, and other recordings take it as received. A film's times are
    /// those of this machine's clock.
    private static func frame(of received: ReceivedFrame, for kind: RecordingKind) -> Frame {
        switch kind {
        case .video: return received.frame
        case .motionJPEG, .directory: return received.encoded
        case .film:
            var frame = received.forwarded()
            if frame.captureTime == nil { frame.captureTime = received.info.arrivalTime.map { CaptureTime($0) } }
            return frame
        }
    }

    private func begin(_ state: inout State) throws(FrameStreamingError) -> any FrameRecorder {
        let recorder = try recordings.begin(for: self, &state.starts)
        state.recorder = recorder
        return recorder
    }

    private func end(_ state: inout State) {
        guard let recorder = state.recorder.take() else { return }
        try? recorder.close()
        recordings.ended(recorder, of: self)
    }

    /// Closes the file of a stream that broke and may come back, so that
    /// absent streams hold no descriptor.
    ///
    /// - Returns: Whether a recording can be continued.
    func suspend() -> Bool {
        state.withLock { state in
            guard let recorder = state.recorder, recorder.frameCount > 0 else {
                end(&state)
                return false
            }
            recorder.suspend()
            return true
        }
    }

    func close() { state.withLock { end(&$0) } }
}
