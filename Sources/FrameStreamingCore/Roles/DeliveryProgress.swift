/// A connection that knows how much of what it was given has reached the peer's machine.
package protocol DeliveryProgress: Transport {
    /// Bytes that the peer's machine has confirmed so far, whether or not the peer has read them; nil where nobody can tell.
    var deliveredBytes: UInt64? { get }
}
