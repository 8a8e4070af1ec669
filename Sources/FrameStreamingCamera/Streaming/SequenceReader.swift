/// Follows a driver's frame numbers: what is missing between two of them the driver dropped.
///
/// Ours go on over wraps, restarts and replugs, and never fall.
struct SequenceReader: Hashable, Sendable {
    private var last: UInt32?
    private var number: UInt64 = 0

    /// A larger step is no gap of minutes: the driver counts anew.
    private static let largestGap: UInt32 = 0xFFFF

    /// The picture's number, and how many the driver dropped before it.
    mutating func read(_ sequence: UInt32) -> (number: UInt64, dropped: Int) {
        guard let last else {
            self.last = sequence
            return (number, 0)
        }
        self.last = sequence
        let step = sequence &- last
        let isGap = step > 1 && step <= Self.largestGap
        number += isGap ? UInt64(step) : 1
        return (number, isGap ? Int(step) - 1 : 0)
    }

    /// The driver counts from anywhere now.
    mutating func restart() {
        guard last != nil else { return }
        last = nil
        number += 1
    }
}
