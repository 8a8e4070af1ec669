internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A connection's writing side: whole messages, one after another, whoever writes them and however often the socket is full.
///
/// One thread at a time has the turn to write. A message of which the kernel took a part stays here and goes first.
final class MessageWriter: Sendable {
    /// Which message it is: what tells a repeated call from a new one.
    enum Key: Hashable {
        case frame(UInt64), sourceLost(String), sourceRestored, goodbye
        case request(ReceiverRequest)
    }

    /// A message, or what is left of it.
    struct Outgoing {
        var head: [UInt8]
        var image: Frame?
        var imageBytes = 0
        /// Bytes that the kernel has taken.
        var offset = 0
        /// Whether it gets on; nil until it had to wait.
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
        /// The message of a call that timed out after its first byte was gone: the next call with it finishes it.
        var begun: Key?
        var failure: FrameStreamingError?

        var hasWork: Bool { current != nil || !queue.isEmpty }
    }

    private let state = Monitor(State())
    private let channel: Channel
    private let limits: MessageProgress.Limits

    /// - Parameter limits: What a message may do that had to wait.
    init(_ channel: Channel, _ limits: MessageProgress.Limits) {
        self.channel = channel
        self.limits = limits
    }

    /// For a few words: nothing of them may stand still for longer.
    convenience init(_ channel: Channel, timeout: Duration) {
        self.init(channel, MessageProgress.Limits(standstill: timeout))
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
        if isDone { return }
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
            fail(error)
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

    /// Writes a message as far as it goes without waiting, behind those that were queued before it: the thread in `receive` writes the
    /// rest, and is woken for it.
    ///
    /// - Parameter limit: How many may be queued; nil = any number.
    /// - Returns: False: there was no room for it.
    /// - Throws: What broke in writing, now or before.
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

    /// Writes what goes without waiting, unless another thread is at it.
    ///
    /// - Returns: When to look again at what is left; nil = nothing is left for the caller to do.
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

    /// When to see whether the message that waits gets on. More often than it could be lost: what the peer's kernel confirmed since is seen
    /// then only.
    private func lookAgain() -> Int64 { monotonicNow() + limits.standstill / 4 }

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

    /// Gives the turn back. What was queued meanwhile, by those who did not get it, goes first, as far as it does without waiting.
    private func endTurn() {
        while true {
            let (isOver, isLeft) = state.update { state in
                let isOver = state.failure != nil || state.current != nil || state.queue.isEmpty
                if isOver { state.isBusy = false }
                return (isOver, state.failure == nil && state.current != nil)
            }
            // Who waits for the socket must know that there is something to write.
            if isLeft { channel.nudge() }
            if isOver { return }
            // What breaks is kept as the failure.
            _ = try? flush(until: nil, waits: false)
        }
    }

    /// Nothing more can be written. What has come can still be read, and then the reading ends, too: the thread in it must not wait for a
    /// peer to which nothing can be said any more.
    func fail(_ error: FrameStreamingError) {
        state.update { $0.failure = $0.failure ?? error }
        channel.endReading()
    }

    /// Why reading ended: the kernel tells each error once. A write that failed had it, and to a read the stream has merely ended then.
    func cause(of error: FrameStreamingError) -> FrameStreamingError {
        error.code == .endedWithoutGoodbye ? failure ?? error : error
    }

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
                let failure = look(at: &outgoing)
                state.withLock { [outgoing] state in state.current = outgoing }
                if let failure { throw failure }
                if !waits { return false }
                if let deadline, monotonicNow() >= deadline { return false }
                try channel.wait(
                    for: PollEvents.output, on: descriptor, until: min(deadline ?? .max, lookAgain()))
            }
            return true
        } catch {
            fail(error)
            throw error
        }
    }

    /// The socket is full: what ends the connection, if this message has not got on for too long.
    ///
    /// What counts is what has reached the peer's machine, where that is known. The socket has room again for much at once, and a slow link
    /// would seem to stand still in between.
    private func look(at outgoing: inout Outgoing) -> FrameStreamingError? {
        let bytes = channel.deliveredBytes ?? UInt64(outgoing.offset)
        var progress = outgoing.progress ?? MessageProgress(limits, from: bytes, at: .now)
        let verdict = progress.look(bytes, at: .now)
        outgoing.progress = progress
        return verdict.error(limits, address: channel.address)
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
            } catch {
                if error.code == Errno.again { return false }
                throw channel.lost(error)
            }
        }
        return true
    }
}
