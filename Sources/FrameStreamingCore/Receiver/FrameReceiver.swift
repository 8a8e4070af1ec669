internal import FrameStreamingSystem

/// The state of a receiver under its lock.
struct ReceiverState {
    /// The frame that the consumer has, which is acknowledged when it asks for the next.
    var delivered: DeliveredFrame?
    /// A thread is sending the acknowledgement of a frame. A goodbye would overtake it.
    var isAcknowledging = false
    var turn = ConsumerTurn()
    /// The last loop was left by a task that had been cancelled.
    var wasLeftByCancelledTask = false
    /// The figures up to the last interval; both of these without the inbox's counts.
    var before = ReceiverStatistics()
    /// The figures of the present interval. Each frame is counted once, here.
    var interval = ReceiverStatistics()
    var arrivedBefore = ReceiverStatistics()
    var unconsumed = 0
    /// A goodbye is being said, or was.
    var isFinished = false
    /// The goodbye is over: answered, or given up.
    var isOver = false
    /// The codec has decoded a frame.
    var hasDecoded = false
    /// Frames that did not decode since the last that did.
    var failuresInRow = 0

    /// Counts a frame that did not decode, and returns how many there were in a row.
    mutating func noteFailure() -> Int {
        failuresInRow = failuresInRow.addingClamped(1)
        return failuresInRow
    }

    /// Takes the consumer's frame, which it has finished with.
    mutating func takeDelivered(at now: MonotonicTime) -> TakenFrame {
        guard let frame = delivered.take() else { return .none }
        guard frame.isHandedOver else { return .dropped }
        isAcknowledging = true
        interval.record(frame, consumed: now)
        return .consumed(frame, unconsumed: unconsumed, at: now)
    }
}

/// The frame that a consumer had when it asks for the next.
enum TakenFrame {
    case none
    /// It was taken for the consumer and never handed over.
    case dropped
    case consumed(DeliveredFrame, unconsumed: Int, at: MonotonicTime)
}

/// Takes frames from a connection, decodes them, and returns credit as
/// the consumer finishes with them.
///
/// ```swift
/// let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver(for: codec), handshake: .automatic)
/// let receiver = try FrameReceiver(codec: codec, transport: try listener.accept())
/// while let received = try receiver.next() { print(received.frame.format) }
/// ```
///
/// Asking for the next frame means that the one before was consumed: then it is acknowledged,
/// and the sender may send another. One consumer asks for frames; a second one at the same time
/// gets the error `busy`. Everything else may be called from any thread.
///
/// A program ends a receiver with `close(_:consumed:)`. A receiver that is released without it
/// tells the sender that it failed, because its consumer may have thrown: the frame that the
/// consumer had is not acknowledged, and the sender of a file does not take it for delivered. If
/// the task that loops over ``frames`` was cancelled, the sender hears that this side was stopped.
public final class FrameReceiver: Sendable {
    let transport: any Transport
    /// Nil leaves the frames as they were received.
    private let decoder: ReceiverDecoder?
    let inbox: ReceiverInbox
    private let clock: PeerClock
    let state = Monitor(ReceiverState())
    private let onEvent: @Sendable (ReceiverEvent) -> Void
    private let limits: ReceiverLimits

    let patience: ReceiverPatience

    /// A receiver on a connection whose peer sends.
    ///
    /// - Parameters:
    ///   - codec: Decodes the frames.
    ///   - transport: The connection. The receiver owns it from here.
    ///   - decode: The wanted pixel format and scale; nil leaves the frames as they were received.
    ///   - limits: When a sender that sends no usable frames is given up.
    ///   - onEvent: Called on the connection's thread or the consumer's. It must return soon.
    /// - Throws: `invalidArgument` for invalid limits; `system` if no thread can be started.
    public convenience init(
        codec: any FrameCodec, transport: any Transport, decode: DecodeSettings? = DecodeSettings(),
        limits: ReceiverLimits = ReceiverLimits(), onEvent: @escaping @Sendable (ReceiverEvent) -> Void = { _ in }
    ) throws(FrameStreamingError) {
        try self.init(
            codec: codec, transport: transport, decode: decode, limits: limits, patience: ReceiverPatience(),
            onEvent: onEvent)
    }

    /// The same with the caller's own limits.
    package init(
        codec: any FrameCodec, transport: any Transport, decode: DecodeSettings?,
        limits: ReceiverLimits = ReceiverLimits(), patience: ReceiverPatience,
        onEvent: @escaping @Sendable (ReceiverEvent) -> Void = { _ in }
    ) throws(FrameStreamingError) {
        decoder = decode.map { ReceiverDecoder(codec, $0) }
        self.transport = transport
        self.limits = try limits.validated()
        self.patience = patience
        self.onEvent = onEvent
        clock = PeerClock(transport)
        inbox = try ReceiverInbox(transport: transport, idleTimeout: limits.idleTimeout, onEvent: onEvent)
    }

