internal import FrameStreamingCore

extension TCPTransport: DeliveryProgress {
    /// What the peer's kernel has confirmed (TCP_INFO), the protocol's own bytes included.
    package var deliveredBytes: UInt64? { connection.deliveredBytes }
}
