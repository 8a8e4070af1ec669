/// A connection that measures its peer's clock, and says what it knows without a copy of all that is known of the peer.
package protocol ClockMeasuring: Transport {
    /// What is known now; nil while nothing is.
    var clockEstimate: ClockFilter.Estimate? { get }
    /// ``Transport/roundTrip`` in nanoseconds, for every acknowledgement.
    var roundTripNanoseconds: Int64? { get }
}
