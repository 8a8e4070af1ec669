internal import FrameStreamingSystem

/// The sessions that a listening sender has given its receivers: one for each, by which it is known when it comes back.
final class IssuedSessions: Sendable {
    private let known = Monitor<[UInt64]>([])

    /// Receivers that came and went long ago are new when they come back.
    private static let mostKnown = 1024

    /// The session of a receiver that says it consumed of `claimed`: that one where it was given out here, else a new one.
    func session(claimed: UInt64) -> UInt64 {
        known.withLock { known in
            if known.contains(claimed) { return claimed }
            let fresh = UInt64.random(in: 1 ... .max)
            known.append(fresh)
            if known.count > Self.mostKnown { known.removeFirst() }
            return fresh
        }
    }
}
