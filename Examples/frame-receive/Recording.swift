import FrameStreaming
import Synchronization

/// What one stream's frames go to: one recording after another, when their format changes.
final class Recording: Sendable {
    private struct State {
        var recorder: (any FrameRecorder)?
        /// Recordings that this stream may still begin: each change of format begins one.
        var starts = Recordings.startsOfStream
    }

    let session: UInt64
    private let stream: String?
    private let recordings: Recordings
    // One connection after another writes, each on a thread of its own.
    private let state = Mutex(State())

    init(_ recordings: Recordings, _ peer: Peer) {
        self.recordings = recordings
        session = peer.session
        stream = peer.stream
    }

    /// Writes a frame. One that it throws for is nowhere, and must not be acknowledged as consumed.
    func write(_ received: ReceivedFrame) throws(FrameStreamingError) {
        guard let kind = recordings.kind else { return }
        // Video takes the picture, JPEG recordings take it as it came.
        let frame = kind == .video ? received.frame : received.encoded
        try state.withLock { (state) throws(FrameStreamingError) in
            if let current = state.recorder, !current.accepts(frame) { end(&state) }
            let recorder: any FrameRecorder
            if let current = state.recorder { recorder = current } else { recorder = try begin(&state) }
            do throws(FrameStreamingError) {
                try recorder.write(frame)
            } catch {
                guard error.code == .recordingLost else { throw error }
                // Removed or cut from outside: said once, and the frame goes to the next one.
                recordings.lost(error)
                end(&state)
                try begin(&state).write(frame)
            }
        }
    }

    private func begin(_ state: inout State) throws(FrameStreamingError) -> any FrameRecorder {
        let recorder = try recordings.begin(&state.starts)
        state.recorder = recorder
        return recorder
    }

    private func end(_ state: inout State) {
        guard let recorder = state.recorder.take() else { return }
        try? recorder.close()
        recordings.ended(recorder, of: stream)
    }

    /// The stream broke and may come back: its file is closed until then, so that however
    /// many are away cost no descriptor.
    ///
    /// - Returns: Whether there is a recording that may go on.
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
