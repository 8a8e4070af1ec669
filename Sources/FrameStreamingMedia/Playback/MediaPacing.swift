internal import FrameStreamingCore
internal import FrameStreamingFiles

/// Computes when the next picture of a film is due, by the film's own time stamps, so that a rate
/// that varies stays as it is. A value without a clock of its own.
///
/// Stamps are untrusted. One that goes back, or forward by more than ``longestStep``, is a jump: the
/// picture is due when the one before has had its time. So is one that is missing.
struct MediaPacing: Hashable, Sendable {
    /// The longest time for which a film may show one picture.
    static let longestStep = Duration.seconds(3600)
    /// The same for a broadcast, whose stamps jump where one piece follows another.
    static let longestBroadcastStep = Duration.seconds(10)

    private let mostStep: Duration
    /// The time of a picture whose stamps do not tell it.
    private let usualStep: Duration
    private var lastStep: Duration?
    /// The stamp of the last picture that was handed out.
    private var lastStamp: Duration?
    /// The time that the last picture states for itself.
    private var lastDuration: Duration?
    /// When the picture at `position` zero was due.
    private var anchor: MonotonicTime?
    /// From there to the last picture.
    private var position = Duration.zero

    /// The rate of a film that states none, as FFmpeg takes it.
    static var usualRate: FrameRate { FrameRate(25) ?? .thirty }

    /// - Parameters:
    ///   - rate: The usual rate; nil = it is not known.
    ///   - mayJump: Whether it is a broadcast.
    init(rate: FrameRate?, mayJump: Bool) {
        usualStep = (rate ?? Self.usualRate).time(ofFrame: 1)
        mostStep = mayJump ? Self.longestBroadcastStep : Self.longestStep
    }

    /// Returns when a picture is due, given the time `now`. The first is due at once. One that is
    /// late by more than a second restarts the schedule, instead of a burst of pictures.
    mutating func due(_ stamp: MediaStamp, now: MonotonicTime) -> MonotonicTime {
        guard let anchor else {
            self.anchor = now
            return now
        }
        let due = anchor.advanced(by: position + step(to: stamp))
        guard now.since(due) > Pacer.patience else { return due }
        self.anchor = anchor.advanced(by: now.since(due))
        return now
    }

    /// Notes that the picture was handed out.
    mutating func handedOut(_ stamp: MediaStamp) {
        if let lastStamp, let time = stamp.time, time >= lastStamp, time - lastStamp <= mostStep {
            lastStep = time - lastStamp
        }
        position += hasHandedOut ? step(to: stamp) : .zero
        hasHandedOut = true
        lastStamp = stamp.time
        lastDuration = stamp.duration
    }

    /// Notes that the next picture does not follow the last in the film: it is the first, or behind a jump.
    mutating func jumps() { lastStamp = nil }

    /// Begins a new schedule: the next picture is due at once.
    mutating func restarts() {
        (anchor, position, hasHandedOut, lastStamp) = (nil, .zero, false, nil)
    }

    private var hasHandedOut = false

    private func step(to stamp: MediaStamp) -> Duration {
        guard hasHandedOut else { return .zero }
        if let lastStamp, let time = stamp.time {
            let step = time - lastStamp
            if step >= .zero, step <= mostStep { return step }
        }
        if let lastDuration, lastDuration > .zero, lastDuration <= mostStep { return lastDuration }
        if let lastStep, lastStep > .zero { return lastStep }
        return usualStep
    }
}
