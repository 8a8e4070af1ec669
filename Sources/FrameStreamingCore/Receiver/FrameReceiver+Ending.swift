internal import FrameStreamingSystem

/// Whose turn it is to ask a receiver for frames, and how it ends.
extension FrameReceiver {
    /// The goodbye of a receiver whose program said none.
    static var releasedGoodbye: Goodbye { .failed("the receiver was released without close()") }
    /// The same where the consumer's task was cancelled.
    static var cancelledGoodbye: Goodbye { .stopped("the receiver's task was cancelled") }

    // MARK: Consumers

    /// A consumer for an iterator or an async call.
    func makeConsumer() -> FrameConsumer { state.withLock { $0.turn.makeIterator() } }

    /// Begins a consumer's turn, and takes the frame that it has finished with.
    ///
    /// - Throws: `busy` if another consumer asks for frames. After the goodbye there are none that a
    ///   second consumer could disturb.
    func beginTurn(_ consumer: FrameConsumer) throws(FrameStreamingError) -> TakenFrame {
        let now = MonotonicTime.now
        return try state.withLock { (state) throws(FrameStreamingError) in
            if !state.isFinished {
                try state.turn.take(consumer)
                state.wasLeftByCancelledTask = false
            }
            return state.takeDelivered(at: now)
        }
    }

    /// Lets another consumer ask for frames.
    ///
    /// - Parameter byCancelledTask: Whether the consumer's task was cancelled. If no other consumer
    ///   follows and the receiver is released, the goodbye says that it was stopped.
    func endTurn(_ consumer: FrameConsumer, byCancelledTask: Bool = false) {
        state.withLock { state in
            if state.turn.giveBack(consumer), byCancelledTask { state.wasLeftByCancelledTask = true }
        }
    }

    /// Stops the receiver for a consumer whose task was cancelled. Returns false, and does nothing,
    /// if another consumer has its turn.
    func stop(for consumer: FrameConsumer) -> Bool {
        let isFree = state.withLock { $0.isFinished || $0.turn.isFree(for: consumer) }
        if isFree { stop() }
        return isFree
    }

    /// Notes that the consumer has the frame that was taken for it.
    func handOver() { state.withLock { $0.delivered?.isHandedOver = true } }

    /// Takes back the last frame, which was returned but not taken: it was not consumed.
    func takeBack() {
        let delivered = state.withLock { $0.delivered.take() }
        if delivered != nil { inbox.noteDropped() }
    }

    // MARK: Ending

    /// Ends the stream cleanly, from any thread: the present or next wait for a frame says
    /// goodbye to the sender and returns nil.
    ///
    /// Frames that have arrived are not delivered any more, nor is one that is being decoded.
    /// The wait for the sender's answer ends within 700 ms after ``Goodbye/stopped(_:)``, and
    /// within two seconds after any other.
    ///
    /// - Parameter goodbye: The goodbye for the sender; the first one counts. The default means
    ///   that this program was stopped and may come back, so the sender of a file waits for it.
    ///   ``Goodbye/complete(_:)`` means that this side has what it wanted.
    public func stop(_ goodbye: Goodbye = .stopped("receiver stopped")) { inbox.stop(goodbye) }

    /// Ends the stream cleanly, from any thread: acknowledges the consumer's frame, says goodbye,
    /// and waits for the sender's answer.
    ///
    /// If a goodbye is under way already, such as that of a cancelled loop, this waits for it. The
    /// wait is as long as ``stop(_:)`` says; ``cancel()`` ends it. Called from `onEvent` on the
    /// connection's thread, it does not wait for a goodbye of another thread.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task calls the async
    /// form, `await receiver.close()`.
    ///
    /// - Parameters:
    ///   - goodbye: The goodbye for the sender: ``Goodbye/failed(_:)`` if this side could not go
    ///     on.
    ///   - consumed: Whether the consumer has finished with its frame. If false, for example
    ///     because its disk is full, the frame is acknowledged as refused; after a stop it is not
    ///     acknowledged, so that a sender of files sends it again.
    @available(*, noasync, message: "it blocks one of the few threads of all tasks: use 'await receiver.close()'")
    public func close(_ goodbye: Goodbye = .complete("receiver ended"), consumed: Bool = true) {
        close(goodbye, consumed: consumed, limit: nil)
    }

