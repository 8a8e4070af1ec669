internal import FrameStreamingSystem

/// The connection that brings the frames of a relay's stream.
struct RelayCarrier: Sendable {
    let number: UInt64
    let receiver: FrameReceiver
    let since: MonotonicTime
}

/// One stream of a relay: its receivers, the sender that it has at the time, and the thread that passes
/// frames from one to the others.
final class RelayStream: Sendable {
    private struct State {
        /// The present sender.
        var carrier: RelayCarrier?
        var goodbye: Goodbye?
        var hasBegun = false
        /// To how many of the outlets it is sent on.
        var forwarded = 0
        var hasEnded = false
    }

    typealias Outlet = @Sendable (String) throws(FrameStreamingError) -> any TransportProvider

    let name: String
    /// Which of the streams of this name it is.
    let generation: UInt64
    /// The relay's own number, which each frame gets.
    private let relay: UInt64
    let sender: FrameSender
    private let streams: Monitor<RelayDirectory<RelayStream>>
    private let options: RelayOptions
    /// Where the relay sends every stream to.
    private let outlets: @Sendable () -> [Outlet]
    private let state = Monitor(State())

    init(
        _ name: String, _ generation: UInt64, relay: UInt64, in streams: Monitor<RelayDirectory<RelayStream>>,
        _ options: RelayOptions,
        outlets: @escaping @Sendable () -> [Outlet]
    ) throws(FrameStreamingError) {
        self.name = name
        self.generation = generation
        self.outlets = outlets
        self.relay = relay
        self.streams = streams
        self.options = options
        var sending = SenderOptions(policy: .latest, window: options.window)
        sending.waitsForReceivers = true
        sending.isRelay = true
        sending.reconnection = .always
        let tell = options.onEvent
        sending.onEvent = { tell?(.receiver(stream: name, $0)) }
        sender = try FrameSender(codec: RelayCodec(), options: sending)
    }

