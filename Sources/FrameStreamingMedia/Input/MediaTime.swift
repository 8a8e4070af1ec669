internal import CFFmpeg
internal import FrameStreamingCore

/// Time stamps as durations. Stamps and their units come from a file, and may be anything.
enum MediaTime {
    /// A stamp that counts units of `base`, from the file's zero; nil if the file states none, or
    /// one that is beyond 100 years.
    static func duration(_ stamp: Int64, in base: AVRational) -> Duration? {
        guard stamp != fs_media_no_time, base.num > 0, base.den > 0 else { return nil }
        // 64 bits by 31 and 30: fits into 128.
        let nanoseconds = Int128(stamp) * Int128(base.num) * 1_000_000_000 / Int128(base.den)
        guard nanoseconds.magnitude <= most else { return nil }
        return .nanoseconds(Int64(nanoseconds))
    }

    private static let most: UInt128 = 100 * 366 * 86_400 * 1_000_000_000

    /// A frame rate; nil if the file states none, or none that can be.
    static func rate(_ value: AVRational) -> FrameRate? {
        guard let rate = FrameRate(Int(value.num), per: Int(value.den)) else { return nil }
        return (0.001...1000).contains(rate.framesPerSecond) ? rate : nil
    }
}
