internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import Glibc

/// A viewer's connection, with one message in flight, that never blocks.
///
/// Unsafe code: each call passes the pointer and the length of the same memory, which lives through
/// the call.
struct ViewerSocket {
    private let stream: ClientStream
    private var outgoing: ViewerMessage?
    private var offset = 0
    /// Whether the encryption keeps nothing of a message that it took.
    private var isFlushed = true

    /// A viewer that accepts no byte for this long is treated as gone.
    private static let patience = Duration.seconds(30)

    init(_ stream: ClientStream) {
        self.stream = stream
        set(CInt(IPPROTO_TCP), TCP_NODELAY, 1)
        // Writable then means that the message before has left the kernel. So the next frame is
        // chosen at that time, and not when there is room behind frames that wait.
        set(CInt(IPPROTO_TCP), TCP_NOTSENT_LOWAT, 1)
        set(CInt(IPPROTO_TCP), TCP_USER_TIMEOUT, CInt(clamping: Self.patience.wholeNanoseconds / 1_000_000))
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
    }

    /// Sets an option. A failure is ignored: the viewer works, and its loss is only noticed later.
    private func set(_ level: CInt, _ name: CInt, _ value: CInt) {
        var value = value
        _ = unsafe setsockopt(descriptor.raw, level, name, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    var descriptor: Descriptor { stream.descriptor }

    /// Whether a message is in flight.
    var isBusy: Bool { outgoing != nil || !isFlushed }

    /// Whether bytes may have arrived that a poll does not show, because they were taken from the
    /// socket already.
    var mayHaveMore: Bool { stream.secured?.mayHaveMore ?? false }

    /// The bytes of the message in flight that are this connection's own copy.
    var keptBytes: Int { outgoing.map { $0.image == nil ? $0.byteCount - offset : 0 } ?? 0 }

    /// Drops the message in flight.
    mutating func abandon() {
        outgoing = nil
        isFlushed = true
    }

    mutating func begin(_ message: ViewerMessage) {
        outgoing = message
        offset = 0
    }

    /// Writes what the kernel accepts now. Returns whether the whole message is written.
    mutating func flush() throws(ConnectionLoss) -> Bool {
        if let secured = stream.secured { return try flush(by: secured) }
        while let message = outgoing {
            do throws(SystemError) {
                offset += try Self.send(message, from: offset, to: descriptor.raw)
            } catch {
                guard error.code == Errno.again else { throw ConnectionLoss() }
                keepRest(of: message)
                return false
            }
            if offset == message.byteCount { outgoing = nil }
        }
        return true
    }

    /// The same, encrypted. What the encryption took counts as written when the kernel has it.
    private mutating func flush(by secured: any SecuredStream) throws(ConnectionLoss) -> Bool {
        do throws(FrameStreamingError) {
            while let message = outgoing {
                guard let count = try Self.encrypt(message, from: offset, by: secured) else {
                    keepRest(of: message)
                    return false
                }
                isFlushed = false
                offset += count
                if offset == message.byteCount { outgoing = nil }
            }
            isFlushed = try secured.flush()
            return isFlushed
        } catch {
            throw ConnectionLoss()
        }
    }

    /// Encrypts more of a message from `offset` on. The bytes of UInt8 are initialised.
    private static func encrypt(
        _ message: ViewerMessage, from offset: Int, by secured: any SecuredStream
    ) throws(FrameStreamingError) -> Int? {
        var offset = offset
        if offset < message.head.count {
            return try secured.send(unsafe message.head.span.bytes.extracting(droppingFirst: offset))
        }
        offset -= message.head.count
        if let image = message.image {
            if offset < image.byteCount { return try secured.send(image.bytes.extracting(offset..<image.byteCount)) }
            offset -= image.byteCount
        }
        return try secured.send(unsafe message.tail.span.bytes.extracting(droppingFirst: offset))
    }

    /// Copies the rest of a slow viewer's message, so that the frame's buffer returns to its pool.
    private mutating func keepRest(of message: ViewerMessage) {
        guard let image = message.image else { return }
        var rest: [UInt8] = []
        rest.reserveCapacity(message.byteCount - offset)
        rest += message.head.dropFirst(offset)
        let ofImage = max(0, offset - message.head.count)
        unsafe image.withUnsafeBytes { bytes in unsafe rest.append(contentsOf: bytes.dropFirst(ofImage)) }
        rest += message.tail.dropFirst(max(0, ofImage - image.byteCount))
        outgoing = ViewerMessage(head: rest)
        offset = 0
    }

    /// Sends the rest of a message from `offset` on, in one sendmsg.
    private static func send(_ message: ViewerMessage, from offset: Int, to socket: CInt) throws(SystemError) -> Int {
        // A viewer that has gone causes an error here, and not a signal that kills the process.
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
        // The part of each buffer behind `offset`. sendmsg only reads: iovec has no const.
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

    /// Reads what has arrived, at most the size of `buffer`. Returns the count, 0 at the end, nil
    /// for nothing yet.
    func receive(into buffer: inout [UInt8]) throws(ConnectionLoss) -> Int? {
        if let secured = stream.secured {
            do throws(FrameStreamingError) {
                var span = buffer.mutableSpan
                var bytes = unsafe span.mutableBytes
                return try secured.receive(into: &bytes, at: 0)
            } catch {
                throw ConnectionLoss()
            }
        }
        do throws(SystemError) {
            return try retryingInterrupts("recv") {
                unsafe buffer.withUnsafeMutableBytes {
                    unsafe recv(descriptor.raw, $0.baseAddress, $0.count, CInt(MSG_DONTWAIT))
                }
            }
        } catch {
            if error.code == Errno.again { return nil }
            throw ConnectionLoss()
        }
    }

    /// Tells the peer that nothing more will be written.
    func shutdownWriting() {
        stream.secured?.endWriting()
        _ = shutdown(descriptor.raw, CInt(SHUT_WR))
    }
}
