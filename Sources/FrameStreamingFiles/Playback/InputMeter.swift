public import FrameStreamingCore
internal import FrameStreamingSystem

/// What an input has delivered so far. Any thread may ask.
public final class InputMeter: Sendable {
    private let state = Monitor(State())

    private struct State {
        var statistics = InputStatistics()
        var rate = RateMeter()
    }

    package init() {}

    /// The figures so far.
    public var statistics: InputStatistics {
        state.withLock { state in
            var result = state.statistics
            result.framesPerSecond = state.rate.framesPerSecond
            result.isSlow = result.statedRate.map(state.rate.isSlower) ?? false
            return result
        }
    }

    /// Notes the rate that the options or the input state; nil = none.
    package func states(_ rate: FrameRate?) { state.withLock { $0.statistics.statedRate = rate } }

    /// Asks the input for its next event, and notes the answer and the time that it took.
    package func measure(
        on clock: any FrameClock, _ read: () throws(FrameStreamingError) -> SourceEvent?
    ) throws(FrameStreamingError) -> SourceEvent? {
        state.withLock { $0.rate.begins(at: clock.now) }
        var event: SourceEvent?
        defer { returns(event, at: clock.now) }
        event = try read()
        return event
    }

    /// Notes that the input has answered, with a frame or without.
    private func returns(_ event: SourceEvent?, at now: MonotonicTime) {
        state.withLock { state in
            let hasFrame = if case .frame = event { true } else { false }
            if hasFrame { state.statistics.frames &+= 1 }
            state.rate.returns(withFrame: hasFrame, at: now)
        }
    }

    /// Notes that a frame is left out, because it is damaged.
    package func damages() { state.withLock { $0.statistics.damaged &+= 1 } }

    /// Notes what a newer frame replaced.
    func notes(_ replaced: LiveInbox.Replaced) {
        switch replaced {
        case .nothing: break
        case .unwanted: state.withLock { $0.statistics.unwanted &+= 1 }
        case .wanted: state.withLock { $0.statistics.dropped &+= 1 }
        }
    }
}

/// The figures of an ``InputMeter``.
public struct InputStatistics: Hashable, Sendable {
    /// Frames that the input delivered, including dropped ones.
    public var frames = 0
    /// Frames of a live input that were not taken before a newer one arrived, from the first one
    /// on that was taken.
    public var dropped = 0
    /// The same before that: the input is read from the start on, also without a receiver.
    public var unwanted = 0
    /// Frames that were left out because they are damaged.
    public var damaged = 0
    /// Frames per second as the options or else the input state them; nil = they do not, or the
    /// frames are taken as fast as possible.
    public var statedRate: FrameRate?
    /// Frames per second that the input delivered while it was waited for; nil before the second.
    public var framesPerSecond: Double?
    /// Whether the input delivers more slowly than ``statedRate``, by more than 5 %.
    public var isSlow = false

    /// Creates figures of no frames.
    public init() {}
}

/// Measures the rate of an input from the times of its frames. The time between its calls, in which
/// the consumer does something else, does not count.
struct RateMeter: Sendable {
    /// The shortest time that is judged.
    static let shortest = Duration.seconds(1)

    private var frames = 0
    private var first: MonotonicTime?
    private var returned: MonotonicTime?
    private var elsewhere = Duration.zero
    /// From the first frame to the last, without the time elsewhere.
    private var time = Duration.zero

    /// Notes that the input is asked.
    mutating func begins(at now: MonotonicTime) {
        if first != nil, let returned { elsewhere += max(.zero, returned.duration(to: now)) }
        returned = nil
    }

    /// Notes that it has answered.
    mutating func returns(withFrame: Bool, at now: MonotonicTime) {
        returned = now
        guard withFrame else { return }
        frames &+= 1
        guard let first else {
            first = now
            return
        }
        time = max(.zero, first.duration(to: now) - elsewhere)
    }

    /// Frames per second; nil before the second frame, and if they came in no time.
    var framesPerSecond: Double? { frames > 1 && time > .zero ? Double(frames - 1) / time.inSeconds : nil }

    /// Whether the frames came more slowly than this, by more than 5 %.
    func isSlower(than rate: FrameRate) -> Bool {
        guard time >= Self.shortest, let framesPerSecond else { return false }
        return framesPerSecond * 1.05 < rate.framesPerSecond
    }
}
