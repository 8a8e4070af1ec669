/// A mean that forgets. The first `weight` values count alike; from then on each new value counts
/// 1/`weight`.
struct RunningMean: Sendable {
    private let weight: Int
    private(set) var count = 0
    private var mean = 0.0

    private let fallsFast: Bool
    private var low: Int64?

    /// Makes an empty mean. With `fallsFast` two values in a row below 0.7 of the mean restart it.
    init(weight: Int, fallsFast: Bool = false) {
        self.weight = weight
        self.fallsFast = fallsFast
    }

    /// The mean, rounded; 0 without values.
    var value: Int64 { Int64(mean.rounded()) }

    mutating func add(_ value: Int64) {
        // A connection that warmed up, or a queue that emptied: the values
        // before do not describe this link.
        if fallsFast, count > 0, Double(value) < 0.7 * mean {
            if let low {
                removeAll()
                add(low)
            } else {
                low = value
            }
        } else {
            low = nil
        }
        count += 1
        mean += (Double(value) - mean) / Double(min(count, weight))
    }

    mutating func shift(by difference: Int64) { mean += Double(difference) }

    mutating func removeAll() {
        count = 0
        mean = 0
        low = nil
    }
}

/// The last few values.
struct RecentValues: Sendable {
    private var values: [Int64] = []

    mutating func add(_ value: Int64) {
        if values.count == 8 { values.removeFirst() }
        values.append(value)
    }

    mutating func removeAll() { values.removeAll(keepingCapacity: true) }

    /// The smallest of the last `count`, at most 8; nil while there are fewer.
    func smallest(_ count: Int) -> Int64? { values.count < count ? nil : values.suffix(count).min() }

    /// The largest of the last `count`, at most 8; nil while there are fewer.
    func largest(_ count: Int) -> Int64? { values.count < count ? nil : values.suffix(count).max() }
}
