internal import Glibc

/// Where a peer connects from, for limits per address.
///
/// An IPv6 peer counts by its network of 64 bits, because it has all addresses in it. Of a
/// link-local address, whose network is the same everywhere, every bit counts.
struct PeerHost: Hashable, Sendable {
    private let bytes: [UInt8]

    /// No host: a connection without an address, such as a socket pair.
    static let none = PeerHost(bytes: [])

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// - Parameter socketAddress: The bytes of a `sockaddr_in` or `sockaddr_in6`.
    init(family: CInt, socketAddress: [UInt8]) {
        switch family {
        case AF_INET where socketAddress.count >= 8: bytes = Array(socketAddress[4..<8])
        case AF_INET6 where socketAddress.count >= 28:
            let address = socketAddress[8..<24]
            let isMapped = address.prefix(10).allSatisfy { $0 == 0 } && address[18] == 0xFF && address[19] == 0xFF
            let isLinkLocal = address[8] == 0xFE && address[9] & 0xC0 == 0x80
            if isMapped {
                bytes = Array(address.suffix(4))
            } else if isLinkLocal {
                // With the number of the interface.
                bytes = Array(address) + socketAddress[24..<28]
            } else {
                bytes = Array(address.prefix(8))
            }
        default: bytes = []
        }
    }
}
