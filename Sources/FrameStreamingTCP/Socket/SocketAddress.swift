internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import Glibc

/// A socket address in the kernel's format.
///
/// Unsafe code: the resolver's list is read while it is alive, and freed once. Addresses are copied
/// with the length that the resolver gives, and passed to the kernel with that length.
struct SocketAddress: Hashable, CustomStringConvertible {
    let family: CInt
    private let bytes: [UInt8]

    private init(family: CInt, bytes: [UInt8]) {
        self.family = family
        self.bytes = bytes
    }

    /// The addresses of a host, in the order in which to try them. It waits for a name server,
    /// without a limit.
    ///
    /// - Parameter listening: Whether the addresses are for bind, and not for connect.
    static func resolve(
        _ endpoint: NetworkAddress, listening: Bool, numericOnly: Bool = false
    ) throws(FrameStreamingError) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags =
            AI_NUMERICSERV | (listening ? AI_PASSIVE : 0) | (numericOnly ? AI_NUMERICHOST : 0)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(endpoint.host, String(endpoint.port), &hints, &list)
        defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
        guard code == 0 else {
            let words = unsafe String(cString: gai_strerror(code))
            throw FrameStreamingError(
                .unresolvedHost, "\(words): check the host's name and the name server", subject: endpoint.host)
        }
        var result: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe entry.pointee.ai_addr {
                let bytes = unsafe UnsafeRawBufferPointer(start: address, count: Int(entry.pointee.ai_addrlen))
                result.append(SocketAddress(family: unsafe entry.pointee.ai_family, bytes: unsafe Array(bytes)))
            }
            unsafe next = entry.pointee.ai_next
        }
        guard !result.isEmpty else {
            throw FrameStreamingError(
                .unresolvedHost, "the host has no address: check its name", subject: endpoint.host)
        }
        return result
    }

    enum Side { case local, peer }

    /// A socket's own or its peer's address; nil if it has none.
    init?(_ side: Side, of socket: Descriptor) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let raw = socket.raw
        let copied: [UInt8]? = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            // A sockaddr_storage may be used as any sockaddr, and the kernel gets its size.
            let address = unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            let code = unsafe side == .peer ? getpeername(raw, address, &length) : getsockname(raw, address, &length)
            guard code == 0, length >= 2, length <= MemoryLayout<sockaddr_storage>.size else { return nil }
            return unsafe Array(UnsafeRawBufferPointer(start: pointer, count: Int(length)))
        }
        guard let copied else { return nil }
        family = CInt(storage.ss_family)
        bytes = copied
    }

    func withPointer<Result, Failure: Error>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // A copy is aligned. An array's bytes need not be.
        var storage = sockaddr_storage()
        unsafe withUnsafeMutableBytes(of: &storage) { target in
            unsafe target.copyBytes(from: bytes.prefix(target.count))
        }
        return try unsafe withUnsafePointer(to: &storage) { pointer throws(Failure) in
            try unsafe body(
                UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }

    /// The host, for limits per address.
    var host: PeerHost { PeerHost(family: family, socketAddress: bytes) }

    /// Host and port as numbers; nil for anything but IPv4 and IPv6.
    var endpoint: (host: String, port: Int)? {
        guard family == AF_INET || family == AF_INET6 else { return nil }
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var service = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let code = unsafe withPointer { address, length in
            unsafe host.withUnsafeMutableBufferPointer { host in
                unsafe service.withUnsafeMutableBufferPointer { service in
                    unsafe getnameinfo(
                        address, length, host.baseAddress, socklen_t(host.count), service.baseAddress,
                        socklen_t(service.count), NI_NUMERICHOST | NI_NUMERICSERV)
                }
            }
        }
        guard code == 0, let port = UInt16(Self.text(service)) else { return nil }
        return (Self.text(host), Int(port))
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    var description: String {
        guard let endpoint else { return "local socket" }
        return endpoint.host.contains(":") ? "[\(endpoint.host)]:\(endpoint.port)" : "\(endpoint.host):\(endpoint.port)"
    }
}
