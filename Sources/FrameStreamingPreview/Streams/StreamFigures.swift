/// The rate and the delay of a stream: since its start, and second by second for the last minute.
///
/// Takes about 12 kB per stream, and allocates nothing per frame. Times are CLOCK_MONOTONIC
/// nanoseconds.
struct StreamFigures {
    /// One second, identified by its number on the clock.
    private struct Second {
        var number: Int64 = -1
        var frames = 0
        var bytes = 0
        /// The delays of the first frames of the second, in nanoseconds.
        var delays: [Int64] = []
        var delaysSeen = 0
    }

    /// A past second, with the values for the plot.
    private struct Past {
        var number: Int64 = -1
        var delay: Delay?
    }

    /// Percentiles in milliseconds.
    struct Delay: Hashable {
        let p50: Double
        let p99: Double
    }

    struct Point {
        let secondsAgo: Double
        let delay: Delay?
    }

    private(set) var frames = 0
    private(set) var bytes = 0
    /// The sum and the number of all delays, from which Prometheus computes a mean over any time.
    private(set) var delaySum: Int64 = 0
    private(set) var delayCount = 0

    private static let minute = 60
    /// The number of seconds that current figures cover: whole seconds, and the one that has begun.
    private static let recent: Int64 = 3
    /// The largest number of delays kept per second. Beyond it older ones are overwritten, so that
    /// fast streams cost no more.
    private static let mostDelays = 256
    private static let second: Int64 = 1_000_000_000

    /// A ring, by the number of the second: the ``recent`` ones, and one more.
    private var seconds = [Second](repeating: Second(), count: 4)
    /// A ring, by the number of the second: the seconds before, for a minute.
    private var past = [Past](repeating: Past(), count: 61)
    private var first: Int64?

    mutating func record(at now: Int64, bytes count: Int, delay: Int64?) {
        frames &+= 1
        bytes &+= count
        if first == nil { first = now }
        let number = now / Self.second
        let index = Int(number % Int64(seconds.count))
        if seconds[index].number != number {
            keep(seconds[index])
            seconds[index].number = number
            seconds[index].frames = 0
            seconds[index].bytes = 0
            seconds[index].delays.removeAll(keepingCapacity: true)
            seconds[index].delaysSeen = 0
        }
        seconds[index].frames += 1
        seconds[index].bytes += count
        guard let delay = delay.map({ max(0, $0) }) else { return }
        let (sum, overflow) = delaySum.addingReportingOverflow(delay)
        if !overflow {
            delaySum = sum
            delayCount += 1
        }
        if seconds[index].delays.count < Self.mostDelays {
            seconds[index].delays.append(delay)
        } else {
            seconds[index].delays[seconds[index].delaysSeen % Self.mostDelays] = delay
        }
        seconds[index].delaysSeen += 1
    }

    /// Keeps the plot's values of a second before another takes its place.
    private mutating func keep(_ second: Second) {
        guard second.number >= 0 else { return }
        past[Int(second.number % Int64(past.count))] = Past(
            number: second.number, delay: Self.percentiles(second.delays))
    }

    /// Returns the delays of a second of the last minute.
    private func delay(ofSecond number: Int64) -> Delay? {
        if let second = second(number) { return Self.percentiles(second.delays) }
        guard number >= 0 else { return nil }
        let found = past[Int(number % Int64(past.count))]
        return found.number == number ? found.delay : nil
    }

    private func second(_ number: Int64) -> Second? {
        guard number >= 0 else { return nil }
        let found = seconds[Int(number % Int64(seconds.count))]
        return found.number == number ? found : nil
    }

    private func recent(_ now: Int64) -> [Second] {
        let current = now / Self.second
        return (current - Self.recent + 1...current).compactMap(second)
    }

    /// Returns frames and bytes per second, over the last seconds.
    func rate(at now: Int64) -> (frames: Double, bytes: Double) {
        guard let first else { return (0, 0) }
        let begin = max(first, (now / Self.second - Self.recent + 1) * Self.second)
        // At least a tenth of a second, because a rate from one frame is meaningless.
        let span = Double(max(now - begin, Self.second / 10)) / Double(Self.second)
        let recent = recent(now)
        return (
            Double(recent.reduce(0) { $0 + $1.frames }) / span, Double(recent.reduce(0) { $0 + $1.bytes }) / span
        )
    }

    /// Returns the delay over the last seconds; nil where it is unknown.
    func delay(at now: Int64) -> Delay? { Self.percentiles(recent(now).flatMap(\.delays)) }

    /// Returns one point for each whole second of the last minute since the first frame, the oldest
    /// first.
    func history(at now: Int64) -> [Point] {
        guard let first else { return [] }
        let current = now / Self.second
        let oldest = max(first / Self.second, current - Int64(Self.minute))
        return (oldest..<max(oldest, current)).map { number in
            let end = (number + 1) * Self.second
            return Point(
                secondsAgo: Double(now - end) / Double(Self.second),
                delay: delay(ofSecond: number))
        }
    }

    private static func percentiles(_ delays: [Int64]) -> Delay? {
        guard !delays.isEmpty else { return nil }
        let sorted = delays.sorted()
        func at(_ percent: Int) -> Double {
            // The nearest rank: the smallest value that at least `percent` of the values do not
            // exceed.
            let rank = max(1, (sorted.count * percent + 99) / 100)
            return Double(sorted[rank - 1]) / 1e6
        }
        return Delay(p50: at(50), p99: at(99))
    }
}
