internal import FrameStreamingSystem

/// The state of a receiver under its lock.
private struct ReceiverState {
    /// The frame that the consumer has, which is acknowledged when it asks for the next.
    var delivered: DeliveredFrame?
    /// The figures up to the last interval; both of these without the inbox's counts.
    var before = ReceiverStatistics()
    /// The figures of the present interval. Each frame is counted once, here.
    var interval = ReceiverStatistics()
    var arrivedBefore = ReceiverStatistics()
    var unconsumed = 0
    var isFinished = false
    /// The codec has decoded a frame.
    var hasDecoded = false
}

/// Takes frames from a connection, decodes them, and returns credit as
/// the consumer finishes with them.
///
/// ```swift
/// let codec = JPEGCodec()
/// let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver(for: codec), handshake: .automatic)
/// let receiver = try FrameReceiver(codec: codec, transport: try listener.accept())
/// while let received = try receiver.next() { print(received.frame.format) }
/// ```
///
/// Asking for the next frame means that the one before was consumed: then it is acknowledged,
/// and the sender may send another. One thread asks for frames; ``stop(_:)``, ``cancel()`` and
/// the figures may be called from any.
public final class FrameReceiver: Sendable {
    private let transport: any Transport
    private let codec: any FrameCodec
    private let decode: DecodeSettings?
    private let inbox: ReceiverInbox
    private let clock: PeerClock
    private let state = Monitor(ReceiverState())
    private let onEvent: @Sendable (ReceiverEvent) -> Void

    private let patience: ReceiverPatience

    /// A receiver on a connection whose peer sends.
    ///
    /// - Parameters:
    ///   - codec: Decodes the frames.
    ///   - transport: The connection. The receiver owns it from here.
    ///   - decode: The wanted pixel format and scale; nil leaves the frames as they were received.
    ///   - onEvent: Called on the connection's thread or the consumer's. It must return soon.
    /// - Throws: `system` if no thread can be started.
    public convenience init(
        codec: any FrameCodec, transport: any Transport, decode: DecodeSettings? = DecodeSettings(),
        onEvent: @escaping @Sendable (ReceiverEvent) -> Void = { _ in }
    ) throws(FrameStreamingError) {
        try self.init(
            codec: codec, transport: transport, decode: decode, patience: ReceiverPatience(), onEvent: onEvent)
    }

    /// The same with the caller's own limits.
    package init(
        codec: any FrameCodec, transport: any Transport, decode: DecodeSettings?, patience: ReceiverPatience,
        onEvent: @escaping @Sendable (ReceiverEvent) -> Void = { _ in }
    ) throws(FrameStreamingError) {
        self.codec = codec
        self.transport = transport
        self.decode = decode
        self.patience = patience
        self.onEvent = onEvent
        clock = PeerClock(transport)
        inbox = try ReceiverInbox(transport: transport, onEvent: onEvent)
    }

