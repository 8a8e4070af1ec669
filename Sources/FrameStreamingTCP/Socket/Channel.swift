internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A connected socket that several threads use, and that each of them may close.
final class Channel: Sendable {
    /// The peer's address, as text for messages.
    let address: String
    /// Where the peer is.
    let host: PeerHost
    private let wakeUp: WakeUp
    private let open: Monitor<ByteStream?>
    /// Called once when the channel is closed.
    private let closing = Monitor<(@Sendable () -> Void)?>(nil)

    init(_ descriptor: Descriptor) throws(FrameStreamingError) {
        let peer = SocketAddress(.peer, of: descriptor)
        address = peer?.description ?? "unknown peer"
        host = peer?.host ?? .none
        do throws(SystemError) { wakeUp = try WakeUp() } catch { throw FrameStreamingError(error, subject: address) }
        open = Monitor(ByteStream(descriptor))
    }

    /// The bytes, for one call. The socket stays open while the caller holds them, even if another
    /// thread closes the channel.
    func stream() throws(FrameStreamingError) -> ByteStream {
        guard let stream = open.withLock({ $0 }) else { throw .closedConnection }
        return stream
    }

    /// Reads and writes by another stream of the same socket from now on. No thread may use the
    /// one before any more.
    ///
    /// - Throws: `closed`.
    func replace(by next: ByteStream) throws(FrameStreamingError) {
        let isOpen = open.withLock { open in
            guard open != nil else { return false }
            open = next
            return true
        }
        guard isOpen else { throw .closedConnection }
    }

    /// The socket; nil once closed.
    var socket: Descriptor? { open.withLock { $0 }?.socket }

    var isClosed: Bool { open.withLock { $0 == nil } }

    /// Bytes that the peer's kernel has confirmed; nil if the kernel does not count them.
    var deliveredBytes: UInt64? { socket?.deliveredBytes }

    /// Bytes that have arrived from the peer, read or not; nil if the kernel does not count them.
    var receivedBytes: UInt64? { socket?.receivedBytes }

    /// Ends the connection and every wait in it. May be called from any thread, and more than once.
    func close() {
        let stream = open.withLock { open in
            defer { open = nil }
            return open
        }
        wakeUp.signal()
        stream?.socket.shutdownBoth()
        closing.withLock { $0.take() }?()
    }

    /// Calls `body` when the channel is closed by any thread, or now if it is closed already.
    func onClose(_ body: @escaping @Sendable () -> Void) {
        closing.withLock { $0 = body }
        if isClosed { closing.withLock { $0.take() }?() }
    }

    /// Tells the peer that this side writes no more.
    func shutdownWriting() { open.withLock { $0 }?.endWriting() }

    /// Makes reads end after the bytes that have arrived, as if the peer had ended.
    func endReading() { socket?.shutdownReading() }

    /// Wakes the thread that waits for the socket, because there is something to write.
    func nudge() { wakeUp.signal() }

    /// Waits for `events`, for `deadline` or for ``nudge()``.
    ///
    /// - Throws: `closed` as soon as the channel is closed.
    func wait(for events: Int16, on stream: ByteStream, until deadline: Int64?) throws(FrameStreamingError) {
        do throws(SystemError) {
            let readiness = try FrameStreamingSystem.wait(
                for: events, on: stream.socket.raw, until: deadline, wakeUp: wakeUp)
            if readiness != .woken { return }
        } catch {
            throw FrameStreamingError(error, subject: address)
        }
        try noteWoken()
    }

    /// Takes a signal that ended a wait, unless it was the close.
    private func noteWoken() throws(FrameStreamingError) {
        if !isClosed { wakeUp.clear() }
        guard isClosed else { return }
        // The close may have come just before the signal was cleared: signal again for the other
        // waits.
        wakeUp.signal()
        throw .closedConnection
    }

