internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A connected non-blocking socket that several threads use and any may close.
final class Channel: Sendable {
    /// The peer's address, for people.
    let address: String
    private let wakeUp: WakeUp
    private let open: Monitor<Descriptor?>
    /// Called once, when the channel is closed.
    private let closing = Monitor<(@Sendable () -> Void)?>(nil)

    init(_ descriptor: Descriptor) throws(FrameStreamingError) {
        address = SocketAddress(.peer, of: descriptor)?.description ?? "unknown peer"
        do throws(SystemError) { wakeUp = try WakeUp() } catch { throw FrameStreamingError(error, subject: address) }
        open = Monitor(descriptor)
    }

    /// The socket, for one call: it stays open as long as the caller holds it, also when another thread closes the channel.
    func descriptor() throws(FrameStreamingError) -> Descriptor {
        guard let descriptor = open.withLock({ $0 }) else { throw .closedConnection }
        return descriptor
    }

    var isClosed: Bool { open.withLock { $0 == nil } }

    /// Bytes that the peer's kernel has confirmed; nil where this one does not say.
    var deliveredBytes: UInt64? { open.withLock { $0 }?.deliveredBytes }

    /// Bytes that have come from the peer, read or not; nil where the kernel does not say.
    var receivedBytes: UInt64? { open.withLock { $0 }?.receivedBytes }

    /// Ends every wait, and the connection. From any thread, again and again.
    func close() {
        let descriptor = open.withLock { open in
            defer { open = nil }
            return open
        }
        wakeUp.signal()
        descriptor?.shutdownBoth()
        closing.withLock { $0.take() }?()
    }

    /// Calls `body` when the channel is closed, whoever closes it; at once where it is closed already.
    func onClose(_ body: @escaping @Sendable () -> Void) {
        closing.withLock { $0 = body }
        if isClosed { closing.withLock { $0.take() }?() }
    }

    /// Says that nothing more will be written.
    func shutdownWriting() { open.withLock { $0 }?.shutdownWriting() }

    /// Lets reads have what has come and then end, as if the peer had ended.
    func endReading() { open.withLock { $0 }?.shutdownReading() }

    /// Has the thread that waits for the socket look again at what there is to write.
    func nudge() { wakeUp.signal() }

    /// Waits until `events` are there, or `deadline` has passed, or somebody has called ``nudge()``.
    ///
    /// - Throws: `closed` as soon as the channel is.
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
        // For every wait, also where the close came just before the signal was taken back.
        wakeUp.signal()
        throw .closedConnection
    }

    /// One read of what is there, stored from `offset`, which is waited for until `deadline`; 0 = the end. Meanwhile it writes what `writer` has left.
    ///
    /// - Parameter wanting: Whether to come back with the first bytes, or rather with all that there is room for.
    func read(
        into bytes: inout MutableRawSpan, at offset: Int = 0, wanting: Descriptor.ReceiveWait = .firstByte,
        until deadline: Int64?, driving writer: MessageWriter
    ) throws(FrameStreamingError) -> Int {
        let descriptor = try descriptor()
        // In the kernel where nothing else is to be looked after before it comes back by itself, by poll otherwise.
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

    /// One read of what has come, without waiting; nil = nothing has, 0 = the end.
    func readArrived(into bytes: inout MutableRawSpan) throws(FrameStreamingError) -> Int? {
        try receive(try descriptor(), into: &bytes, at: 0, wait: .nothing)
    }

    /// One recv; nil = nothing came, 0 = the end.
    private func receive(
        _ descriptor: Descriptor, into bytes: inout MutableRawSpan, at offset: Int, wait: Descriptor.ReceiveWait
    ) throws(FrameStreamingError) -> Int? {
        do throws(SystemError) {
            let count = try descriptor.receive(into: &bytes, at: offset, wait: wait)
            if count > 0 || !isClosed { return count }
        } catch {
            guard error.code == Errno.again || isClosed else { throw lost(error) }
        }
        // A close by this side shows as an error or an end of the socket as well.
        if isClosed { throw .closedConnection }
        return nil
    }

    /// Whether a recv that waits for as long as it does is back before `deadline`.
    private func hasTime(_ deadline: Int64?) -> Bool {
        guard let deadline else { return true }
        return deadline - monotonicNow() > Descriptor.longestReceiveNanoseconds
    }

    /// Writes what `writer` has left, without waiting; when the rest must be gone, nil = there is none for the caller.
    ///
    /// A write that breaks is told to those who write; what can still be read is read, a goodbye perhaps, and then reads end.
    func drive(_ writer: MessageWriter) throws(FrameStreamingError) -> Int64? {
        do throws(FrameStreamingError) {
            return try writer.drive()
        } catch {
            if error.code == .closed { throw error }
            return nil
        }
    }

    /// A system error on the connection, in words.
    func lost(_ error: SystemError) -> FrameStreamingError {
        if isClosed { return .closedConnection }
        let words: String =
            switch error.code {
            case Errno.connectionReset, Errno.brokenPipe:
                "the peer ended the connection without a goodbye: it was killed or closed in the middle"
            case Errno.timedOut:
                "the peer's machine did not answer in time: it is down, or the link is cut"
            case Errno.hostUnreachable, Errno.networkUnreachable:
                "the way to the peer is cut: check the network"
            default: "the connection failed"
            }
        return FrameStreamingError(
            .connectionLost, "\(words) (\(error.reason))", subject: address, errno: error.code)
    }
}

extension FrameStreamingError {
    static let closedConnection = FrameStreamingError(.closed, "the connection was closed on this side")

    /// The peer's bytes ended where they should not.
    static func ended(_ address: String) -> FrameStreamingError {
        FrameStreamingError(
            .endedWithoutGoodbye,
            "the peer's stream ended without a goodbye: it was killed, or the link cut; what came before was delivered",
            subject: address)
    }
}
