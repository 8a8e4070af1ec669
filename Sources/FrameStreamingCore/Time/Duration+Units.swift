/// A duration as one number. Durations have 128 bits: none of these can overflow.
extension Duration {
    /// Nanoseconds, clamped to 64 bits (292 years).
    package var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || carried ? (seconds < 0 ? .min : .max) : sum
    }

    /// Milliseconds, from whole nanoseconds, so that 1.5 ms is 1.5.
    package var inMilliseconds: Double { Double(unclampedNanoseconds) / 1e6 }

    /// Seconds, from whole nanoseconds.
    package var inSeconds: Double { Double(unclampedNanoseconds) / 1e9 }

    private var unclampedNanoseconds: Int128 {
        let (seconds, attoseconds) = components
        return Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000)
    }
}
