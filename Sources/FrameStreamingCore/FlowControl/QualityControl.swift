/// Chooses quality, then scale, then rate, so that pictures are as many bytes as the link delivers between two of them, and not more.
///
/// One picture is to fill 0.85 of the time until the next: the rest is for pictures that are larger than others. It becomes smaller at
/// 0.92, at once, and better in steps of a few points, a second apart: a setting that pays does not flap.
struct QualityControl: Sendable {
    /// What to encode with, and that one in so many pictures is to be offered.
    typealias Settings = (quality: Int, scale: PictureScale, keepOneIn: Int)

    /// What to encode the next picture with.
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
    /// Between two pictures of the source.
    private var interval = RunningMean(weight: 32)
    private var lastOffer: Int64?
    private var lastChange = Int64.min

    /// A picture is to take this part of the time until the next.
    private static let share = 0.85
    private static let tooMuch = 0.92
    /// Between two steps up, and before a larger scale or rate comes back.
    private static let patience: Int64 = 1_000_000_000
    /// Points of quality that are worth a change.
    private static let smallestStep = 3
    private static let mostLeftOut = 30

    /// - Parameters:
    ///   - quality: The qualities to choose from, within 1 ... 100. It starts with the best.
    ///   - allowsScale: Whether pictures may become smaller where the lowest quality does not suffice.
    ///   - allowsRate: Whether pictures may be left out where nothing else suffices.
    init(quality range: ClosedRange<Int>, allowsScale: Bool, allowsRate: Bool) {
        self.range = range
        highest = range.upperBound
        self.allowsScale = allowsScale
        self.allowsRate = allowsRate
        quality = range.upperBound
    }

    /// Goes no higher than this from now on, and no lower than it might before.
    mutating func limit(to wanted: Int) {
        let lowest = range.lowerBound
        range = lowest...max(lowest, min(wanted, highest))
        quality = min(quality, range.upperBound)
    }

    /// The source gave a picture, whether or not it is kept.
    mutating func offered(at now: MonotonicTime) {
        if let lastOffer {
            let time = now.nanoseconds - lastOffer
            // A pause is no rate.
            if (1..<2_000_000_000).contains(time) { interval.add(time) }
        }
        lastOffer = now.nanoseconds
    }

    /// A picture was encoded with these settings.
    mutating func encoded(bytes: Int, quality: Int, scale: PictureScale, at now: MonotonicTime) {
        sizes.learn(bytes: bytes, quality: quality, scale: scale)
        choose(at: now.nanoseconds)
    }

    /// A picture had to wait because as many frames as can help were under way: not for the receiver's credit, nor for the
    /// encoder, nor while a larger window may still be what is missing.
    mutating func limited(at now: MonotonicTime) { rate.limited(at: now.nanoseconds) }

    /// The receiver's word on a frame of so many bytes that was sent then.
    mutating func acknowledged(
        _ acknowledgement: Acknowledgement, bytes: Int, sentAt sent: MonotonicTime, at now: MonotonicTime
    ) {
        rate.acknowledged(acknowledgement, bytes: bytes, sentAt: sent.nanoseconds, at: now.nanoseconds)
        choose(at: now.nanoseconds)
    }

    /// The connection is a new one: its link need not be the old one's. The pictures are the same.
    mutating func reset() { rate = LinkRate() }

    private mutating func choose(at now: Int64) {
        guard sizes.isKnown, interval.count > 0, let bytesPerSecond = rate.bytesPerSecond(at: now) else { return }
        // What the link delivers from one picture of the source to the next.
        let budget = bytesPerSecond * Double(interval.value) / 1e9
        let current = sizes.bytes(quality: quality, scale: settings.scale) / Double(keepOneIn)
        if current > Self.tooMuch * budget {
            let next = best(for: Self.share * budget)
            // As small as it may be: it stays.
            if next.quality < quality || next.scale > scale || next.keepOneIn > keepOneIn { change(to: next, at: now) }
            return
        }
        guard now >= lastChange.addingReportingOverflow(Self.patience).partialValue || lastChange == .min else {
            return
        }
        // Going back a scale or a rate is worth it only with room to spare, or it would be undone at once.
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

    /// The best settings for so many bytes between two pictures of the source: the quality gives way first, then the scale, then the rate.
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