    deinit {
        let (isFinished, isCancelled) = state.withLock { ($0.isFinished, $0.wasLeftByCancelledTask) }
        guard !isFinished, inbox.end == nil else {
            transport.close()
            return
        }
        // The consumer said no goodbye, perhaps because it threw: the frame that it had was not
        // consumed.
        let goodbye =
            inbox.farewell ?? (isCancelled || Task.isCancelled ? Self.cancelledGoodbye : Self.releasedGoodbye)
        let (transport, limit) = (transport, patience.limit(goodbye))
        inbox.noteEnd(.cancelled)
        takeBack()
        if let lent = transport as? any ScopedTransport, lent.isLent { return }
        // A deinit must not wait for the peer's answer, so another thread does.
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-goodbye") {
                try? transport.finish(goodbye, until: .after(limit))
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
    /// `unsupported`. After too many in a row (``ReceiverLimits``) the stream is ended.
    ///
    /// After a break, frames that had arrived are delivered as long as decoding them takes less
    /// than a second in all. The rest is not acknowledged, so a sender with a session sends it
    /// again. It counts in ``ReceiverStatistics/droppedAtEnd``.
    ///
    /// - Throws: `timedOut` when none came by the deadline; `cancelled` after ``cancel()``;
    ///   `peerFailed` when the sender said that it failed, after all frames; what broke the
    ///   connection, after the frames that are still delivered; `unsupported`; `limitExceeded` for a
    ///   sender that was given up by ``ReceiverLimits``; `busy`, with nothing
    ///   acknowledged, while another thread is in such a call or an iterator of ``frames`` lives.
    @available(*, noasync, message: "it blocks one of the few threads of all tasks: use 'frames'")
    public func next(until deadline: Deadline = .never) throws(FrameStreamingError) -> ReceivedFrame? {
        try take(for: .call, newest: false, until: deadline)
    }

    /// As ``next(until:)``, or with `newest` as ``latest(until:)``, with what the sender says of its
    /// source, in order with the frames.
    func nextEvent(newest: Bool = false, until deadline: Deadline) throws(FrameStreamingError) -> ReceivedEvent? {
        try takeEvent(for: .call, newest: newest, notices: true, until: deadline)
    }

    /// Waits for a frame and returns the newest one. Frames before it are acknowledged as skipped.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task calls the async
    /// form, `try await receiver.latest()`.
    ///
    /// - Throws: As ``next(until:)``.
    @available(*, noasync, message: "it blocks one of the few threads of all tasks: use 'try await receiver.latest()'")
    public func latest(until deadline: Deadline = .never) throws(FrameStreamingError) -> ReceivedFrame? {
        try take(for: .call, newest: true, until: deadline)
    }

    /// Takes a frame for a consumer. One for an iterator is not handed over by this: ``handOver()``
    /// does that, or ``takeBack()`` undoes it.
    func take(
        for consumer: FrameConsumer, newest: Bool, until deadline: Deadline
    ) throws(FrameStreamingError) -> ReceivedFrame? {
        let event = try takeEvent(for: consumer, newest: newest, notices: false, until: deadline)
        guard case .frame(let frame)? = event else { return nil }
        return frame
    }

    private func takeEvent(
        for consumer: FrameConsumer, newest: Bool, notices: Bool, until deadline: Deadline
    ) throws(FrameStreamingError) -> ReceivedEvent? {
        acknowledge(try beginTurn(consumer))
        var hasEndedTurn = false
        defer { if consumer == .call, !hasEndedTurn { endTurn(consumer) } }
        while true {
            guard let arrival = inbox.next(newest: newest, notices: notices, until: deadline) else {
                throw .timedOut("a frame")
            }
            switch arrival {
            case .notice(let notice): return .notice(notice)
            case .frames(let skipped, let item):
                for item in skipped { skip(item) }
                if var delivered = try decoded(item) {
                    // A frame that was being decoded when this side ended is not delivered.
                    if inbox.dropsTaken(afterDecoding: delivered.decodeTime ?? 0) { continue }
                    delivered.isHandedOver = consumer == .call
                    // One lock for both: a call takes several per frame as it is.
                    state.withLock { state in
                        state.delivered = delivered
                        state.failuresInRow = 0
                        if consumer == .call { state.turn.giveBack(consumer) }
                    }
                    hasEndedTurn = true
                    return .frame(delivered.frame)
                }
            case .ended:
                finish("all frames consumed")
                return nil
            case .endedFailed(let error):
                finish(inbox.complaint ?? "all frames consumed")
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

    /// Passes over a frame for a newer one, which may depend on it.
    private func skip(_ item: ReceiverInbox.Item) {
        guard let error = decoder?.skip(item.frame) else { return pass(over: item.info, .skipped) }
        pass(over: item.info, error.outcomeOfDecoding, reaching: error.limit)
        onEvent(.undecodable(item.info, error: error))
    }

    /// Returns nil if it could not be decoded, which was reported.
    private func decoded(_ item: ReceiverInbox.Item) throws(FrameStreamingError) -> DeliveredFrame? {
        let start = MonotonicTime.now
        var end: MonotonicTime?
        var frame = item.frame
        if let decoder {
            let isFirst = state.withLock { !$0.hasDecoded }
            do throws(FrameStreamingError) {
                if isFirst { try decoder.codec.checkDecodable(frame.format.pixelFormat) }
                frame = try decoder.decode(item.frame)
            } catch {
                inbox.noteDecoding(nanoseconds: MonotonicTime.now.nanoseconds &- start.nanoseconds)
                // A codec that names the format refuses this frame, and not all of its kind.
                let isTheEnd =
                    error.code == .unsupported && isFirst
                    && !decoder.codec.decodableFormats.contains(frame.format.pixelFormat)
                let failures = state.withLock { $0.noteFailure() }
                let isTooMany = limits.maximumDecodeFailures > 0 && failures >= limits.maximumDecodeFailures
                pass(
                    over: item.info, isTheEnd || isTooMany ? nil : error.outcomeOfDecoding, reaching: error.limit)
                onEvent(.undecodable(item.info, error: error))
                if isTheEnd { throw endUnsupported(error) }
                if isTooMany { throw endUndecodable(failures, error) }
                // The caller's settings are invalid, so every frame would fail.
                if error.code == .invalidArgument { throw error }
                return nil
            }
            end = .now
            if isFirst || frame.hasDecodeWarnings {
                state.withLock { state in
                    state.hasDecoded = true
                    if frame.hasDecodeWarnings { state.interval.decodeWarnings += 1 }
                }
            }
        }
        return DeliveredFrame(item, as: frame, clock: clock.estimate(transport), taken: start, decoded: end)
    }

    /// Acknowledges the frame that the consumer has, if any. One that was never handed over is
    /// dropped.
    func acknowledgeDelivered() {
        let now = MonotonicTime.now
        acknowledge(state.withLock { $0.takeDelivered(at: now) })
    }

    private func acknowledge(_ taken: TakenFrame) {
        switch taken {
        case .none: return
        case .dropped: inbox.noteDropped()
        case .consumed(let delivered, let unconsumed, let now):
            acknowledge(delivered.frame.info, .consumed, unconsumed, stages: delivered, at: now)
            let isAwaited = state.withLock { state in
                state.isAcknowledging = false
                return state.isFinished
            }
            if isAwaited { state.wakeAll() }
        }
    }

    /// Counts and acknowledges a frame that the consumer never gets.
    ///
    /// - Parameter outcome: Nil for a frame that ends the stream. It is not acknowledged: a sender
    ///   that has delivered all it has would say goodbye before it hears why the stream ends.
    func pass(over info: FrameInfo, _ outcome: Acknowledgement.Outcome?, reaching limit: PeerLimit? = nil) {
        let unconsumed = state.withLock { state in
            state.interval.limits.note(limit)
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
    /// sender does not answer requests (``Peer/Abilities/requestAnswers``), this returns when the connection
    /// has taken the request, and whether the sender complies is unknown.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task calls the async
    /// form, `try await receiver.request(...)`.
    ///
    /// - Throws: `unsupported` where the sender takes no requests, as with the text handshake, and
    ///   where it says that it cannot comply: it sends one encoding to several receivers, or its
    ///   frames are compressed at their source. `invalidArgument` for a quality outside 1...100,
    ///   and from the thread that reads the connection. `timedOut` where the connection took
    ///   nothing, or the sender said nothing, for two seconds: it may comply later. `closed`,
    ///   `cancelled` and what ended the connection once it is over.
    @available(
        *, noasync, message: "it blocks one of the few threads of all tasks: use 'try await receiver.request(...)'"
    )
    public func request(_ request: ReceiverRequest) throws(FrameStreamingError) {
        try inbox.request(request, until: .after(patience.ordinary))
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
            result.format = arrived.format
            result.limits.merge(arrived.limits.since(state.arrivedBefore.limits))
            result.skippedBySender = arrived.skippedBySender.map { $0 - (state.arrivedBefore.skippedBySender ?? 0) }
            result.firstArrival = arrived.firstArrival
            state.arrivedBefore = arrived
            state.before.merge(state.interval)
            state.interval = ReceiverStatistics()
            return result
        }
    }
}
