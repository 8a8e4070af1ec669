package import FrameStreamingCore

/// What a ``LiveReader``'s thread leaves for the thread that takes the frames: the newest frame, and
/// everything else. A value without a lock.
package struct LiveInbox: Sendable {
    /// Which thread reads the input.
    package enum Mode: Sendable {
        /// The reader's, as far as the first bytes: they tell whether the input is live.
        case recognizing
        /// The reader's, to the end. A newer frame replaces one that was not taken.
        case live
        /// The reader's, to the end. It reads on when the frame before was taken.
        case keeping
        /// The one that takes the frames: the input is not live.
        case direct
    }

    /// What is taken from it.
    package enum Taken: Sendable {
        case event(SourceEvent)
        /// The input has ended. Each later call returns the same.
        case ended(FrameStreamingError?)
        /// The caller reads the input itself from here on.
        case direct
    }

    /// What a newer frame replaced.
    package enum Replaced: Sendable {
        case nothing
        /// A frame before the first one that was taken.
        case unwanted
        /// A frame that the thread that takes them was too late for.
        case wanted
    }

    private(set) var mode: Mode
    /// Whether no more frames are taken.
    private(set) var isStopped = false
    private var frame: Frame?
    private var hasGivenFrame = false
    /// Events other than frames, which come before the frame.
    private var reports: [SourceEvent] = []
    private var end: Taken?

    init(_ mode: Mode) { self.mode = mode }

    /// Notes what becomes of the input, as its first bytes say.
    mutating func recognized(as recognized: Mode) {
        if case .recognizing = mode { mode = recognized }
    }

    /// Whether the thread may read the next frame.
    var hasRoom: Bool {
        if case .keeping = mode { return isStopped || frame == nil }
        return true
    }

    /// Ends the thread.
    mutating func stop() {
        isStopped = true
        (frame, reports) = (nil, [])
    }

    /// Puts an event in, and returns what its frame replaced.
    mutating func put(_ event: SourceEvent) -> Replaced {
        guard !isStopped else { return .nothing }
        switch event {
        case .frame(let newest):
            defer { frame = newest }
            return frame == nil ? .nothing : hasGivenFrame ? .wanted : .unwanted
        case .damaged(let count, let latest):
            // They may not be taken for months.
            if case .damaged(let before, _)? = reports.last {
                reports[reports.count - 1] = .damaged(count: before &+ count, latest: latest)
            } else {
                reports.append(event)
            }
        case .lost:
            // They may not be taken for months, and one undoes the other.
            guard !undo(.restored) else { break }
            reports.append(event)
            // It is from before the loss, which is reported first.
            guard frame != nil else { break }
            frame = nil
            return hasGivenFrame ? .wanted : .unwanted
        case .restored:
            if !undo(.lost) { reports.append(event) }
        }
        return .nothing
    }

    private enum Report { case lost, restored }

    /// Takes back a report of this kind; false if there is none.
    private mutating func undo(_ kind: Report) -> Bool {
        let index = reports.firstIndex {
            switch ($0, kind) {
            case (.lost, .lost), (.restored, .restored): true
            default: false
            }
        }
        guard let index else { return false }
        reports.remove(at: index)
        return true
    }

    /// Notes that the input has ended, with this error or without.
    mutating func ended(_ error: FrameStreamingError?) { end = .ended(error) }

    /// Takes the next event or frame; nil = none has arrived.
    mutating func take() -> Taken? {
        if !reports.isEmpty { return .event(reports.removeFirst()) }
        if let frame = frame.take() {
            hasGivenFrame = true
            return .event(.frame(frame))
        }
        if let end { return end }
        if case .direct = mode { return .direct }
        return nil
    }
}
