internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A connection's writing side: whole messages, one after another, whoever writes them and however often the socket is full.
///
/// One thread at a time has the turn to write. A message of which the kernel took a part stays here and goes first.
final class Outbox: Sendable {
    /// Which message it is: what tells a repeated call from a new one.
    enum Key: Hashable {
        case frame(UInt64), acknowledgement(UInt64), sourceLost(String), sourceRestored, goodbye
        case request(ReceiverRequest)
    }

    /// A message, or what is left of it.
    struct Outgoing {
        var head: [UInt8]
        var image: Frame?
        var imageBytes = 0
        /// Bytes that the kernel has taken.
        var offset = 0
        /// When the last byte must be gone; nil as long as none is.
        var due: Int64?

        init(_ head: [UInt8]) { self.head = head }

        init(_ head: [UInt8], image: Frame, imageBytes: Int) {
            self.head = head
            self.image = image
            self.imageBytes = imageBytes
        }

        var isDone: Bool { offset == head.count + imageBytes }
    }

    private struct State {
        var isBusy = false
        var current: Outgoing?
        var queue: [Outgoing] = []
        /// The message of a call that timed out after its first byte was gone: the next call with it finishes it.
        var begun: Key?
        var failure: FrameStreamingError?

        var hasWork: Bool { current != nil || !queue.isEmpty }
    }

    private let state = Monitor(State())
    private let channel: Channel
    private let timeout: Duration
    /// The same in nanoseconds; half of the clock's range is for ever.
    private let timeoutNanoseconds: Int64

    /// - Parameter timeout: How long a message may take from its first to its last byte.
    init(_ channel: Channel, timeout: Duration) {
        self.channel = channel
        self.timeout = timeout
        timeoutNanoseconds = min(timeout.wholeNanoseconds, .max / 2)
    }

    /// Writes a message whole, after what was begun before it.
    ///
    /// - Parameter make: The message; not called where `key` was begun already.
    /// - Throws: `timedOut`: the same call goes on where this ended.
    func send(
        _ key: Key, until deadline: Deadline, _ make: () throws(FrameStreamingError) -> Outgoing
    ) throws(FrameStreamingError) {
        let turn = try takeTurn(until: deadline)
        defer { endTurn() }
        if turn == .afterOthers {
            let resumes = state.withLock { $0.begun == key }
            guard try flush(until: deadline.nanoseconds, waits: true) else { throw .timedOut("room to send") }
            state.withLock { $0.begun = nil }
            if resumes { return }
        }
        var isDone = try writeAtOnce(make)
        if !isDone { isDone = try flush(until: deadline.nanoseconds, waits: true, queue: false) }
        if isDone {
            // Queued meanwhile by those who did not get the turn. What does not go by the deadline stays; this message is gone.
            if hasWork { _ = try flush(until: deadline.nanoseconds, waits: true) }
            return
        }
        state.withLock { state in
            if state.current?.offset == 0 { state.current = nil } else { state.begun = key }
        }
        throw .timedOut("room to send")
    }

    /// The way of nearly every message: the kernel takes it at once, and it is never stored. If not it is the current message
    /// now. Needs the turn, and that nothing was left of a message before.
    private func writeAtOnce(_ make: () throws(FrameStreamingError) -> Outgoing) throws(FrameStreamingError) -> Bool {
        let descriptor = try channel.descriptor()
        var outgoing = try make()
        let isDone: Bool
        do throws(FrameStreamingError) {
            isDone = try write(&outgoing, to: descriptor)
        } catch {
            state.withLock { $0.failure = error }
            throw error
        }
        if !isDone { state.withLock { [outgoing] state in state.current = outgoing } }
        return isDone
    }

    /// Writes a message now, where nobody else writes and nothing is left to be written; false where it cannot. For one that is
    /// worth nothing when it goes out late.
    ///
    /// - Parameter make: The message; not called where it cannot be written.
    func offer(_ make: () -> Outgoing) throws(FrameStreamingError) -> Bool {
        let mine = state.withLock { state in
            guard !state.isBusy, !state.hasWork, state.failure == nil else { return false }
            state.isBusy = true
            return true
        }
        guard mine else { return false }
        defer { endTurn() }
        _ = try writeAtOnce(make)
        return true
    }