    /// Starts the thread, which ends with the stream.
    ///
    /// - Throws: `system` if no thread can be started.
    func start(whenOver: @escaping @Sendable () -> Void) throws(FrameStreamingError) {
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-relay") {
                self.run()
                whenOver()
            }
        } catch {
            throw FrameStreamingError(error, remedy: "no thread could be started for the stream")
        }
    }

    private func run() {
        var source = RelaySource(self)
        // How each receiver's connection ended was reported as an event.
        _ = try? sender.run(&source)
        // From here on no sender enters, and no receiver joins.
        streams.withLock { $0.end(name, generation) }
        let (carrier, goodbye) = state.update { state in
            state.hasEnded = true
            defer { state.carrier = nil }
            return (state.carrier, state.goodbye ?? .stopped("the relay was stopped"))
        }
        carrier?.receiver.close(
            goodbye.isFailure ? goodbye : .stopped("the relay was stopped"), consumed: false, limit: nil)
        streams.update { $0.remove(name, generation) }
        tell(.ended(stream: name, goodbye))
    }

    func tell(_ event: RelayEvent) { options.onEvent?(event) }

    // MARK: The sender's side

    /// Takes frames from this receiver from now on; false if the stream has ended, or a later sender has
    /// it.
    func take(_ receiver: FrameReceiver, number: UInt64) -> Bool {
        let (isTaken, before) = state.update { state -> (Bool, RelayCarrier?) in
            if state.hasEnded || state.carrier.map({ $0.number > number }) == true { return (false, nil) }
            defer { state.carrier = RelayCarrier(number: number, receiver: receiver, since: .now) }
            return (true, state.carrier)
        }
        before?.receiver.stop(.failed("another sender has taken over the stream"))
        return isTaken
    }

    /// Waits for a sender; nil if there is none by the deadline.
    func carrier(until deadline: Deadline) -> RelayCarrier? {
        state.wait(until: deadline.nanoseconds) { $0.carrier }
    }

    /// The present sender.
    var carrier: RelayCarrier? { state.withLock { $0.carrier } }

    /// Waits until a sender's turn is over.
    func waitUntilOver(_ number: UInt64) {
        let _: Bool? = state.wait(until: nil) { $0.carrier?.number == number ? nil : true }
    }

    /// Adds the relay's number to a frame.
    ///
    /// - Throws: `rejected` for a frame that passed through this relay before, or through too many.
    func mark(_ frame: inout Frame) throws(FrameStreamingError) {
        let relays = frame.relays
        guard !relays.contains(relay) else {
            throw FrameStreamingError(
                .rejected,
                "the stream \(String(printable: name)) comes back to a relay that it has passed: take its relays out of the circle"
            )
        }
        guard relays.count < Frame.maximumRelayCount else {
            throw FrameStreamingError(
                .rejected,
                "the stream \(String(printable: name)) has passed through \(relays.count) relays, and that is the limit: shorten its way",
                limit: .lengths)
        }
        frame.relays = relays + [relay]
    }

    func noteFrame(from carrier: RelayCarrier, isFirst: Bool, isBack: Bool) {
        // Only what was lost is noted there: all streams share that lock.
        if isBack { streams.withLock { $0.noteFrame(of: name, from: carrier.number) } }
        if isFirst {
            state.withLock { $0.hasBegun = true }
            tell(.began(stream: name, from: carrier.receiver.peer))
            forward()
        } else if isBack {
            tell(.restored(stream: name, from: carrier.receiver.peer))
        }
    }

    /// Notes that a sender is lost, and says so to it, should it be able to hear.
    func lose(_ carrier: RelayCarrier, _ error: FrameStreamingError) {
        carrier.receiver.close(.failed(error.message), consumed: true, limit: nil)
        streams.withLock { $0.lose(name, carrier.number, at: .now) }
        leave(carrier)
    }

    /// Notes that a sender has ended the stream with this goodbye. Returns false, and the stream goes on,
    /// if another has taken its place.
    func finish(_ carrier: RelayCarrier, _ goodbye: Goodbye) -> Bool {
        let ends = streams.withLock { $0.end(name, by: carrier.number) }
        if ends { state.update { $0.goodbye = goodbye } }
        leave(carrier)
        return ends
    }

    /// Notes that the turn of this sender is over.
    func leave(_ carrier: RelayCarrier) {
        state.update { state in
            if state.carrier?.number == carrier.number { state.carrier = nil }
        }
    }

    /// The goodbye for the receivers.
    var goodbye: Goodbye? { state.withLock { $0.goodbye } }

    // MARK: The receivers' side

    /// Sends the stream on to where all streams go, once it has begun.
    func forward() {
        let all = outlets()
        let missing = state.withLock { state in
            guard state.hasBegun else { return all[..<0] }
            defer { state.forwarded = max(state.forwarded, all.count) }
            return all.dropFirst(state.forwarded)
        }
        for outlet in missing {
            do throws(FrameStreamingError) {
                try sender.add(try outlet(name))
            } catch {
                tell(.notForwarded(stream: name, error: error))
            }
        }
    }

    /// Whether no sender sends the stream and no receiver waits for it. Then it has ended.
    func isAbandoned() -> Bool {
        let (incoming, outgoing) = sender.openReceivers
        let (isAwaited, hasEnded) = streams.withLock { streams in
            let isAwaited = streams.phase(of: name) == .awaited
            return (
                isAwaited,
                streams.endIfAbandoned(
                    name, waiting: incoming > 0, forwarded: outgoing > 0, patience: options.returnTimeout, at: .now)
            )
        }
        guard hasEnded else { return false }
        let goodbye =
            isAwaited
            ? Goodbye.complete("nobody waits for the stream any more")
            : .failed("the stream's sender was lost, and did not come back")
        state.update { $0.goodbye = $0.goodbye ?? goodbye }
        return true
    }

    /// Ends the stream.
    func stop(_ goodbye: Goodbye) {
        state.update { $0.goodbye = $0.goodbye ?? goodbye }
        sender.stop(goodbye)
    }
}