    /// The same with a limit for the wait; nil = the usual one.
    func close(_ goodbye: Goodbye, consumed: Bool, limit: Duration?) {
        if consumed {
            acknowledgeDelivered()
        } else if goodbye.code == .stopped {
            // Without an acknowledgement it is sent again.
            takeBack()
        } else if let delivered = state.withLock({ $0.delivered.take() }) {
            if !delivered.isHandedOver {
                inbox.noteDropped()
            } else if transport.peer.abilities.contains(.outcomes) {
                // Without outcomes the sender would count the frame as consumed. There the
                // connection's end reports it.
                pass(over: delivered.frame.info, .refused)
            }
        }
        if !finish(goodbye, limit: limit) { waitUntilOver(limit) }
    }

    /// Ends both sides, and tells the sender why: no frame was decoded so far, and the codec does
    /// not decode the format of this one. The following frames would have the same format.
    func endUnsupported(_ error: FrameStreamingError) -> FrameStreamingError {
        let peer = transport.peer.address
        return end(
            FrameStreamingError(.unsupported, error.message, subject: error.subject ?? peer),
            saying: .unsupported(error.message))
    }

    /// Ends both sides, and tells the sender why: too many frames in a row did not decode.
    func endUndecodable(_ count: Int, _ last: FrameStreamingError) -> FrameStreamingError {
        let reason = ReceiverLimits.undecodable(count, last: last, from: transport.peer.address)
        return end(reason, saying: .failed(reason.message))
    }

    private func end(_ reason: FrameStreamingError, saying goodbye: Goodbye) -> FrameStreamingError {
        inbox.noteEnd(.of(reason), reason)
        finish(goodbye)
        return reason
    }

    /// Ends at once, from any thread: a wait for a frame throws `cancelled` within 100 ms,
    /// and no frame is delivered any more.
    public func cancel() {
        inbox.cancel()
        transport.close()
    }

    /// Says goodbye, and returns when the goodbye is over. Returns false, and does nothing, if
    /// another thread says goodbye or has said it.
    ///
    /// - Parameter limit: How long the sender's answer is waited for; nil = the usual limit, which
    ///   is also the longest.
    @discardableResult
    func finish(_ goodbye: Goodbye, limit: Duration? = nil) -> Bool {
        let farewell = inbox.farewell
        // The first goodbye counts, unless something has failed since.
        let last = goodbye.isFailure ? goodbye : farewell ?? goodbye
        let isFirst = state.withLock { state in
            defer { state.isFinished = true }
            return !state.isFinished
        }
        guard isFirst else { return false }
        defer { state.update { $0.isOver = true } }
        inbox.noteEnd(farewell != nil ? .cancelled : .good(transport.peer))
        inbox.dropRest()
        let deadline = deadline(for: last, limit)
        // The goodbye must not overtake an acknowledgement of another thread.
        let _: Bool? = state.wait(until: deadline.nanoseconds) { $0.isAcknowledging ? nil : true }
        // The sender may be gone already, which loses nothing: both sides have their counts.
        try? transport.finish(last, until: deadline)
        transport.close()
        inbox.join()
        return true
    }

    private func deadline(for goodbye: Goodbye?, _ limit: Duration?) -> Deadline {
        let usual = patience.limit(goodbye)
        return .after(limit.map { min($0, usual) } ?? usual)
    }

    /// Whether the goodbye is over, so that there is nothing to wait for.
    var hasSaidGoodbye: Bool { state.withLock { $0.isOver } }

    /// Waits for the goodbye of another thread. The thread that reads the connection does not:
    /// the goodbye waits for what it reads.
    private func waitUntilOver(_ limit: Duration?) {
        if inbox.isReader { return }
        let deadline = deadline(for: inbox.farewell, limit)
        let _: Bool? = state.wait(until: deadline.nanoseconds) { $0.isOver ? true : nil }
    }

    /// How the stream ended, as a relay passes it to its own receivers;
    /// nil = it is complete, and its sender gave no reason.
    var relayedGoodbye: Goodbye? { inbox.farewell ?? transport.peer.goodbye }

    /// How it ended; nil while it has not.
    public var end: StreamEnd? { inbox.end }
}
