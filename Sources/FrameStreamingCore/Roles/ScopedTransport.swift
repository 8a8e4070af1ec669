/// A connection that may have been lent to a function, as a `serve` lends it to its body.
///
/// Whoever lent it says goodbye: it alone knows whether the function returned or threw. So a
/// receiver that is released there without a goodbye leaves the goodbye to it.
package protocol ScopedTransport: Transport {
    /// Whether it was lent, and its goodbye is said by whoever lent it.
    var isLent: Bool { get }
}
