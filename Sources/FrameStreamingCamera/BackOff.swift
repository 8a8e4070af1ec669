internal import FrameStreamingCore

/// How long to wait before a lost camera is looked for again: 0.25 s, then twice as long each time, up to 5 s.
struct BackOff: Hashable, Sendable {
    private(set) var attempts = 0

    private static let shortest = Duration.milliseconds(250)
    private static let longest = Duration.seconds(5)

    /// The wait before the next attempt.
    mutating func next() -> Duration {
        defer { attempts += 1 }
        return attempts < 5 ? min(Self.shortest * (1 << attempts), Self.longest) : Self.longest
    }

    /// The camera streamed for long enough to call it healthy.
    mutating func reset() { attempts = 0 }
}
