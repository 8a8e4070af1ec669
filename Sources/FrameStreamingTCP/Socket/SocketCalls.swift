internal import CLinux
internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import Glibc

/// The system calls on sockets. All sockets are closed on exec.
///
/// A socket is non-blocking until it is connected and prepared. From then on each call decides
/// whether it waits, and only recv ever does.
///
/// Unsafe code: each call passes the pointer and the length of the same memory, which lives through
/// the call.
extension Descriptor {
    static func socket(_ family: CInt) throws(SystemError) -> Descriptor {
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        return Descriptor(try retryingInterrupts("socket") { Glibc.socket(family, type, 0) })
    }

    func setOption(_ level: CInt, _ name: CInt, _ value: CInt) throws(SystemError) {
        var value = value
        _ = try retryingInterrupts("setsockopt") {
            unsafe setsockopt(raw, level, name, &value, socklen_t(MemoryLayout<CInt>.size))
        }
    }

    private func setReceiveTimeout(_ duration: Duration) throws(SystemError) {
        let nanoseconds = Int(duration.wholeNanoseconds)
        var time = timeval(tv_sec: nanoseconds / 1_000_000_000, tv_usec: nanoseconds % 1_000_000_000 / 1000)
        _ = try retryingInterrupts("setsockopt") {
            unsafe setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// The error with which a connect in the background ended; 0 = none.
    func takeSocketError() throws(SystemError) -> CInt {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        _ = try retryingInterrupts("getsockopt") { unsafe getsockopt(raw, SOL_SOCKET, SO_ERROR, &value, &length) }
        return value
    }

    /// Bytes that the peer's kernel has confirmed on this connection; nil if it is not TCP.
    var deliveredBytes: UInt64? {
        let count = fs_tcp_delivered_bytes(raw)
        return count < 0 ? nil : UInt64(count)
    }

    /// Bytes that have arrived, read or not; nil if the kernel does not count them.
    var receivedBytes: UInt64? {
        let count = fs_tcp_received_bytes(raw)
        return count < 0 ? nil : UInt64(count)
    }

    /// Begins to connect. EINPROGRESS is thrown like any other error.
    func beginConnect(_ address: SocketAddress) throws(SystemError) {
        let code = unsafe address.withPointer { pointer, length in unsafe Glibc.connect(raw, pointer, length) }
        // Not repeated after an interrupt: the connect then goes on in the background.
        if code == -1 { throw SystemError("connect", code: errno == EINTR ? EINPROGRESS : errno) }
    }

    func bindAndListen(_ address: SocketAddress, backlog: CInt) throws(SystemError) {
        try setOption(SOL_SOCKET, SO_REUSEADDR, 1)
        if address.family == AF_INET6 {
            // [::] accepts IPv4 as well, whatever the system's setting.
            try setOption(CInt(IPPROTO_IPV6), IPV6_V6ONLY, 0)
        }
        _ = try retryingInterrupts("bind") {
            unsafe address.withPointer { pointer, length in unsafe Glibc.bind(raw, pointer, length) }
        }
        _ = try retryingInterrupts("listen") { Glibc.listen(raw, backlog) }
    }

    func accept() throws(SystemError) -> Descriptor {
        let accepted = Descriptor(try retryingInterrupts("accept") { Glibc.accept(raw, nil, nil) })
        // Swift's Glibc module has no accept4, which would do this in one call.
        _ = try retryingInterrupts("fcntl") { fcntl(accepted.raw, F_SETFD, FD_CLOEXEC) }
        try accepted.setNonBlocking()
        return accepted
    }

    /// Sets the options for low latency and for noticing a dead peer. Only for TCP sockets.
    func prepare(_ options: TCPOptions, unsentLowWater: Int?) throws(SystemError) {
        guard let address = SocketAddress(.local, of: self), address.endpoint != nil else { return }
        let tcp = CInt(IPPROTO_TCP)
        // Without this, two small acks wait for each other: 44 ms a frame.
        try setOption(tcp, TCP_NODELAY, 1)
        try setOption(SOL_SOCKET, SO_KEEPALIVE, 1)
        try setOption(tcp, TCP_KEEPIDLE, 10)
        try setOption(tcp, TCP_KEEPINTVL, 3)
        try setOption(tcp, TCP_KEEPCNT, 3)
        try setOption(tcp, TCP_USER_TIMEOUT, CInt(clamping: options.userTimeout.wholeNanoseconds / 1_000_000))
        if let unsentLowWater { try setOption(tcp, TCP_NOTSENT_LOWAT, CInt(clamping: unsentLowWater)) }
        // SO_SNDBUF and SO_RCVBUF keep their defaults: to set them turns the kernel's own tuning
        // off. From here on every call decides whether it waits. To wait in recv instead of recv,
        // poll and recv saves two system calls for each wait. A close by this side ends the wait by
        // its shutdown.
        try setReceiveTimeout(Self.longestReceive)
        let flags = try retryingInterrupts("fcntl") { fcntl(raw, F_GETFL) }
        _ = try retryingInterrupts("fcntl") { fcntl(raw, F_SETFL, flags & ~O_NONBLOCK) }
    }

    /// The longest wait of one recv on a prepared socket.
    static var longestReceive: Duration { .nanoseconds(longestReceiveNanoseconds) }
    static let longestReceiveNanoseconds: Int64 = 1_000_000_000

    /// What a recv waits for, for at most ``longestReceive``. Only for prepared sockets.
    enum ReceiveWait {
        case nothing, firstByte
        /// Until the room is full. It returns with less at the peer's end, at an interrupt and when
        /// the time is over.
        case everything

        fileprivate var flags: CInt {
            switch self {
            case .nothing: CInt(MSG_DONTWAIT)
            case .firstByte: 0
            case .everything: CInt(MSG_WAITALL)
            }
        }
    }

    /// Calls recv once, for the room behind `offset`; 0 = end.
    func receive(into bytes: inout MutableRawSpan, at offset: Int, wait: ReceiveWait) throws(SystemError) -> Int {
        try retryingInterrupts("recv") {
            unsafe bytes.withUnsafeMutableBytes {
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: $0[offset...])
                return unsafe recv(raw, room.baseAddress, room.count, wait.flags)
            }
        }
    }

    /// Calls sendmsg once for the rest of `head` and the image behind it, from `offset` of both
    /// together.
    func send(
        _ head: [UInt8], image: Frame?, imageBytes: Int, from offset: Int
    ) throws(SystemError) -> Int {
        // With a peer that is gone the call fails, and no signal kills the process.
        let flags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)
        return try retryingInterrupts("sendmsg") {
            unsafe head.withUnsafeBytes { head in
                guard let image else {
                    return unsafe Glibc.send(
                        raw, head.baseAddress.map { unsafe $0 + offset }, head.count - offset, flags)
                }
                // By the span: the frame's own method is generic code of another module, which
                // looks types up at run time.
                return unsafe image.bytes.withUnsafeBytes { image in
                    // sendmsg only reads: iovec has no const.
                    var parts = unsafe (
                        iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count),
                        iovec(iov_base: UnsafeMutableRawPointer(mutating: image.baseAddress), iov_len: imageBytes)
                    )
                    let ofHead = min(offset, head.count)
                    unsafe parts.0.iov_base = parts.0.iov_base.map { unsafe $0 + ofHead }
                    unsafe parts.0.iov_len -= ofHead
                    unsafe parts.1.iov_base = parts.1.iov_base.map { unsafe $0 + (offset - ofHead) }
                    unsafe parts.1.iov_len -= offset - ofHead
                    // Both elements of the homogeneous tuple are adjacent iovecs.
                    return unsafe withUnsafeMutableBytes(of: &parts) { parts in
                        var message = unsafe msghdr()
                        unsafe message.msg_iov = parts.baseAddress?.assumingMemoryBound(to: iovec.self)
                        unsafe message.msg_iovlen = 2
                        return unsafe sendmsg(raw, &message, flags)
                    }
                }
            }
        }
    }

    /// Tells the peer that this side writes no more.
    func shutdownWriting() { _ = shutdown(raw, CInt(SHUT_WR)) }

    /// Makes reads end after the bytes that have arrived.
    func shutdownReading() { _ = shutdown(raw, CInt(SHUT_RD)) }

    /// Ends both directions, for every thread that uses the socket.
    func shutdownBoth() { _ = shutdown(raw, CInt(SHUT_RDWR)) }
}
