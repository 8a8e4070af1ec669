/// The way of a sender from its first frame to its end.
enum SenderPhase: Sendable {
    /// No run has begun, and no call of `finish`.
    case open
    /// A run or a `finish` has begun. There is no second one.
    case running
    /// The frames in flight are waited for, and goodbyes are sent. No receiver is added any more.
    case ending

    /// Begins the run. Returns false if one had begun before.
    mutating func begin() -> Bool {
        guard case .open = self else { return false }
        self = .running
        return true
    }
}

/// Whether the user has ended a sender, at any point of its way.
enum SenderOrder: Sendable {
    /// The user has not.
    case proceed
    /// Take no more frames, and say this goodbye: ``FrameSender/stop(_:)``. The first one counts.
    case stop(at: MonotonicTime, Goodbye)
    /// End at once, without a goodbye: ``FrameSender/cancel()``. It also ends a stop.
    case cancel

    mutating func stop(at time: MonotonicTime, _ goodbye: Goodbye) {
        if case .proceed = self { self = .stop(at: time, goodbye) }
    }

    /// Whether no more frames are taken.
    var ends: Bool { if case .proceed = self { false } else { true } }

    var isCancelled: Bool { if case .cancel = self { true } else { false } }

    /// The stop, unless a cancel has ended it.
    var stopped: (time: MonotonicTime, goodbye: Goodbye)? {
        if case .stop(let time, let goodbye) = self { (time, goodbye) } else { nil }
    }
}
