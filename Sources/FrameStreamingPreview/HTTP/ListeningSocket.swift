internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import Glibc

/// A TCP socket that listens without blocking.
///
/// Unsafe code: the calls take addresses; each passes a local that lives through the call, and its
/// size.
struct ListeningSocket: Sendable {
    let descriptor: Descriptor
    /// The port; the system chooses it where 0 was requested.
    let port: Int

    init(_ endpoint: ListeningEndpoint) throws(FrameStreamingError) {
        do throws(SystemError) {
            (descriptor, port) = try Self.listen(endpoint)
        } catch {
            let subject = endpoint.isIPv6 ? "[\(endpoint.host)]:\(endpoint.port)" : "\(endpoint.host):\(endpoint.port)"
            throw FrameStreamingError(listening: error, on: subject)
        }
    }

    private static func listen(_ endpoint: ListeningEndpoint) throws(SystemError) -> (Descriptor, Int) {
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let family = endpoint.isIPv6 ? AF_INET6 : AF_INET
        let descriptor = Descriptor(try retryingInterrupts("socket") { socket(family, kind, 0) })
        var one: CInt = 1
        _ = unsafe setsockopt(descriptor.raw, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
        var storage = sockaddr_storage()
        var length = endpoint.isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            if endpoint.isIPv6 {
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = endpoint.port.bigEndian
                _ = unsafe inet_pton(AF_INET6, endpoint.host, &address.sin6_addr)
                unsafe bytes.storeBytes(of: address, as: sockaddr_in6.self)
            } else {
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = endpoint.port.bigEndian
                _ = unsafe inet_pton(AF_INET, endpoint.host, &address.sin_addr)
                unsafe bytes.storeBytes(of: address, as: sockaddr_in.self)
            }
        }
        _ = try retryingInterrupts("bind") {
            unsafe withUnsafeBytes(of: &storage) {
                unsafe bind(
                    descriptor.raw, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(length))
            }
        }
        _ = try retryingInterrupts("listen") { Glibc.listen(descriptor.raw, 256) }
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = try retryingInterrupts("getsockname") {
            unsafe withUnsafeMutableBytes(of: &storage) {
                unsafe getsockname(
                    descriptor.raw, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
            }
        }
        length = Int(size)
        // The port has the same offset in both kinds of address.
        let port = unsafe withUnsafeBytes(of: &storage) { unsafe $0.load(fromByteOffset: 2, as: UInt16.self) }
        return (descriptor, Int(UInt16(bigEndian: port)))
    }

    /// Accepts the next connection; nil = none is waiting.
    ///
    /// - Throws: The system's error, for example when no descriptor is left.
    func accept() throws(SystemError) -> Descriptor? {
        while true {
            do throws(SystemError) {
                let connection = Descriptor(
                    try retryingInterrupts("accept") { Glibc.accept(descriptor.raw, nil, nil) })
                // accept4 is not in Swift's Glibc.
                _ = try retryingInterrupts("fcntl") { fcntl(connection.raw, F_SETFD, FD_CLOEXEC) }
                try connection.setNonBlocking()
                return connection
            } catch {
                if error.code == Errno.again { return nil }
                // The client ended the connection before it was accepted.
                if error.code == Errno.connectionAborted { continue }
                throw error
            }
        }
    }
}
