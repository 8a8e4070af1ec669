import FrameStreaming
import Synchronization

/// Writes one stream's frames to one recording after another, as their format changes.
final class Recording: Sendable {
    private struct State {
        var recorder: (any FrameRecorder)?
        /// Limits the recordings that this stream may begin: each change of format begins one.
        var starts = Recordings.startsOfStream
        var plan: SegmentPlan
        var preRoll: PreRoll?
        private var askedAt: MonotonicTime?

        init(_ recordings: Recordings) {
            plan = recordings.plan
            preRoll = recordings.preRoll
        }

        /// Whether a sender may be asked again.
        mutating func mayAsk(at now: MonotonicTime) -> Bool {
            if let askedAt, askedAt.duration(to: now) < .seconds(1) { return false }
            askedAt = now
            return true
        }
    }

    let session: UInt64
    let peer: Peer
    private let recordings: Recordings
    // Connections write one after another, each on a thread of its own.
    private let state: Mutex<State>
    private let hasBegun = Mutex(false)

    init(_ recordings: Recordings, _ peer: Peer) {
        self.recordings = recordings
        state = Mutex(State(recordings))
        session = peer.session
        self.peer = peer
    }

    /// Whether the stream has a recording already, which goes on in another segment.
    var hasSegments: Bool { hasBegun.withLock { $0 } && recordings.plan.hasLimit }

    /// Writes a frame, or keeps it in memory until there is a signal to record. If it throws, the frame
    /// was not written and must not be acknowledged as consumed.
    ///
    /// - Returns: Whether the sender is to be asked for a frame that stands alone.
    func write(_ received: ReceivedFrame) throws(FrameStreamingError) -> Bool {
        guard let kind = recordings.kind else { return false }
        let frame = Self.frame(of: received, for: kind)
        return try state.withLock { (state) throws(FrameStreamingError) in
            guard state.preRoll != nil else { return try write(frame, &state) }
            guard recordings.isTriggered else {
                end(&state)
                return state.preRoll?.add(frame, at: .now) ?? false
            }
            for frame in state.preRoll?.takeAll() ?? [] { _ = try write(frame, &state) }
            return try write(frame, &state)
        }
    }

    private func write(_ frame: Frame, _ state: inout State) throws(FrameStreamingError) -> Bool {
        let step = state.plan.next(byteCount: frame.byteCount, standsAlone: !frame.dependsOnPrevious, at: .now)
        if step == .begins { end(&state, isSegment: true) }
        if let current = state.recorder, !current.accepts(frame) { end(&state) }
        let recorder: any FrameRecorder
        if let current = state.recorder { recorder = current } else { recorder = try begin(&state) }
        recordings.makeRoom(for: recorder.path, frame.byteCount)
        let count = recorder.frameCount
        do throws(FrameStreamingError) {
            try recorder.write(frame)
        } catch {
            guard error.code == .recordingLost else { throw error }
            // Another program removed or cut the file: reported once, and the
            // frame goes to the next recording.
            recordings.lost(error)
            end(&state)
            try begin(&state).write(frame)
            return frame.dependsOnPrevious
        }
        // A frame that depends on one that the recording does not have was left out.
        return step == .asksForKeyFrame || recorder.frameCount == count && state.mayAsk(at: .now)
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
        hasBegun.withLock { $0 = true }
        return recorder
    }

    /// - Parameter isSegment: Whether the plan knows of it.
    private func end(_ state: inout State, isSegment: Bool = false) {
        if !isSegment { state.plan.ended() }
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
