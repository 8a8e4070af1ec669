internal import FrameStreamingSystem

/// Bounds the bytes of the newest frames that all streams of a server keep.
///
/// One frame is kept for each stream, live or ended, so peers decide how many there are and how
/// large they are.
final class PreviewFrameBudget: Sendable {
    /// The bound, in bytes.
    let limit: Int
    private let used = Monitor(0)

    init(limit: Int) { self.limit = limit }

    /// The bytes that are in use now.
    var bytes: Int { used.withLock { $0 } }

    /// Takes `wanted` bytes and gives `released` back, if the bound allows it. Returns whether it
    /// did.
    func exchange(_ released: Int, for wanted: Int) -> Bool {
        used.withLock { used in
            let (sum, overflow) = (used - released).addingReportingOverflow(wanted)
            guard !overflow, sum <= limit else { return false }
            used = sum
            return true
        }
    }

    /// Gives bytes back.
    func release(_ bytes: Int) { used.withLock { $0 -= bytes } }
}
