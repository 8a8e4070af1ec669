/// Pictures per second as an exact fraction: 30000/1001 is not
/// 29.97, which is visible after an hour.
public struct FrameRate: Hashable, Sendable {
    /// Pictures in ``denominator`` seconds, at least 1. The fraction is in lowest terms.
    public let numerator: Int
    /// Seconds, at least 1.
    public let denominator: Int

    /// 30 pictures a second, the default.
    public static let thirty = FrameRate(numerator: 30, inLowestTermsOver: 1)

    private init(numerator: Int, inLowestTermsOver denominator: Int) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// `numerator` pictures in `denominator` seconds; nil unless both are
    /// 1...2,147,483,647 (what V4L2 and Y4M can say).
    public init?(_ numerator: Int, per denominator: Int = 1) {
        let possible = 1...Int(Int32.max)
        guard possible.contains(numerator), possible.contains(denominator) else { return nil }
        var (left, right) = (numerator, denominator)
        while right != 0 { (left, right) = (right, left % right) }
        self.numerator = numerator / left
        self.denominator = denominator / left
    }

    /// The usual names of the NTSC rates, which are roundings of n * 1000 / 1001.
    private static let rounded: [String: Int] = [
        "14.985": 15, "23.976": 24, "23.98": 24, "29.97": 30, "47.952": 48, "47.95": 48, "59.94": 60, "119.88": 120,
    ]

    /// Parses a rate: `30`, `30000/1001` (or with a colon, as in
    /// Y4M), `12.5`; nil for any other text.
    ///
    /// `29.97`, `23.976`, `59.94` and their like are taken as the NTSC rates that they abbreviate
    /// (30000/1001, ...); every other decimal is taken exactly, up to six places.
    public init?(_ text: String) {
        if let nominal = Self.rounded[text] {
            self.init(nominal * 1000, per: 1001)
            return
        }
        let bytes = Array(text.utf8)
        guard let separator = bytes.firstIndex(where: { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            guard let whole = Int(text) else { return nil }
            self.init(whole)
            return
        }
        let before = String(decoding: bytes[..<separator], as: UTF8.self)
        let after = String(decoding: bytes[(separator + 1)...], as: UTF8.self)
        // Int("+1") is a number as well, but not allowed here.
        guard let first = Int(before), let second = Int(after), after.utf8.first != UInt8(ascii: "+"), second >= 0
        else {
            return nil
        }
        switch bytes[separator] {
        case UInt8(ascii: "/"), UInt8(ascii: ":"):
            self.init(first, per: second)
        case UInt8(ascii: "."):
            guard after.utf8.count <= 6, first <= Int(Int32.max) else { return nil }
            var scale = 1
            for _ in after.utf8 { scale *= 10 }
            // Reduced before the check: 25.000000 is 25.
            var (left, right) = (first * scale + second, scale)
            while right != 0 { (left, right) = (right, left % right) }
            guard left > 0 else { return nil }
            self.init((first * scale + second) / left, per: scale / left)
        default:
            return nil
        }
    }

    /// The time from the first frame to frame `index`, rounded down to a nanosecond, without an
    /// error that adds up; clamped to 292 years.
    public func time(ofFrame index: UInt64) -> Duration { .nanoseconds(nanoseconds(ofFrame: index)) }

    /// The frame that is shown `time` after the first: the last whose time has come. 0 before the
    /// first.
    public func frame(at time: Duration) -> UInt64 { frame(atNanoseconds: time.wholeNanoseconds) }

    /// ``time(ofFrame:)`` in nanoseconds.
    package func nanoseconds(ofFrame index: UInt64) -> Int64 {
        let (unit, overflow) = index.multipliedReportingOverflow(by: UInt64(denominator))
        let product = unit.multipliedFullWidth(by: 1_000_000_000)
        guard !overflow, product.high < UInt64(numerator) else { return .max }
        return Int64(clamping: UInt64(numerator).dividingFullWidth(product).quotient)
    }

    /// ``frame(at:)`` in nanoseconds.
    package func frame(atNanoseconds nanoseconds: Int64) -> UInt64 {
        guard nanoseconds >= 0 else { return 0 }
        let product = UInt64(nanoseconds).multipliedFullWidth(by: UInt64(numerator))
        let divisor = UInt64(denominator) * 1_000_000_000
        // The quotient fits, except for rates of more than 2^63 pictures in 292 years.
        guard product.high < divisor else { return .max }
        var index = divisor.dividingFullWidth(product).quotient
        // The times above are rounded down, so the next picture may be due already.
        while index < .max, self.nanoseconds(ofFrame: index + 1) <= nanoseconds { index += 1 }
        return index
    }

    /// Pictures per second, rounded to a Double.
    public var framesPerSecond: Double { Double(numerator) / Double(denominator) }
}

extension FrameRate: CustomStringConvertible {
    /// `30` or `30000/1001`.
    public var description: String { denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)" }
}
