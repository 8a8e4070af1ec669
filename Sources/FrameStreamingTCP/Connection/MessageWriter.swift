internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Writes whole messages to a socket, one after another, for any number of threads.
///
/// One thread at a time has the turn to write. If the kernel takes only a part of a message, the
/// rest stays here and is written first.
final class MessageWriter: Sendable {
    /// Identifies a message, to tell a repeated call from a new one.
    enum Key: Hashable {
        case frame(UInt64), sourceLost(String), sourceRestored, goodbye
        case request(ReceiverRequest), requestAnswer(RequestAnswer)
    }

    /// A message that is being written.
    struct Outgoing {
        var head: [UInt8]
        var image: Frame?
        var imageBytes = 0
        /// Bytes that the stream has taken.
        var offset = 0
        /// Nil until the message had to wait.
        var progress: MessageProgress?

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
        /// The message of a call that timed out after its first byte was written. The next call
        /// with the same key finishes it.
        var begun: Key?
        var failure: FrameStreamingError?

        var hasWork: Bool { current != nil || !queue.isEmpty }
    }

    private let state = Monitor(State())
    private let channel: Channel
    private let limits: MessageProgress.Limits

    /// - Parameter limits: The limits for a message that had to wait.
    init(_ channel: Channel, _ limits: MessageProgress.Limits) {
        self.channel = channel
        self.limits = limits
    }

    /// A writer for short messages, which may not stall for longer than `timeout`.
    convenience init(_ channel: Channel, timeout: Duration) {
        self.init(channel, MessageProgress.Limits(standstill: timeout))
    }

