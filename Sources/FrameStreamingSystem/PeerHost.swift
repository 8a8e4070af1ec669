internal import Glibc

/// Where a peer connects from, as far as connections and attempts are counted by it.
///
/// An IPv6 peer counts by its network of 64 bits, because it has all addresses in it. Of a
/// link-local address, whose network is the same everywhere, every bit counts, with the interface.
package struct PeerHost: Hashable, Sendable {
    private let counted: [UInt8]
    private let whole: [UInt8]

    /// No host: a connection without an address, such as a socket pair. All of these are one.
    package static let none = PeerHost(counted: [], whole: [])

    /// The address without the others of its network.
    package var alone: PeerHost { PeerHost(counted: whole, whole: whole) }

    private init(counted: [UInt8], whole: [UInt8]) { (self.counted, self.whole) = (counted, whole) }

    /// - Parameter four: The four bytes of an IPv4 address, the first one highest.
    package init(four: UInt32) {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: four >> (24 - 8 * $0)) }
        self.init(counted: bytes, whole: bytes)
    }

    /// - Parameters:
    ///   - six: The 16 bytes. One that stands for an IPv4 address counts as that.
    ///   - scope: The number of the interface of a link-local address, in its bytes.
    package init(six: [UInt8], scope: [UInt8] = []) {
        let isFour = six.prefix(10).allSatisfy { $0 == 0 } && six[10] == 0xFF && six[11] == 0xFF
        let isLinkLocal = six[0] == 0xFE && six[1] & 0xC0 == 0x80
        whole = isFour ? Array(six[12...]) : isLinkLocal ? six + scope : six
        counted = isFour || isLinkLocal ? whole : Array(six[..<8])
    }

    /// - Parameter socketAddress: The bytes of a `sockaddr_in` or `sockaddr_in6`.
    package init(family: CInt, socketAddress bytes: [UInt8]) {
        switch family {
        case AF_INET where bytes.count >= 8: self.init(four: bytes[4..<8].reduce(0) { $0 << 8 | UInt32($1) })
        case AF_INET6 where bytes.count >= 28: self.init(six: Array(bytes[8..<24]), scope: Array(bytes[24..<28]))
        default: self = .none
        }
    }

    /// The host of a connected socket's peer; ``none`` if the peer has gone.
    ///
    /// Unsafe code: the storage has room for any address, and the call gets its size.
    package init(ofPeer socket: Descriptor) {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = unsafe withUnsafeMutableBytes(of: &storage) {
            unsafe getpeername(socket.raw, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
        }
        guard code == 0 else {
            self = .none
            return
        }
        let address = unsafe withUnsafeBytes(of: &storage) { unsafe Array($0) }
        self.init(family: CInt(storage.ss_family), socketAddress: address)
    }

    package static func == (one: PeerHost, other: PeerHost) -> Bool { one.counted == other.counted }

    package func hash(into hasher: inout Hasher) { hasher.combine(counted) }

    /// Returns the index of the first of those hosts that are in the list most often; nil = it is
    /// empty.
    ///
    /// Where there are too many peers, that one ends for another, so that one host keeps no other
    /// out.
    package static func firstOfMost(_ hosts: [PeerHost]) -> Int? {
        var counts: [PeerHost: Int] = [:]
        for host in hosts { counts[host, default: 0] += 1 }
        let most = counts.values.max()
        return hosts.firstIndex { counts[$0] == most }
    }
}
