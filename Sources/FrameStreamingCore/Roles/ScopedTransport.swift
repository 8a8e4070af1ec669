/// A connection that may have been lent to a function, as a `serve` lends it to its body.
///
/// The lender says goodbye, because only it knows whether the function returned or threw. So a
/// receiver that is released in the function without a goodbye leaves the goodbye to the lender.
package protocol ScopedTransport: Transport {
    /// Whether it was lent, so that the lender says goodbye.
    var isLent: Bool { get }
}
