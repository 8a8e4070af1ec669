extension FixedWidthInteger {
    /// The sum, or the largest number where that is smaller: for counts to which the peer's numbers are added.
    package func addingClamped(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        guard overflow else { return sum }
        return other < 0 ? .min : .max
    }
}
