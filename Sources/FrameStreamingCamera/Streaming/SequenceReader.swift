/// Follows a driver's sequence numbers: a gap between two of them
/// is frames that the driver dropped.
///
/// The numbers that it returns continue across wraps, restarts and replugs, and never fall.
struct SequenceReader: Hashable, Sendable {
    private var last: UInt32?
    private var number: UInt64 = 0

    /// A larger step is not a gap of minutes: the driver has restarted its count.
    private static let largestGap: UInt32 = 0xFFFF

    /// Returns the frame's number, and how many frames the driver dropped before it.
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

    /// Accepts any number as the driver's next one.
    mutating func restart() {
        guard last != nil else { return }
        last = nil
        number += 1
    }
}