    /// Puts a message in the queue and writes what goes without waiting: the thread in `receive` writes the rest.
    ///
    /// - Parameter limit: Beyond so many queued ones it is dropped; nil = never.
    func enqueue(_ outgoing: Outgoing, limit: Int? = nil) throws(FrameStreamingError) {
        state.withLock { state in
            if let limit, state.queue.count >= limit { return }
            state.queue.append(outgoing)
        }
        _ = try drive()
    }

    /// Writes what goes without waiting, unless another thread is at it.
    ///
    /// - Returns: When what is left must be gone (`.max` = no bound yet); nil = nothing is left for the caller to do.
    func drive() throws(FrameStreamingError) -> Int64? {
        let mine = state.withLock { state in
            guard !state.isBusy, state.hasWork, state.failure == nil else { return false }
            state.isBusy = true
            return true
        }
        guard mine else { return nil }
        defer { endTurn() }
        if try flush(until: nil, waits: false) { return nil }
        return state.withLock { $0.current?.due } ?? .max
    }

    /// Whether something is left to be written by whoever waits for the socket.
    var hasWork: Bool { state.withLock { $0.hasWork } }

    /// What broke in writing.
    var failure: FrameStreamingError? { state.withLock { $0.failure } }

    /// Wakes those who wait for their turn, so that they see that the channel is closed.
    func close() { state.wakeAll() }

    private enum Turn { case clear, afterOthers, failed }

    private func takeTurn(until deadline: Deadline) throws(FrameStreamingError) -> Turn {
        let turn: Turn? = state.wait(until: deadline.nanoseconds) { state in
            if state.failure != nil { return .failed }
            if state.isBusy { return self.channel.isClosed ? .failed : nil }
            state.isBusy = true
            return state.hasWork || state.begun != nil ? .afterOthers : .clear
        }
        switch turn {
        case nil: throw .timedOut("the message before to be sent")
        case .failed:
            if channel.isClosed { throw .closedConnection }
            throw state.withLock { $0.failure } ?? .closedConnection
        case .some(let turn): return turn
        }
    }

    private func endTurn() { state.update { $0.isBusy = false } }

    /// Writes all there is; false when the deadline passed, or the socket is full and `waits` is false. Needs the turn.
    ///
    /// - Parameter queue: Whether to go on with what is queued behind the current message.
    private func flush(until deadline: Int64?, waits: Bool, queue: Bool = true) throws(FrameStreamingError) -> Bool {
        do throws(FrameStreamingError) {
            let descriptor = try channel.descriptor()
            while var outgoing = next(queue: queue) {
                if try write(&outgoing, to: descriptor) {
                    state.withLock { $0.current = nil }
                    continue
                }
                state.withLock { [outgoing] state in state.current = outgoing }
                let now = monotonicNow()
                if let due = outgoing.due, now >= due {
                    throw FrameStreamingError(
                        .limitExceeded,
                        "the peer did not take a message within \(timeout): it hangs, or the link is too slow for frames of this size",
                        subject: channel.address)
                }
                if !waits { return false }
                if let deadline, now >= deadline { return false }
                try channel.wait(
                    for: PollEvents.output, on: descriptor, until: [deadline, outgoing.due].compactMap { $0 }.min())
            }
            return true
        } catch {
            if error.code != .timedOut { state.withLock { $0.failure = error } }
            throw error
        }
    }

    /// What goes next; it stays the current one until it is done.
    private func next(queue: Bool) -> Outgoing? {
        state.withLock { state in
            if queue, state.current == nil, !state.queue.isEmpty { state.current = state.queue.removeFirst() }
            return state.current
        }
    }

    /// Writes until the message is done; false when the socket is full.
    private func write(_ outgoing: inout Outgoing, to descriptor: Descriptor) throws(FrameStreamingError) -> Bool {
        while !outgoing.isDone {
            do throws(SystemError) {
                outgoing.offset += try descriptor.send(
                    outgoing.head, image: outgoing.image, imageBytes: outgoing.imageBytes, from: outgoing.offset)
                if outgoing.due == nil, !outgoing.isDone { outgoing.due = monotonicNow() + timeoutNanoseconds }
            } catch {
                if error.code == Errno.again { return false }
                throw channel.lost(error)
            }
        }
        return true
    }
}
