public import FrameStreamingCore
internal import FrameStreamingSystem

/// A connection in memory, with both ends in one process. For tests of sources, codecs and programs
/// without a network.
public final class MemoryTransport: Transport {
    /// The state that both ends share.
    private struct Link {
        /// The messages in flight to each end.
        var queues: [[Message]] = [[], []]
        /// The goodbye that each end sent.
        var goodbyes: [Goodbye?] = [nil, nil]
        /// Which ends have answered the other's goodbye.
        var answered = [false, false]
        var closed = [false, false]
        /// Ends that have sent a goodbye and have the other's answer.
        var finished = [false, false]
        /// The error of a cut, for both ends.
        var failure: FrameStreamingError?
        var capacity: Int
    }

    private let link: Monitor<Link>
    private let side: Int
    private let description: Peer

    private init(_ link: Monitor<Link>, side: Int, peer: Peer) {
        self.link = link
        self.side = side
        description = peer
    }

    /// Creates two ends: each receives what the other sends.
    ///
    /// - Parameters:
    ///   - creditAhead: Frames that the receiving end accepts beyond the last one it consumed.
    ///   - capacity: Messages in flight in each direction; a send waits for room.
    ///   - clockOffset: The receiver's clock minus the sender's; nil = unknown.
    ///   - clockError: The largest error of that, either way.
    ///   - pixelFormats: The formats that the receiver takes; empty = any.
    public static func pair(
        creditAhead: UInt64 = 16, capacity: Int = 64, clockOffset: Duration? = .zero,
        clockError: Duration = .zero, pixelFormats: [PixelFormat] = []
    ) -> (sender: MemoryTransport, receiver: MemoryTransport) {
        let link = Monitor(Link(capacity: capacity))
        var peer = Peer(address: "memory", handshake: .memory, initialCredit: creditAhead, creditAhead: creditAhead)
        peer.clockError = clockOffset.map { _ in clockError }
        peer.clockOffset = clockOffset
        peer.abilities.insert(.requestAnswers)
        var receiver = peer
        receiver.clockOffsetNanoseconds = peer.clockOffsetNanoseconds.map { 0 &- $0 }
        receiver.pixelFormats = pixelFormats
        return (MemoryTransport(link, side: 0, peer: receiver), MemoryTransport(link, side: 1, peer: peer))
    }

    private var other: Int { 1 - side }

    /// The other end, with its goodbye.
    public var peer: Peer {
        var result = description
        result.goodbye = link.withLock { $0.goodbyes[other] }
        return result
    }

    /// Sends a message to the other end.
    ///
    /// - Throws: `unsupported` for a frame in a format that the receiver does not take.
    public func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
        if case .frame(let frame, _) = message, !description.pixelFormats.isEmpty,
            !description.pixelFormats.contains(frame.format.pixelFormat)
        {
            throw .unsuited(
                frame.format.pixelFormat, toTaking: description.pixelFormats, at: description.address)
        }
        let outcome: Result<Void, FrameStreamingError>? = link.wait(until: deadline.nanoseconds) { link in
            if link.closed[side] { return .failure(FrameStreamingError(.closed, "this end was closed")) }
            if let failure = link.failure { return .failure(failure) }
            if link.closed[other] {
                return .failure(FrameStreamingError(.connectionLost, "the other end was closed"))
            }
            guard link.queues[other].count < link.capacity else { return nil }
            var arriving = message
            if case .frame(let frame, var info) = message {
                info.arrivalTime = .now
                arriving = .frame(frame, info)
            }
            link.queues[other].append(arriving)
            return .success(())
        }
        guard let outcome else { throw FrameStreamingError(.timedOut, "the connection is full") }
        link.wakeAll()
        try outcome.get()
    }

    /// Receives the next message.
    public func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
        let outcome: Result<Message?, FrameStreamingError>? = link.wait(until: deadline.nanoseconds) { link in
            // Messages from before the answer to this end's goodbye are delivered even after it.
            if !link.queues[side].isEmpty, !link.closed[side] || link.finished[side] {
                return .success(link.queues[side].removeFirst())
            }
            if link.closed[side] { return .failure(FrameStreamingError(.closed, "this end was closed")) }
            if link.goodbyes[other] != nil || link.answered[other] { return .success(nil) }
            if let failure = link.failure { return .failure(failure) }
            if link.closed[other] {
                return .failure(FrameStreamingError(.endedWithoutGoodbye, "the other end closed without a goodbye"))
            }
            return nil
        }
        guard let outcome else { throw FrameStreamingError(.timedOut, "timed out waiting for a message") }
        link.wakeAll()
        return try outcome.get()
    }

    /// Sends a goodbye, or answers the other end's.
    public func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
        defer { close() }
        let isAnswer = try link.update { (link) throws(FrameStreamingError) in
            if let failure = link.failure { throw failure }
            if link.goodbyes[other] != nil {
                link.answered[side] = true
                link.finished[side] = true
                return true
            }
            if link.goodbyes[side] == nil { link.goodbyes[side] = goodbye }
            return false
        }
        if isAnswer { return }
        let answered: Bool? = link.wait(until: deadline.nanoseconds) { link in
            link.answered[other] || link.closed[other] || link.closed[side] || link.failure != nil ? true : nil
        }
        if answered == nil { throw FrameStreamingError(.timedOut, "the other end did not answer the goodbye") }
        link.update { $0.finished[side] = true }
    }

    /// Closes this end at once.
    public func close() {
        link.update { $0.closed[side] = true }
    }

    /// Breaks the connection as a cut cable does: both ends fail with this error, and the messages
    /// in flight are lost.
    public func cut(
        _ failure: FrameStreamingError = FrameStreamingError(.connectionLost, "the test cut the connection")
    ) {
        link.update { link in
            link.failure = failure
            link.queues = [[], []]
        }
    }
}