    deinit {
        let isFinished = state.withLock { $0.isFinished }
        guard !isFinished, inbox.end == nil else {
            transport.close()
            return
        }
        // The receiver was released without a goodbye, perhaps because its consumer
        // threw: the frame that it had was not consumed. A deinit must not wait for the
        // peer's answer, so another thread does.
        let (transport, inbox, limit) = (transport, inbox, patience.ordinary)
        inbox.noteEnd(.cancelled)
        takeBack()
        if let lent = transport as? any ScopedTransport, lent.isLent { return }
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-goodbye") {
                try? transport.finish("receiver went away", until: .after(limit))
                transport.close()
            }
        } catch {
            transport.close()
        }
    }

    /// The sender at the other end.
    public var peer: Peer { transport.peer }

    /// Returns the next frame in order; nil when the sender has ended cleanly and all frames were
    /// delivered, or after ``stop(_:)``.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task reads
    /// ``frames``.
    ///
    /// A frame that does not decode is reported to the sender and to `onEvent`, and passed over. If
    /// it is the first, and the codec does not decode its format, both sides end with
    /// `unsupported`.
    ///
    /// After a break, frames that had arrived are delivered as long as decoding them takes less
    /// than a second in all. The rest is not acknowledged, so a sender with a session sends it
    /// again. It counts in ``ReceiverStatistics/droppedAtEnd``.
    ///
    /// - Throws: `timedOut` when none came by the deadline; `cancelled` after ``cancel()``;
    ///   `peerFailed` when the sender said that it failed, after all frames; what broke the
    ///   connection, after the frames that are still delivered; `unsupported`.
    @available(*, noasync, message: "it blocks one of the few threads of all tasks: use 'frames'")
    public func next(until deadline: Deadline = .never) throws(FrameStreamingError) -> ReceivedFrame? {
        try take(newest: false, until: deadline)
    }

    /// As ``next(until:)``, with what the sender says of its source, in order with the frames.
    func nextEvent(until deadline: Deadline) throws(FrameStreamingError) -> ReceivedEvent? {
        try takeEvent(newest: false, notices: true, until: deadline)
    }

    /// Waits for a frame and returns the newest one. Frames before it are acknowledged as skipped.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task reads
    /// ``frames``.
    ///
    /// - Throws: As ``next(until:)``.
    @available(*, noasync, message: "it blocks one of the few threads of all tasks: use 'frames'")
    public func latest(until deadline: Deadline = .never) throws(FrameStreamingError) -> ReceivedFrame? {
        try take(newest: true, until: deadline)
    }

    private func take(newest: Bool, until deadline: Deadline) throws(FrameStreamingError) -> ReceivedFrame? {
        guard case .frame(let frame)? = try takeEvent(newest: newest, notices: false, until: deadline) else {
            return nil
        }
        return frame
    }

    private func takeEvent(
        newest: Bool, notices: Bool, until deadline: Deadline
    ) throws(FrameStreamingError) -> ReceivedEvent? {
        acknowledgeDelivered()
        while true {
            guard let arrival = inbox.next(newest: newest, notices: notices, until: deadline) else {
                throw .timedOut("a frame")
            }
            switch arrival {
            case .notice(let notice): return .notice(notice)
            case .frames(let skipped, let item):
                for info in skipped { pass(over: info, .skipped) }
                if let delivered = try decoded(item) {
                    // A frame that was being decoded when this side ended is not delivered.
                    if inbox.dropsTaken(afterDecoding: delivered.decodeTime ?? 0) { continue }
                    state.withLock { $0.delivered = delivered }
                    return .frame(delivered.frame)
                }
            case .ended:
                finish("all frames consumed")
                return nil
            case .endedFailed(let error):
                finish("all frames consumed")
                throw error
            case .failed(let error):
                transport.close()
                throw error
            case .stopped(let goodbye):
                finish(goodbye)
                return nil
            }
        }
    }

    /// Returns nil if it could not be decoded, which was reported.
    private func decoded(_ item: ReceiverInbox.Item) throws(FrameStreamingError) -> DeliveredFrame? {
        let start = MonotonicTime.now
        var end: MonotonicTime?
        var frame = item.frame
        if let decode {
            let isFirst = state.withLock { !$0.hasDecoded }
            do throws(FrameStreamingError) {
                if isFirst { try codec.checkDecodable(frame.format.pixelFormat) }
                frame = try codec.decode(item.frame, decode)
            } catch {
                inbox.noteDecoding(nanoseconds: MonotonicTime.now.nanoseconds &- start.nanoseconds)
                let isTheEnd = error.code == .unsupported && isFirst
                let outcome: Acknowledgement.Outcome? =
                    isTheEnd ? nil : error.code == .corruptImage ? .undecodable : .refused
                pass(over: item.info, outcome)
                onEvent(.undecodable(item.info, error: error))
                if isTheEnd { throw endUnsupported(error) }
                // The caller's settings are invalid, so every frame would fail.
                if error.code == .invalidArgument { throw error }
                return nil
            }
            end = .now
            if isFirst { state.withLock { $0.hasDecoded = true } }
        }
        let estimate = clock.estimate(transport)
        var captured: MonotonicTime?
        var captureError: Duration?
        if let time = item.frame.captureTime, time.clock == .monotonic, let estimate {
            captured = MonotonicTime(nanoseconds: time.nanoseconds &+ estimate.offset)
            captureError = max(.zero, time.error) + .nanoseconds(estimate.error)
        }
        return DeliveredFrame(
            frame: ReceivedFrame(
                frame: frame, encoded: item.frame, info: item.info, localCaptureTime: captured,
                captureError: captureError),
            clock: estimate, taken: start, decoded: end)
    }

    /// Ends both sides, and tells the sender why: no frame was decoded so far, and the codec does
    /// not decode the format of this one. The following frames would have the same format.
    private func endUnsupported(_ error: FrameStreamingError) -> FrameStreamingError {
        let peer = transport.peer.address
        let reason = FrameStreamingError(.unsupported, error.message, subject: error.subject ?? peer)
        inbox.noteEnd(.of(reason), reason)
        finish(.unsupported(error.message))
        return reason
    }

    private func acknowledgeDelivered() {
        let now = MonotonicTime.now
        let consumed = state.withLock { state -> (DeliveredFrame, unconsumed: Int)? in
            guard let delivered = state.delivered.take() else { return nil }
            state.interval.record(delivered, consumed: now)
            return (delivered, state.unconsumed)
        }
        if let (delivered, unconsumed) = consumed {
            acknowledge(delivered.frame.info, .consumed, unconsumed, stages: delivered, at: now)
        }
    }

    /// Counts and acknowledges a frame that the consumer never gets.
    ///
    /// - Parameter outcome: Nil for a frame that ends the stream. It is not acknowledged: a sender
    ///   that has delivered all it has would say goodbye before it hears why the stream ends.
    private func pass(over info: FrameInfo, _ outcome: Acknowledgement.Outcome?) {
        let unconsumed = state.withLock { state in
            if outcome == .skipped { state.interval.skippedHere += 1 } else { state.interval.decodeFailures += 1 }
            state.unconsumed += 1
            return state.unconsumed
        }
        if let outcome { acknowledge(info, outcome, unconsumed, at: .now) }
    }

    private func acknowledge(
        _ info: FrameInfo, _ outcome: Acknowledgement.Outcome, _ unconsumed: Int, stages: DeliveredFrame? = nil,
        at now: MonotonicTime
    ) {
        let message = inbox.acknowledgement(info, outcome, unconsumed: unconsumed, stages: stages, at: now)
        do throws(FrameStreamingError) {
            try transport.send(.acknowledgement(message), until: .after(patience.limit(inbox.farewell)))
        } catch {
            noteUnheard(error)
        }
    }

    /// Notes that the connection is over, because it takes no acknowledgement. The reading thread
    /// may know more, such as a goodbye, and has a little time to report it. Frames that have
    /// arrived are delivered in any case.
    private func noteUnheard(_ error: FrameStreamingError) {
        let isStopped = inbox.farewell?.code == .stopped
        if error.code == .closed || inbox.waitForEnd(until: isStopped ? .now : .after(patience.ordinary)) { return }
        let reason = FrameStreamingError(
            .connectionLost, "the sender takes no acknowledgement any more (\(error.message))", subject: error.subject,
            errno: error.errno)
        inbox.noteBreak(reason)
        transport.close()
    }

    // MARK: Requests

    /// Asks the sender to pause, to resume, or to encode with another quality, from any thread but
    /// the one that calls `onEvent` for the connection.
    ///
    /// Returns when the sender has said that it complies, with the next frame or later. If the
    /// sender does not answer requests (``Peer/answersRequests``), this returns when the connection
    /// has taken the request, and whether the sender complies is unknown.
    ///
    /// - Throws: `unsupported` where the sender takes no requests, as with the text handshake, and
    ///   where it says that it cannot comply: it sends one encoding to several receivers, or its
    ///   frames are compressed at their source. `invalidArgument` for a quality outside 1...100,
    ///   and from the thread that reads the connection. `timedOut` where the connection took
    ///   nothing, or the sender said nothing, for two seconds: it may comply later. `closed`,
    ///   `cancelled` and what ended the connection once it is over.
    public func request(_ request: ReceiverRequest) throws(FrameStreamingError) {
        if case .quality(let quality) = request, !(1...100).contains(quality) {
            throw FrameStreamingError(
                .invalidArgument, "quality must be 1 (smallest) to 100 (best), not \(quality)")
        }
        guard transport.peer.answersRequests else {
            return try transport.send(.request(request), until: .after(patience.ordinary))
        }
        try inbox.request(request, until: .after(patience.ordinary))
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

    /// Ends the stream cleanly: acknowledges the consumer's frame, and says goodbye.
    ///
    /// - Parameters:
    ///   - goodbye: The goodbye for the sender: ``Goodbye/failed(_:)`` if this side could not go
    ///     on.
    ///   - consumed: Whether the consumer has finished with its frame. If false, for example
    ///     because its disk is full, the frame is acknowledged as refused; after a stop it is not
    ///     acknowledged, so that a sender of files sends it again.
    public func close(_ goodbye: Goodbye = .complete("receiver ended"), consumed: Bool = true) {
        if consumed {
            acknowledgeDelivered()
        } else if goodbye.code == .stopped {
            // Without an acknowledgement it is sent again.
            takeBack()
        } else if let delivered = state.withLock({ $0.delivered.take() }), transport.peer.hasOutcomes {
            // Without outcomes the sender would count the frame as consumed. There the connection's
            // end reports it.
            pass(over: delivered.frame.info, .refused)
        }
        finish(goodbye)
    }

    /// Ends at once, from any thread: a wait for a frame throws `cancelled` within 100 ms,
    /// and no frame is delivered any more.
    public func cancel() {
        inbox.cancel()
        transport.close()
    }

    /// Takes back the last frame, which was returned but not taken: it was not consumed.
    func takeBack() {
        let delivered = state.withLock { $0.delivered.take() }
        if delivered != nil { inbox.noteDropped() }
    }

    private func finish(_ goodbye: Goodbye) {
        let isFirst = state.withLock { state in
            defer { state.isFinished = true }
            return !state.isFinished
        }
        guard isFirst else { return }
        let farewell = inbox.farewell
        inbox.noteEnd(farewell != nil ? .cancelled : .good(transport.peer))
        inbox.dropRest()
        // The sender may be gone already, which loses nothing: both sides have their counts. The
        // first goodbye counts, unless something has failed since.
        let last = goodbye.isFailure ? goodbye : farewell ?? goodbye
        try? transport.finish(last, until: .after(patience.limit(last)))
        transport.close()
        inbox.join()
    }

    // MARK: Figures

    /// The figures so far.
    public var statistics: ReceiverStatistics {
        var result = state.withLock { state in
            var result = state.before
            result.merge(state.interval)
            return result
        }
        inbox.describe(&result)
        return result
    }

    /// Returns the figures since the last call, for a line per second.
    public func takeInterval() -> ReceiverStatistics {
        var arrived = ReceiverStatistics()
        inbox.describe(&arrived)
        return state.withLock { state in
            var result = state.interval
            result.bytes = arrived.bytes - state.arrivedBefore.bytes
            result.skippedBySender = arrived.skippedBySender.map { $0 - (state.arrivedBefore.skippedBySender ?? 0) }
            result.firstArrival = arrived.firstArrival
            state.arrivedBefore = arrived
            state.before.merge(state.interval)
            state.interval = ReceiverStatistics()
            return result
        }
    }

    /// How the stream ended, as a relay passes it to its own receivers;
    /// nil = it is complete, and its sender gave no reason.
    var relayedGoodbye: Goodbye? { inbox.farewell ?? transport.peer.goodbye }

    /// How it ended; nil while it has not.
    public var end: StreamEnd? { inbox.end }
}
