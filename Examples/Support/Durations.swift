/// Returns a duration as a number of milliseconds, from whole nanoseconds: 1.5 ms is 1.5.
package func milliseconds(_ duration: Duration) -> Double { nanoseconds(duration) / 1e6 }

/// Returns a duration as a number of seconds, from whole nanoseconds.
package func seconds(_ duration: Duration) -> Double { nanoseconds(duration) / 1e9 }

private func nanoseconds(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    // A peer's times can be centuries apart, which 64 bits of nanoseconds do not hold.
    return Double(Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000))
}
