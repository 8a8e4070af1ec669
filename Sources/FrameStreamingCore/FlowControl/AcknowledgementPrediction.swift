/// Predicts when the next acknowledgement arrives, and how long before that encoding must
/// begin so that the link does not idle.
///
/// It uses smoothed means and deviations, as TCP does for its round trip (RFC 6298, 2.3).
struct AcknowledgementPrediction: Sendable {
    private var time: Int64 = 0
    private var deviation: Int64 = 0
    private var encodeTime: Int64 = 0
    private var acknowledgements = 0

    /// A smaller gain is not worth a wake-up.
    private static let smallestLead: Int64 = 200_000
    private static let fewest = 4

    mutating func acknowledged(after nanoseconds: Int64) {
        if acknowledgements == 0 {
            time = nanoseconds
            deviation = nanoseconds / 2
        } else {
            deviation += (abs(nanoseconds - time) - deviation) / 4
            time += (nanoseconds - time) / 8
        }
        acknowledgements += 1
    }

    mutating func encoded(_ nanoseconds: Int64) {
        encodeTime = encodeTime == 0 ? nanoseconds : encodeTime + (nanoseconds - encodeTime) / 8
    }

    /// Forgets everything, because another connection has other acknowledgement times.
    mutating func reset() {
        acknowledgements = 0
        time = 0
        deviation = 0
    }

    /// When a picture may be encoded ahead of the acknowledgement of a frame sent at `sent`.
    /// Nil if that gains nothing, or if the prediction is too unsteady: a frame that is encoded
    /// too early is older when it is sent.
    func timeToEncode(forAcknowledgementOf sent: MonotonicTime) -> (from: MonotonicTime, through: MonotonicTime)? {
        let lead = encodeTime - deviation
        guard acknowledgements >= Self.fewest, lead >= Self.smallestLead else { return nil }
        let expected = sent.nanoseconds + time
        return (MonotonicTime(nanoseconds: expected - lead), MonotonicTime(nanoseconds: expected))
    }
}
