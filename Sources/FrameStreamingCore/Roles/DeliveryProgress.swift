/// A connection that knows how many bytes have reached the peer's machine.
package protocol DeliveryProgress: Transport {
    /// The bytes that the peer's machine has confirmed so far, whether or not the
    /// peer has read them; nil if unknown.
    var deliveredBytes: UInt64? { get }
}
