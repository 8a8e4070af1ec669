internal import FrameStreamingSystem
internal import Glibc

/// Where a client is, as far as attempts and connections are counted by it: its IPv4 address, or the
/// /64 network of its IPv6 address, all addresses of which one client may have. Of a link-local
/// address, whose network is the same everywhere, every bit counts.
struct ClientAddress: Hashable, Sendable {
    private let counted: [UInt8]
    private let whole: [UInt8]

    /// The address without the others of its network.
    var alone: ClientAddress { ClientAddress(counted: whole, whole: whole) }

    private init(counted: [UInt8], whole: [UInt8]) { (self.counted, self.whole) = (counted, whole) }

    init(four: UInt32) {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: four >> (24 - 8 * $0)) }
        self.init(counted: bytes, whole: bytes)
    }

    /// - Parameters:
    ///   - six: The 16 bytes. One that stands for an IPv4 address counts as that.
    ///   - scope: The number of the interface of a link-local address, in its bytes.
    init(six: [UInt8], scope: [UInt8] = []) {
        let isFour = six.prefix(10).allSatisfy { $0 == 0 } && six[10] == 0xFF && six[11] == 0xFF
        let isLinkLocal = six[0] == 0xFE && six[1] & 0xC0 == 0x80
        whole = isFour ? Array(six[12...]) : isLinkLocal ? six + scope : six
        counted = isFour || isLinkLocal ? whole : Array(six[..<8])
    }

    static func == (one: ClientAddress, other: ClientAddress) -> Bool { one.counted == other.counted }

    func hash(into hasher: inout Hasher) { hasher.combine(counted) }

    /// The address of a connected socket's peer. A socket whose peer has gone has none, and all of
    /// these count as one.
    ///
    /// Unsafe code: the storage has room for either kind of address, and only the bytes of the kind
    /// that the kernel names are read.
    init(ofPeer socket: Descriptor) {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = unsafe withUnsafeMutableBytes(of: &storage) {
            unsafe getpeername(socket.raw, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
        }
        let bytes = unsafe withUnsafeBytes(of: &storage) { unsafe Array($0) }
        guard code == 0, storage.ss_family == sa_family_t(AF_INET6) else {
            self.init(four: bytes[4..<8].reduce(0) { $0 << 8 | UInt32($1) })
            return
        }
        self.init(six: Array(bytes[8..<24]), scope: Array(bytes[24..<28]))
    }
}