    /// Waits for bytes until `deadline`, and stores them from `offset`. While it waits it finishes
    /// what `writer` has left.
    ///
    /// - Parameter wanting: Whether to return with the first bytes, or only when the room is full.
    /// - Returns: The number of bytes; 0 = the peer's bytes have ended.
    func read(
        into bytes: inout MutableRawSpan, at offset: Int = 0, wanting: Descriptor.ReceiveWait = .firstByte,
        until deadline: Int64?, driving writer: MessageWriter
    ) throws(FrameStreamingError) -> Int {
        let stream = try stream()
        // If nothing else is to be done before the recv returns by itself, wait in it. Otherwise
        // poll.
        var waits = !writer.hasWork && hasTime(deadline)
        while true {
            // Always before a poll, which does not show bytes that a secured stream has decrypted.
            if let count = try receive(stream, into: &bytes, at: offset, wait: waits ? wanting : .nothing) {
                return count
            }
            waits = false
            let due = try drive(writer)
            if let deadline, monotonicNow() >= deadline { throw .timedOut("the peer") }
            try wait(
                for: due == nil ? PollEvents.input : PollEvents.input | PollEvents.output, on: stream,
                until: [deadline, due].compactMap { $0 }.min())
        }
    }

    /// Reads nothing until `deadline`. Meanwhile it finishes what `writer` has left.
    ///
    /// - Throws: `closed` as soon as the channel is closed.
    func rest(until deadline: Deadline, driving writer: MessageWriter) throws(FrameStreamingError) {
        let stream = try stream()
        while !deadline.hasPassed {
            let due = try drive(writer)
            let until = [deadline.nanoseconds, due].compactMap { $0 }.min()
            if due != nil {
                try wait(for: PollEvents.output, on: stream, until: until)
            } else {
                // Not for the socket, which would wake this again and again once the peer has hung
                // up.
                try waitForNudge(until: until)
            }
        }
    }

    /// Waits for `deadline` or for ``nudge()``.
    private func waitForNudge(until deadline: Int64?) throws(FrameStreamingError) {
        do throws(SystemError) {
            try waitForInput(on: [wakeUp.descriptor], until: deadline)
        } catch {
            throw FrameStreamingError(error, subject: address)
        }
        try noteWoken()
    }

    /// Reads bytes that have arrived, without waiting; nil = there are none, 0 = the end.
    func readArrived(into bytes: inout MutableRawSpan) throws(FrameStreamingError) -> Int? {
        try receive(try stream(), into: &bytes, at: 0, wait: .nothing)
    }

    /// Whether bytes may have arrived that a poll of the socket does not show.
    var mayHaveMore: Bool { open.withLock { $0 }?.mayHaveMore ?? false }

    /// Receives once; nil = no bytes have arrived, 0 = the end.
    private func receive(
        _ stream: ByteStream, into bytes: inout MutableRawSpan, at offset: Int, wait: Descriptor.ReceiveWait
    ) throws(FrameStreamingError) -> Int? {
        do throws(ByteStreamError) {
            let count = try stream.receive(into: &bytes, at: offset, wait: wait)
            if let count, count > 0 || !isClosed { return count }
        } catch {
            throw lost(error)
        }
        // A close by this side looks like an error or an end of the socket.
        if isClosed { throw .closedConnection }
        return nil
    }

    /// Whether a recv that waits returns before `deadline`.
    private func hasTime(_ deadline: Int64?) -> Bool {
        guard let deadline else { return true }
        return deadline - monotonicNow() > Descriptor.longestReceiveNanoseconds
    }

    /// Writes what `writer` has left, without waiting.
    ///
    /// A write that fails is reported to the threads that write. This side goes on reading what has
    /// arrived, perhaps a goodbye, and then reads end.
    ///
    /// - Returns: When to look again at the rest; nil = there is no rest for this thread.
    func drive(_ writer: MessageWriter) throws(FrameStreamingError) -> Int64? {
        do throws(FrameStreamingError) {
            return try writer.drive()
        } catch {
            if error.code == .closed { throw error }
            return nil
        }
    }

    /// The error for a connection that broke.
    func lost(_ error: ByteStreamError) -> FrameStreamingError {
        if isClosed { return .closedConnection }
        switch error {
        case .socket(let error): return FrameStreamingError(lost: error, at: address)
        case .secured(let error): return error
        }
    }
}
