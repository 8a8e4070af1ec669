internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import Glibc

/// A message on its way to a viewer: its own bytes, and a picture's where they lie.
struct Outgoing {
    var head: [UInt8]
    var image: Frame?
    var tail: [UInt8] = []

    var byteCount: Int { head.count + (image?.byteCount ?? 0) + tail.count }
}

/// A viewer's connection: one message under way, never a wait.
///
/// Unsafe code: each call passes the pointer and the length of one and the same memory, which lives through the call.
struct ViewerSocket {
    let descriptor: Descriptor
    private var outgoing: Outgoing?
    private var offset = 0

    /// A viewer that takes nothing for so long is gone, or has forgotten us.
    private static let patience = Duration.seconds(30)

    /// - Parameter descriptor: Connected, and non-blocking.
    init(_ descriptor: Descriptor) {
        self.descriptor = descriptor
        set(CInt(IPPROTO_TCP), TCP_NODELAY, 1)
        // Ready to be written to means that what was written before is on its way: so the next picture is chosen then, and not when the
        // kernel has room for it behind pictures that wait.
        set(CInt(IPPROTO_TCP), TCP_NOTSENT_LOWAT, 1)
        set(CInt(IPPROTO_TCP), TCP_USER_TIMEOUT, CInt(clamping: Self.patience.wholeNanoseconds / 1_000_000))
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
    }

    /// What is refused is no reason to turn a viewer away: it is slower to notice that one is gone.
    private func set(_ level: CInt, _ name: CInt, _ value: CInt) {
        var value = value
        _ = unsafe setsockopt(descriptor.raw, level, name, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    /// Whether a message is under way.
    var isBusy: Bool { outgoing != nil }

    /// Bytes of the message under way that are this connection's own copy.
    var keptBytes: Int { outgoing.map { $0.image == nil ? $0.byteCount - offset : 0 } ?? 0 }

    /// Lets go of what is under way.
    mutating func abandon() { outgoing = nil }

    mutating func begin(_ message: Outgoing) {
        outgoing = message
        offset = 0
    }

    /// Writes what the kernel takes now. Returns whether all is written.
    mutating func flush() throws(SystemError) -> Bool {
        while let message = outgoing {
            do throws(SystemError) {
                offset += try Self.send(message, from: offset, to: descriptor.raw)
            } catch {
                guard error.code == Errno.again else { throw error }
                keepRest(of: message)
                return false
            }
            if offset == message.byteCount { outgoing = nil }
        }
        return true
    }

    /// A viewer that is slow has its own copy of what it has not had yet: the picture's buffer goes back to whoever waits for it.
    private mutating func keepRest(of message: Outgoing) {
        guard let image = message.image else { return }
        var rest: [UInt8] = []
        rest.reserveCapacity(message.byteCount - offset)
        rest += message.head.dropFirst(offset)
        let ofImage = max(0, offset - message.head.count)
        unsafe image.withUnsafeBytes { bytes in unsafe rest.append(contentsOf: bytes.dropFirst(ofImage)) }
        rest += message.tail.dropFirst(max(0, ofImage - image.byteCount))
        outgoing = Outgoing(head: rest)
        offset = 0
    }

    /// One sendmsg of what is left, from `offset`.
    private static func send(_ message: Outgoing, from offset: Int, to socket: CInt) throws(SystemError) -> Int {
        // A viewer that is gone is an error here, not a signal that kills the process.
        let flags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)
        return try retryingInterrupts("sendmsg") {
            unsafe message.head.withUnsafeBytes { head in
                unsafe message.tail.withUnsafeBytes { tail in
                    guard let image = message.image else {
                        return unsafe sendParts(head, UnsafeRawBufferPointer(start: nil, count: 0), tail, offset) {
                            unsafe sendmsg(socket, &$0, flags)
                        }
                    }
                    return unsafe image.withUnsafeBytes { image in
                        unsafe sendParts(head, image, tail, offset) { unsafe sendmsg(socket, &$0, flags) }
                    }
                }
            }
        }
    }

    private static func sendParts(
        _ head: UnsafeRawBufferPointer, _ image: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer, _ offset: Int,
        _ send: (inout msghdr) -> Int
    ) -> Int {
        // Of each part what is behind `offset`. sendmsg only reads: iovec has no const.
        var passed = 0
        func rest(_ part: UnsafeRawBufferPointer) -> iovec {
            let done = min(max(0, offset - passed), part.count)
            passed += part.count
            return unsafe iovec(
                iov_base: UnsafeMutableRawPointer(mutating: part.baseAddress.map { unsafe $0 + done }),
                iov_len: part.count - done)
        }
        var parts = unsafe (rest(head), rest(image), rest(tail))
        // The elements of the homogeneous tuple are adjacent iovecs.
        return unsafe withUnsafeMutableBytes(of: &parts) { parts in
            var message = unsafe msghdr()
            unsafe message.msg_iov = parts.baseAddress?.assumingMemoryBound(to: iovec.self)
            unsafe message.msg_iovlen = 3
            return unsafe send(&message)
        }
    }

    /// What has come from the viewer, at most as much as `buffer` holds: its count, 0 at the end, nil for nothing yet.
    func receive(into buffer: inout [UInt8]) throws(SystemError) -> Int? {
        do throws(SystemError) {
            return try retryingInterrupts("recv") {
                unsafe buffer.withUnsafeMutableBytes {
                    unsafe recv(descriptor.raw, $0.baseAddress, $0.count, CInt(MSG_DONTWAIT))
                }
            }
        } catch {
            if error.code == Errno.again { return nil }
            throw error
        }
    }

    /// Says that nothing more will be written.
    func shutdownWriting() { _ = shutdown(descriptor.raw, CInt(SHUT_WR)) }
}
