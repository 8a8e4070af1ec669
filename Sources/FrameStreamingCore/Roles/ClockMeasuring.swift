/// A connection that measures its peer's clock, and returns the estimate
/// without a copy of the whole ``Peer``.
package protocol ClockMeasuring: Transport {
    /// The present estimate; nil while the clock is unknown.
    var clockEstimate: ClockFilter.Estimate? { get }
    /// ``Transport/roundTrip`` in nanoseconds, for every acknowledgement.
    var roundTripNanoseconds: Int64? { get }
}
