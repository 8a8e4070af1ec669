internal import Dispatch
internal import FrameStreaming
internal import Synchronization

/// Limits how long a stream that broke may stay away.
final class Absence: Sendable {
    /// Runs a closure after a duration.
    typealias Timer = @Sendable (Duration, @escaping @Sendable () -> Void) -> Void

    private let patience: Duration?
    private let timer: Timer
    /// Counts beginnings and ends: a timer that finds another number is obsolete.
    private let count = Atomic(0)

    /// - Parameter patience: nil = for ever.
    init(patience: Duration?, timer: @escaping Timer = Absence.later) {
        self.patience = patience
        self.timer = timer
    }

    /// Notes that the stream broke.
    ///
    /// - Parameter isOver: Called when it has stayed away for too long.
    func begin(_ isOver: @escaping @Sendable (FrameStreamingError) -> Void) {
        let mine = count.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
        guard let patience else { return }
        timer(patience) { [self] in
            guard count.load(ordering: .sequentiallyConsistent) == mine else { return }
            isOver(
                FrameStreamingError(
                    .timedOut,
                    "the stream broke and has not come back within \(patience.components.seconds) s: see to its sender and the link, or wait longer with --return-within"
                ))
        }
    }

    /// Notes that a sender is connected.
    func end() { count.wrappingAdd(1, ordering: .sequentiallyConsistent) }

    private static let later: Timer = { duration, body in
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(duration.components.seconds)), execute: body)
    }
}
