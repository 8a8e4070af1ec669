internal import FrameStreamingSystem

/// One connection of a sender: its slot, its window, a thread that encodes and sends what has credit, and a thread that
/// listens for acknowledgements.
final class SenderOutlet<Codec: FrameCodec>: Sendable {
    struct State {
        var flow: FlowControl
        /// The newest picture that waits for credit.
        var slot: Picture?
        /// Whether the sending thread has seen to it that the picture in the slot is encoded, or is at it.
        var slotIsPrepared = false
        /// The picture that has credit, until the sending thread picks it up.
        var job: (picture: Picture, ticket: FlowControl.Ticket)?
        /// Messages about the source, which go out before the next picture.
        var notices: [Message] = []
        var settings: EncodeSettings
        var times = SenderTimes()
        /// Since the last line per second.
        var interval = SenderTimes()
        var countsBefore = SenderStatistics()
        var end: StreamEnd?
        var failure: FrameStreamingError?
        /// The goodbye is under way: its outcome decides, not what the threads see of it.
        var isFinishing = false
        var lastProgress: MonotonicTime
        var running = 2
    }

    /// What the flow control, which has no clock, does not measure.
    struct SenderTimes {
        var encode = DurationHistogram()
        var creditWait = DurationHistogram()
        var ack = DurationHistogram()
    }

    let transport: any Transport
    let codec: Codec
    let sendTimeout: Duration
    let onAcknowledgement: (@Sendable (Acknowledgement, Duration) -> Void)?
    let state: Monitor<State>

    init(
        transport: any Transport, codec: Codec, flow: FlowControl, options: SenderOptions
    ) throws(FrameStreamingError) {
        self.transport = transport
        self.codec = codec
        sendTimeout = options.sendTimeout
        onAcknowledgement = options.onAcknowledgement
        let now = MonotonicTime.now
        var first = State(flow: flow, settings: options.encode, lastProgress: now)
        _ = try first.flow.handle(.creditGranted(through: transport.peer.initialCredit), at: now)
        state = Monitor(first)
        do throws(SystemError) {
            _ = try SystemThread(name: "frame-acks") { self.listen() }
            _ = try SystemThread(name: "frame-send") { self.pump() }
        } catch {
            transport.close()
            throw FrameStreamingError(error, remedy: "no thread could be started for the connection")
        }
    }

    // MARK: The source's side

    /// Offers a picture, waiting for room until the deadline where the policy is not to replace.
    /// False: there was no room, and nothing was counted.
    func offer(_ picture: Picture, until deadline: Deadline) -> Bool {
        let accepted: Bool? = state.wait(until: deadline.nanoseconds) { state in
            guard state.flow.policy == .latest || state.flow.hasRoom || state.end != nil else { return nil }
            if let decision = try? state.flow.handle(.offered, at: .now) {
                if state.end == nil {
                    state.slot = picture
                    state.slotIsPrepared = false
                }
                carryOut(decision, &state)
            }
            return true
        }
        // The sending thread may be waiting for the job that the offer became.
        if accepted == true { state.wakeAll() }
        return accepted == true
    }

    func notify(_ message: Message) { state.update { $0.notices.append(message) } }

    var settings: EncodeSettings { state.withLock { $0.settings } }

    func change(_ settings: EncodeSettings) { state.withLock { $0.settings = settings } }

    /// A picture that was taken from the source and cannot wait any longer: counted as one that the end cut off.
    func abandon() {
        state.update { state in
            _ = try? state.flow.handle(.abandoned, at: .now)
        }
    }

    /// Waits until nothing is under way; false when the deadline passes first.
    func drain(until deadline: Deadline) -> Bool {
        let drained: Bool? = state.wait(until: deadline.nanoseconds) { state in
            state.end != nil || (state.flow.isDrained && state.notices.isEmpty) ? true : nil
        }
        return drained == true
    }

    /// Whether nothing was acknowledged for that long since `start`.
    func hasStalled(since start: MonotonicTime, for patience: Duration) -> Bool {
        max(start, state.withLock { $0.lastProgress }).advanced(by: patience) <= .now
    }

    /// Says goodbye, and waits for the threads to end. `isStopped`: it was this side's wish, before the stream's end.
    func finish(_ reason: String, isStopped: Bool, until deadline: Deadline) {
        let isBroken = state.update { state in
            state.isFinishing = true
            return state.failure != nil
        }
        if isBroken { return }
        var failure: FrameStreamingError?
        do throws(FrameStreamingError) {
            try transport.finish(reason, until: deadline)
        } catch {
            failure = error
        }
        // What was acknowledged until now counts; a goodbye that goes unanswered matters where something is missing.
        if let failure, state.withLock({ !$0.flow.isDrained }) {
            end(.of(failure), failure)
        } else {
            end(isStopped ? .cancelled : .good(transport.peer.handshake))
        }
        transport.close()
        join()
    }

    func cancel() {
        end(.cancelled)
        transport.close()
    }

    /// Waits for both threads, which `close` lets go within 100 ms.
    func join() {
        let _: Bool? = state.wait(until: nil) { $0.running == 0 ? true : nil }
    }

    // MARK: What is known

    var isOpen: Bool { state.withLock { $0.end == nil } }

    var summary: SenderSummary.Connection {
        state.withLock { state in
            SenderSummary.Connection(
                peer: transport.peer, statistics: statistics(state.times, state), end: state.end, failure: state.failure
            )
        }
    }

    /// What happened since the last call of this.
    func takeInterval() -> SenderStatistics {
        state.withLock { state in
            var result = statistics(state.interval, state)
            result.subtractCounts(of: state.countsBefore)
            state.countsBefore = state.flow.counts
            state.interval = SenderTimes()
            return result
        }
    }

    private func statistics(_ times: SenderTimes, _ state: State) -> SenderStatistics {
        var result = state.flow.counts
        result.encodeTime = times.encode
        result.creditWait = times.creditWait
        result.ackTime = times.ack
        return result
    }

    /// The first end counts; what is said later is its echo.
    func end(_ end: StreamEnd, _ failure: FrameStreamingError? = nil) {
        state.update { state in
            guard state.end == nil else { return }
            state.end = end
            state.failure = failure
            _ = try? state.flow.handle(.ended, at: .now)
            state.slot = nil
            state.job = nil
        }
    }
}
