internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A connected socket that several threads use, and that each of them may close.
final class Channel: Sendable {
    /// The peer's address, as text for messages.
    let address: String
    private let wakeUp: WakeUp
    private let open: Monitor<Descriptor?>
    /// Called once when the channel is closed.
    private let closing = Monitor<(@Sendable () -> Void)?>(nil)

    init(_ descriptor: Descriptor) throws(FrameStreamingError) {
        address = SocketAddress(.peer, of: descriptor)?.description ?? "unknown peer"
        do throws(SystemError) { wakeUp = try WakeUp() } catch { throw FrameStreamingError(error, subject: address) }
        open = Monitor(descriptor)
    }

    /// The socket, for one call. It stays open while the caller holds it, even if another thread
    /// closes the channel.
    func descriptor() throws(FrameStreamingError) -> Descriptor {
        guard let descriptor = open.withLock({ $0 }) else { throw .closedConnection }
        return descriptor
    }

    var isClosed: Bool { open.withLock { $0 == nil } }

    /// Bytes that the peer's kernel has confirmed; nil if the kernel does not count them.
    var deliveredBytes: UInt64? { open.withLock { $0 }?.deliveredBytes }

    /// Bytes that have arrived from the peer, read or not; nil if the kernel does not count them.
    var receivedBytes: UInt64? { open.withLock { $0 }?.receivedBytes }

    /// Ends the connection and every wait in it. May be called from any thread, and more than once.
    func close() {
        let descriptor = open.withLock { open in
            defer { open = nil }
            return open
        }
        wakeUp.signal()
        descriptor?.shutdownBoth()
        closing.withLock { $0.take() }?()
    }

    /// Calls `body` when the channel is closed by any thread, or now if it is closed already.
    func onClose(_ body: @escaping @Sendable () -> Void) {
        closing.withLock { $0 = body }
        if isClosed { closing.withLock { $0.take() }?() }
    }

    /// Tells the peer that this side writes no more.
    func shutdownWriting() { open.withLock { $0 }?.shutdownWriting() }

    /// Makes reads end after the bytes that have arrived, as if the peer had ended.
    func endReading() { open.withLock { $0 }?.shutdownReading() }

    /// Wakes the thread that waits for the socket, because there is something to write.
    func nudge() { wakeUp.signal() }

    /// Waits for `events`, for `deadline` or for ``nudge()``.
    ///
    /// - Throws: `closed` as soon as the channel is closed.
    func wait(for events: Int16, on descriptor: Descriptor, until deadline: Int64?) throws(FrameStreamingError) {
        do throws(SystemError) {
            let readiness = try FrameStreamingSystem.wait(
                for: events, on: descriptor.raw, until: deadline, wakeUp: wakeUp)
            if readiness != .woken { return }
        } catch {
            throw FrameStreamingError(error, subject: address)
        }
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
        let descriptor = try descriptor()
        // If nothing else is to be done before the recv returns by itself, wait in it. Otherwise
        // poll.
        var waits = !writer.hasWork && hasTime(deadline)
        while true {
            if let count = try receive(descriptor, into: &bytes, at: offset, wait: waits ? wanting : .nothing) {
                return count
            }
            waits = false
            let due = try drive(writer)
            if let deadline, monotonicNow() >= deadline { throw .timedOut("the peer") }
            try wait(
                for: due == nil ? PollEvents.input : PollEvents.input | PollEvents.output, on: descriptor,
                until: [deadline, due].compactMap { $0 }.min())
        }
    }

    /// Reads bytes that have arrived, without waiting; nil = there are none, 0 = the end.
    func readArrived(into bytes: inout MutableRawSpan) throws(FrameStreamingError) -> Int? {
        try receive(try descriptor(), into: &bytes, at: 0, wait: .nothing)
    }

    /// Calls recv once; nil = no bytes have arrived, 0 = the end.
    private func receive(
        _ descriptor: Descriptor, into bytes: inout MutableRawSpan, at offset: Int, wait: Descriptor.ReceiveWait
    ) throws(FrameStreamingError) -> Int? {
        do throws(SystemError) {
            let count = try descriptor.receive(into: &bytes, at: offset, wait: wait)
            if count > 0 || !isClosed { return count }
        } catch {
            guard error.code == Errno.again || isClosed else { throw lost(error) }
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

    /// The error for a failed system call on the connection.
    func lost(_ error: SystemError) -> FrameStreamingError {
        if isClosed { return .closedConnection }
        let words: String =
            switch error.code {
            case Errno.connectionReset, Errno.brokenPipe:
                "the peer ended the connection without a goodbye: it was killed, or closed the connection early"
            case Errno.timedOut:
                "the peer's machine did not answer in time: it is down, or the link is cut"
            case Errno.hostUnreachable, Errno.networkUnreachable:
                "there is no route to the peer any more: check the network"
            default: "the connection failed"
            }
        return FrameStreamingError(
            .connectionLost, "\(words) (\(error.reason))", subject: address, errno: error.code)
    }
}
