/// Chooses quality, then scale, then rate, so that a picture has as many bytes as the link delivers
/// until the next one, and no more.
///
/// A picture should fill 0.85 of the time until the next; the rest is for larger ones.
/// At 0.92 the quality falls at once. It rises in steps of a few points, a second
/// apart, so that it does not oscillate.
struct QualityControl: Sendable {
    /// The settings for encoding. Of every `keepOneIn` pictures one is offered.
    typealias Settings = (quality: Int, scale: PictureScale, keepOneIn: Int)

    /// The settings for the next picture.
    var settings: Settings { (quality, PictureSizes.scales[scale], keepOneIn) }

    private var range: ClosedRange<Int>
    private let highest: Int
    private let allowsScale: Bool
    private let allowsRate: Bool
    private var quality: Int
    private var scale = 0
    private var keepOneIn = 1

    private var sizes = PictureSizes()
    private var rate = LinkRate()
    /// The time between two pictures of the source.
    private var interval = RunningMean(weight: 32)
    private var lastOffer: Int64?
    private var lastChange = Int64.min

    /// The share of the time until the next picture that a picture should fill.
    private static let share = 0.85
    private static let tooMuch = 0.92
    /// The time between two steps up, and before a larger scale or rate is tried again.
    private static let patience: Int64 = 1_000_000_000
    /// The smallest change of quality, in points.
    private static let smallestStep = 3
    private static let mostLeftOut = 30

    /// - Parameters:
    ///   - quality: The qualities to choose from, within 1...100. It starts with the best.
    ///   - allowsScale: Whether pictures may be scaled down if the lowest quality does not suffice.
    ///   - allowsRate: Whether pictures may be dropped if nothing else suffices.
    init(quality range: ClosedRange<Int>, allowsScale: Bool, allowsRate: Bool) {
        self.range = range
        highest = range.upperBound
        self.allowsScale = allowsScale
        self.allowsRate = allowsRate
        quality = range.upperBound
    }

    /// Limits the quality from above. The lower bound stays.
    mutating func limit(to wanted: Int) {
        let lowest = range.lowerBound
        range = lowest...max(lowest, min(wanted, highest))
        quality = min(quality, range.upperBound)
    }

    /// Notes that the source gave a picture, whether or not it is kept.
    mutating func offered(at now: MonotonicTime) {
        if let lastOffer {
            let time = now.nanoseconds - lastOffer
            // A long pause says nothing about the rate.
            if (1..<2_000_000_000).contains(time) { interval.add(time) }
        }
        lastOffer = now.nanoseconds
    }

    /// Notes that a picture was encoded with these settings.
    mutating func encoded(bytes: Int, quality: Int, scale: PictureScale, at now: MonotonicTime) {
        sizes.learn(bytes: bytes, quality: quality, scale: scale)
        choose(at: now.nanoseconds)
    }

    /// Notes that a picture had to wait for the window, and that neither credit, an encoder nor a
    /// larger window would have helped.
    mutating func limited(at now: MonotonicTime) { rate.limited(at: now.nanoseconds) }

    /// Notes the acknowledgement of a frame of this size that was sent then.
    mutating func acknowledged(
        _ acknowledgement: Acknowledgement, bytes: Int, sentAt sent: MonotonicTime, at now: MonotonicTime
    ) {
        rate.acknowledged(acknowledgement, bytes: bytes, sentAt: sent.nanoseconds, at: now.nanoseconds)
        choose(at: now.nanoseconds)
    }

    /// Forgets the link, because the connection is a new one. The sizes of pictures still hold.
    mutating func reset() { rate = LinkRate() }

    private mutating func choose(at now: Int64) {
        guard sizes.isKnown, interval.count > 0, let bytesPerSecond = rate.bytesPerSecond(at: now) else { return }
        // The bytes that the link delivers from one picture of the source to the next.
        let budget = bytesPerSecond * Double(interval.value) / 1e9
        let current = sizes.bytes(quality: quality, scale: settings.scale) / Double(keepOneIn)
        if current > Self.tooMuch * budget {
            let next = best(for: Self.share * budget)
            // The smallest allowed settings stay.
            if next.quality < quality || next.scale > scale || next.keepOneIn > keepOneIn { change(to: next, at: now) }
            return
        }
        guard now >= lastChange.addingReportingOverflow(Self.patience).partialValue || lastChange == .min else {
            return
        }
        // A larger scale or rate needs room to spare, or it would be undone at once.
        let next = best(for: Self.share * budget)
        if next.keepOneIn == keepOneIn, next.scale == scale {
            let isWorthIt =
                next.quality >= quality + Self.smallestStep
                || (next.quality == range.upperBound && next.quality > quality + 1)
            if isWorthIt { change(to: next, at: now) }
        } else {
            let certain = best(for: 0.8 * Self.share * budget)
            let isLarger = certain.keepOneIn < keepOneIn || (certain.keepOneIn == keepOneIn && certain.scale < scale)
            if isLarger { change(to: certain, at: now) }
        }
    }

    private mutating func change(to next: (quality: Int, scale: Int, keepOneIn: Int), at now: Int64) {
        (quality, scale, keepOneIn) = next
        lastChange = now
    }

    /// The best settings for this many bytes between two pictures of the source. The quality is
    /// reduced first, then the scale, then the rate.
    private func best(for bytes: Double) -> (quality: Int, scale: Int, keepOneIn: Int) {
        let smallest = allowsScale ? PictureSizes.scales.count - 1 : 0
        for scale in 0...smallest {
            if let quality = sizes.quality(within: range, scale: PictureSizes.scales[scale], bytes: bytes) {
                return (quality, scale, 1)
            }
        }
        guard allowsRate, bytes > 0 else { return (range.lowerBound, smallest, 1) }
        let needed = sizes.bytes(quality: range.lowerBound, scale: PictureSizes.scales[smallest]) / bytes
        return (range.lowerBound, smallest, Int(min(needed.rounded(.up), Double(Self.mostLeftOut))))
    }
}
