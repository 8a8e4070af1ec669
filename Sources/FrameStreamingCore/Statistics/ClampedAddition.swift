extension FixedWidthInteger {
    /// Returns the sum, clamped to the largest number: for counts that include the peer's numbers.
    package func addingClamped(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        guard overflow else { return sum }
        return other < 0 ? .min : .max
    }
}