    /// Writes a whole message, after the messages that were begun before.
    ///
    /// - Parameter make: Makes the message. Not called if the message of `key` was begun already.
    /// - Throws: `timedOut`. The same call then goes on where this one has ended.
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
        if isDone { return }
        state.withLock { state in
            if state.current?.offset == 0 { state.current = nil } else { state.begun = key }
        }
        throw .timedOut("room to send")
    }

    /// Writes a message without storing it, if the kernel takes it at once, as it nearly always
    /// does. Otherwise the message becomes the current one. Needs the turn, and no current message.
    private func writeAtOnce(_ make: () throws(FrameStreamingError) -> Outgoing) throws(FrameStreamingError) -> Bool {
        let stream = try channel.stream()
        var outgoing = try make()
        let isDone: Bool
        do throws(FrameStreamingError) {
            isDone = try write(&outgoing, to: stream)
        } catch {
            fail(error)
            throw error
        }
        if !isDone { state.withLock { [outgoing] state in state.current = outgoing } }
        return isDone
    }

    /// Writes a message if no other message is being written or queued. For a message that is
    /// worthless if it is late.
    ///
    /// - Parameter make: Makes the message. Not called if it cannot be written now.
    /// - Returns: Whether it was written.
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

    /// Writes or queues a message without waiting. The thread in `receive` is woken to write the
    /// rest.
    ///
    /// - Parameter limit: The most queued messages; nil = any number.
    /// - Returns: False if the queue is full.
    /// - Throws: The error of this or an earlier write.
    @discardableResult
    func enqueue(_ outgoing: Outgoing, limit: Int? = nil) throws(FrameStreamingError) -> Bool {
        enum Step { case mine, queued, full, failed(FrameStreamingError) }
        let step: Step = state.withLock { state in
            if let failure = state.failure { return .failed(failure) }
            if !state.isBusy, !state.hasWork {
                state.isBusy = true
                return .mine
            }
            if let limit, state.queue.count >= limit { return .full }
            state.queue.append(outgoing)
            return .queued
        }
        switch step {
        case .failed(let failure): throw channel.isClosed ? .closedConnection : failure
        case .full: return false
        case .queued: if try drive() != nil { channel.nudge() }
        case .mine:
            defer { endTurn() }
            _ = try writeAtOnce { outgoing }
        }
        return true
    }

    /// Writes queued bytes without waiting, unless another thread is writing.
    ///
    /// - Returns: When to look again at the rest; nil = there is no rest for this thread.
    func drive() throws(FrameStreamingError) -> Int64? {
        let mine = state.withLock { state in
            guard !state.isBusy, state.hasWork, state.failure == nil else { return false }
            state.isBusy = true
            return true
        }
        guard mine else { return nil }
        defer { endTurn() }
        return try flush(until: nil, waits: false) ? nil : lookAgain()
    }

    /// When to check the progress of a message that waits. Several times within the limit, because
    /// only a check sees the bytes that the peer's kernel has confirmed.
    private func lookAgain() -> Int64 { monotonicNow() + limits.standstill / 4 }

    /// Whether the thread that waits for the socket has something to write.
    var hasWork: Bool { state.withLock { $0.hasWork } }

    /// The first error of a write.
    var failure: FrameStreamingError? { state.withLock { $0.failure } }

    /// Wakes the threads that wait for their turn, so that they see that the channel is closed.
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

    /// Gives the turn back. Before that it writes messages that other threads have queued
    /// meanwhile, as far as that does not wait.
    private func endTurn() {
        while true {
            let (isOver, isLeft) = state.update { state in
                let isOver = state.failure != nil || state.current != nil || state.queue.isEmpty
                if isOver { state.isBusy = false }
                return (isOver, state.failure == nil && state.current != nil)
            }
            // The thread that waits for the socket must write the rest.
            if isLeft { channel.nudge() }
            if isOver { return }
            // An error is kept as the failure.
            _ = try? flush(until: nil, waits: false)
        }
    }

    /// Notes that nothing more can be written. Reads still get the bytes that have arrived, and
    /// then end: the reading thread must not wait for a peer to which this side cannot write.
    func fail(_ error: FrameStreamingError) {
        state.update { $0.failure = $0.failure ?? error }
        channel.endReading()
    }

    /// The reason why reading ended. The kernel reports each error once: after a failed write a
    /// read only sees the end of the stream.
    func cause(of error: FrameStreamingError) -> FrameStreamingError {
        error.code == .endedWithoutGoodbye ? failure ?? error : error
    }

    /// Writes the current message and the queue. Needs the turn.
    ///
    /// - Parameter queue: Whether to go on with the queue after the current message.
    /// - Returns: False if the deadline passed, or the socket is full and `waits` is false.
    private func flush(until deadline: Int64?, waits: Bool, queue: Bool = true) throws(FrameStreamingError) -> Bool {
        do throws(FrameStreamingError) {
            let stream = try channel.stream()
            while var outgoing = next(queue: queue) {
                if try write(&outgoing, to: stream) {
                    state.withLock { $0.current = nil }
                    continue
                }
                let failure = look(at: &outgoing)
                state.withLock { [outgoing] state in state.current = outgoing }
                if let failure { throw failure }
                if !waits { return false }
                if let deadline, monotonicNow() >= deadline { return false }
                try channel.wait(
                    for: PollEvents.output, on: stream, until: min(deadline ?? .max, lookAgain()))
            }
            return true
        } catch {
            fail(error)
            throw error
        }
    }

    /// Checks the progress of a message while the socket is full, and returns the error that ends
    /// the connection.
    ///
    /// Bytes that have reached the peer's machine count, if the kernel counts them. The socket gets
    /// room for many bytes at once, so on a slow link its own count would seem to stall in between.
    private func look(at outgoing: inout Outgoing) -> FrameStreamingError? {
        let bytes = channel.deliveredBytes ?? UInt64(outgoing.offset)
        var progress = outgoing.progress ?? MessageProgress(limits, from: bytes, at: .now)
        let verdict = progress.look(bytes, at: .now)
        outgoing.progress = progress
        return verdict.error(limits, address: channel.address)
    }

    /// The next message. It stays the current one until it is written.
    private func next(queue: Bool) -> Outgoing? {
        state.withLock { state in
            if queue, state.current == nil, !state.queue.isEmpty { state.current = state.queue.removeFirst() }
            return state.current
        }
    }

    /// Writes until the message is done; false if the socket is full.
    private func write(_ outgoing: inout Outgoing, to stream: ByteStream) throws(FrameStreamingError) -> Bool {
        do throws(ByteStreamError) {
            while !outgoing.isDone {
                guard
                    let count = try stream.send(
                        outgoing.head, image: outgoing.image, imageBytes: outgoing.imageBytes, from: outgoing.offset)
                else { return false }
                outgoing.offset += count
            }
            // A message is done when the kernel has all of it: no thread would send the rest.
            return try stream.flush()
        } catch {
            throw channel.lost(error)
        }
    }
}
