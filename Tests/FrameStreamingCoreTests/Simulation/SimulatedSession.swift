@testable import FrameStreamingCore

/// A session among encoders, connections and a receiver that do anything they may, in any
/// order: breaks, reconnects, restarts, pauses, stalls, goodbyes of every kind, hostile
/// numbers, and an end at any point.
///
/// It performs the session's actions and knows none of its rules. After each event it checks that
/// every frame is accounted for and that no frame reached the receiver out of order or twice.
final class SimulatedSession {
    var options: SenderOptions
    var connecting: SessionConnecting
    /// Whether frames are compressed from the start.
    var passesOn = false
    /// The receiver says where to resume, and remembers it over restarts of its connections.
    var hasSession = true
    /// One reconnecting receiver in this many forgets what it consumed; 0 = none does.
    var forgets: UInt64 = 0
    /// One acknowledgement in this many is impossible; 0 = none is.
    var lies: UInt64 = 0
    /// One event in this many ends the stream from this side by a
    /// cancel, a stop or the source's end.
    var ends: UInt64 = 10_000
    /// Breaks are this many times rarer than other events.
    var breaks: UInt64 = 1
    /// How much more often than other events the transport refuses a frame that would have to wait.
    var blocks: UInt64 = 4
    /// One message in this many is refused by the transport, which sent nothing of it; 0 = none is.
    var refuses: UInt64 = 0
    var creditAhead: UInt64 = 8
    /// Whether the receiver says goodbye now and then.
    var hasGoodbyes = true
    /// Whether the run ends with the source's end instead of a cancel.
    var endsWithSource = false

    /// What happened.
    struct Outcome {
        var counts = SenderStatistics()
        var end: StreamEnd?
        var failure: FrameStreamingError?
        var events = 0
        /// Frames that reached the receiver, over all connections.
        var delivered = 0
        var connections = 0
        /// Frames of the source that were too late: after its end, or without room until then.
        var late = 0
        /// Frames that were not offered to the session one by one, because it rested.
        var missed = 0
        /// Frames that depend on another which the receiver did not decode.
        var undecodable = 0
        /// Frames that no encoder could encode.
        var unencodable = 0
        /// The names of the reports and closes that were seen.
        var seen: Set<String> = []
        /// The first few violations of the rules.
        var violations: [String] = []
    }

    /// One connection: what is on its way in either direction.
    private struct Wire {
        let number: ConnectionNumber
        var toReceiver: [(frame: NumberedFrame, info: FrameInfo)] = []
        var acknowledgements: [Acknowledgement] = []
        /// What the transport's `send` was given, and whether the call waits.
        var sending: (outgoing: Outgoing<NumberedFrame>, waits: Bool)?
        /// The highest number received: numbers arrive from 1 without gaps.
        var received: UInt64 = 0
        var lastNotice: SourceNotice?
        /// The receiver's requests that have no answer yet.
        var asked: [ReceiverRequest] = []
        /// The last frame received.
        var last = 0
        /// The last frame of an encoder with memory, if it was decoded.
        var reference: Int?
        /// Whether it broke during the goodbye, which has not ended yet.
        var isBroken = false
        /// Whether a goodbye of this side is in progress.
        var isFinishing = false
    }

    private var session: ReceiverSession<NumberedFrame>
    private var random: SplitMix
    /// A generator for the rests alone, so that resting does not change what else happens.
    private var restRandom: SplitMix
    private var now: Int64 = 1_000_000_000
    private var wire: Wire?
    private var connections: UInt64 = 0
    /// What the encoders have. A frame that must stand alone is for another encoder with memory than
    /// those before it.
    private var encoding: [(frame: NumberedFrame, ticket: UInt64, encoder: Int)] = []
    private let hasMemory: Bool
    /// The last frame of each encoder with memory; nil = the next stands alone.
    private var references: [Int?] = []
    private var produced = 0
    private var number = 0
    private var source: SourceNotice?
    /// How many frames of the session the receiver consumed, by its own count, and the number of
    /// the last one.
    private var consumed: UInt64 = 0
    private var lastConsumed = 0
    /// The highest number that may come again, because the receiver forgot or had no session.
    private var mayRepeatThrough = 0
    private var sourceWaitsSince: MonotonicTime?
    private var outcome = Outcome()
    /// While the session rests: the number of frames that were not offered to it, and the newest.
    private var missed: (count: UInt64, newest: NumberedFrame)?
    /// Whether the run lets the session end from now on.
    private var isEnding = false

    init(
        _ options: SenderOptions, connecting: SessionConnecting = .byThisSide, hasMemory: Bool = false, seed: UInt64
    ) throws {
        self.hasMemory = hasMemory
        self.options = options
        self.connecting = connecting
        random = SplitMix(state: seed)
        restRandom = SplitMix(state: ~seed)
        session = try ReceiverSession(
            options, connecting: connecting, hasMemory: hasMemory, at: MonotonicTime(nanoseconds: now))
    }

    private func chance(_ oneIn: UInt64) -> Bool { oneIn > 0 && random.next() % oneIn == 0 }

    private func fail(_ text: @autoclosure () -> String) {
        if outcome.violations.count < 5 { outcome.violations.append("event \(outcome.events): \(text())") }
    }

    /// Makes `events` events happen, or fewer if the session ends before, and then ends it.
    func run(events: Int) -> Outcome {
        while outcome.events < events, !session.phase.hasEnded { step() }
        if !session.phase.hasEnded {
            tell(!endsWithSource && chance(2) ? .cancel : .finish(SourceEnd(goodbye: "the end"), deliveredBytes: nil))
        }
        // The session must end within the limits of its options, whatever the receiver does.
        isEnding = true
        var steps = 0
        while !session.phase.hasEnded, steps < 100_000 {
            step()
            steps += 1
        }
        if !session.phase.hasEnded { fail("has not ended: \(session.phase)") }
        // Late events must change nothing.
        let before = session.frames.counts.acknowledged + session.frames.counts.failed + session.frames.counts.lost
        tell(.encoded(ticket: 1, .success(bytes: 1, nanoseconds: 1, settings: nil)))
        tell(.sent(ConnectionNumber(value: connections)))
        tell(
            .acknowledged(
                ConnectionNumber(value: connections), Acknowledgement(sequence: 1, creditThrough: .max), roundTrip: nil,
                clock: nil))
        tell(.disconnected(ConnectionNumber(value: connections), .goodbye("")))
        tell(.saidGoodbye(ConnectionNumber(value: connections), nil))
        tell(.tick(deliveredBytes: 1))
        tell(.cancel)
        if before != session.frames.counts.acknowledged + session.frames.counts.failed + session.frames.counts.lost {
            fail("something changed after the end")
        }
        outcome.counts = session.frames.counts
        outcome.end = session.phase.streamEnd
        outcome.failure = session.failure
        outcome.connections = Int(connections)
        if outcome.counts.produced != produced { fail("\(outcome.counts.produced) of \(produced) produced") }
        return outcome
    }

    // MARK: What may happen next

    private func step() {
        // Most steps take little time; now and then one takes long.
        now += Int64(random.next() % 2_000_000)
        if chance(2_000) { now += Int64(random.next() % 5_000_000_000) }
        switch random.next() % 16 {
        case 0, 1, 2, 3: offer()
        case 4, 5: finishEncoding()
        case 6, 7, 8: finishSending()
        case 9, 10: receive()
        case 11, 12, 13: deliverAcknowledgement()
        case 14: if session.needsConnection { connect() } else { tick() }
        default: rarely()
        }
    }

    private func rarely() {
        if chance(ends) {
            return tell(
                chance(4)
                    ? .cancel
                    : .finish(
                        SourceEnd(goodbye: "the end", stopped: chance(2) ? MonotonicTime(nanoseconds: now) : nil),
                        deliveredBytes: chance(2) ? 7 : nil))
        }
        switch random.next() % 40 {
        case 0: if chance(breaks) { breakOff() }
        case 1: if chance(4) { sayGoodbye() }
        case 5...9: ask(.pause)
        case 10...29: ask(.resume)
        case 30: ask(.quality(Int(truncatingIfNeeded: random.next())))
        case 31...33:
            let notice: SourceNotice = source == .restored || source == nil ? .lost("unplugged") : .restored
            source = notice
            tell(.noticed(notice))
        case 34: if session.phase.isDraining, !endsWithSource { tell(.stop) }
        case 35: tellWhatIsStale()
        default: finishGoodbye()
        }
    }

    private func tick() { tell(.tick(deliveredBytes: isEnding || chance(2) ? nil : random.next())) }

    private func offer() {
        // The source has ended, so frames offered now are late.
        if session.phase.isDraining || !session.phase.isOpen, !chance(50) { return tick() }
        guard options.policy != .reliable || session.hasRoom || !session.phase.isOpen else {
            let since = sourceWaitsSince ?? MonotonicTime(nanoseconds: now)
            sourceWaitsSince = since
            if chance(500) {
                produced += 1
                outcome.late += 1
                return tell(.abandoned)
            }
            return tell(.sourceWaits(since: since, deliveredBytes: chance(2) ? nil : random.next()))
        }
        sourceWaitsSince = nil
        if session.phase.isDraining || !session.phase.isOpen { outcome.late += 1 }
        produced += 1
        number += 1
        let frame = NumberedFrame(
            number: number, offered: MonotonicTime(nanoseconds: now), bytes: passesOn ? 100 : nil)
        if let before = missed {
            missed = (before.count + 1, frame)
        } else if restRandom.next() % 2 == 0, session.rest() {
            missed = (1, frame)
        } else {
            return tell(.offered(frame))
        }
        outcome.missed += 1
        if restRandom.next() % 4 == 0 { countMissed() }
    }

    /// The figures of a session that rests are read.
    private func countMissed() {
        guard let (count, newest) = missed else { return }
        session.noteMissed(count - 1)
        missed = (1, newest)
        check("its figures")
    }

    private func finishEncoding() {
        guard !encoding.isEmpty else { return tick() }
        let (frame, ticket, encoder) = encoding.remove(at: Int(random.next() % UInt64(encoding.count)))
        if chance(20) {
            outcome.unencodable += 1
            if hasMemory { references[encoder] = nil }
            return tell(.encoded(ticket: ticket, .failure(FrameStreamingError(.corruptImage, "no picture"))))
        }
        let settings = EncodeSettings(quality: 50)
        let encoding = FrameEncoding.success(bytes: 100, nanoseconds: 1_000_000, settings: settings)
        guard hasMemory else { return tell(.encoded(ticket: ticket, encoding)) }
        var made = frame
        made.made = NumberedFrame.Difference(reference: references[encoder])
        references[encoder] = frame.number
        tell(.encoded(ticket: ticket, encoding, as: made))
    }

    private func connect() {
        guard !chance(4) else {
            return tell(.failedToConnect(FrameStreamingError(.connectionFailed, "nobody listens")))
        }
        connections += 1
        let number = ConnectionNumber(value: connections)
        wire = Wire(number: number)
        var peer = Peer(
            address: "simulation", handshake: .memory, initialCredit: creditAhead, creditAhead: creditAhead)
        peer.abilities.insert(.requestAnswers)
        if hasSession {
            peer.session = 7
            if chance(forgets) {
                consumed = 0
                mayRepeatThrough = lastConsumed
            }
            peer.resumedFrom = consumed
            if lies > 0 {
                // A receiver with a wrong count gets frames twice, or not at all.
                mayRepeatThrough = lastConsumed
                if chance(lies) { peer.resumedFrom = [.max, .max - 5, 0].randomElement(using: &random) ?? 0 }
            }
        } else {
            mayRepeatThrough = lastConsumed
        }
        tell(.connected(number, peer))
    }

    private func finishSending() {
        guard let (outgoing, waits) = wire?.sending, let number = wire?.number else { return tick() }
        if chance(200) { return breakOff() }
        if !waits, chance(blocks) {
            wire?.sending = nil
            return tell(.blocked(number, outgoing))
        }
        wire?.sending = nil
        if chance(refuses) {
            let codes: [FrameStreamingError.Code] = [.limitExceeded, .invalidArgument, .unsupported]
            let code = codes.randomElement(using: &random) ?? .limitExceeded
            outcome.seen.insert("refusal")
            return tell(.refused(number, outgoing, FrameStreamingError(code, "too large")))
        }
        switch outgoing {
        case .frame(let frame, let info): wire?.toReceiver.append((frame, info))
        case .notice(let notice):
            if wire?.lastNotice == notice, notice == .restored { fail("says twice that the source is back") }
            wire?.lastNotice = notice
        case .answer(let answer):
            if wire?.asked.first != answer.request { fail("answers what was not asked: \(answer)") }
            wire?.asked.removeFirst()
        }
        tell(.sent(number))
    }

    /// The receiver takes a frame, consumes it and acknowledges it.
    private func receive() {
        guard let (frame, info) = wire?.toReceiver.first else { return tick() }
        wire?.toReceiver.removeFirst()
        wire?.received += 1
        outcome.delivered += 1
        let before = wire?.last ?? 0
        wire?.last = frame.number
        if info.sequence != wire?.received { fail("number \(info.sequence) is the \(wire?.received ?? 0)th") }
        if before > 0, frame.number != before + 1 + Int(info.skipped) {
            fail("frame \(frame.number) after \(before) says \(info.skipped) skipped")
        }
        if frame.number <= lastConsumed, frame.number > mayRepeatThrough {
            fail("frame \(frame.number) came after \(lastConsumed)")
        }
        lastConsumed = max(lastConsumed, frame.number)
        consumed += 1
        var word = Acknowledgement(sequence: info.sequence, creditThrough: info.sequence + creditAhead)
        if chance(30) || !decodes(frame) {
            word.outcome = .undecodable
            wire?.reference = nil
        }
        wire?.acknowledgements.append(word)
    }

    /// Whether the receiver has what the frame depends on, which it decodes then.
    private func decodes(_ frame: NumberedFrame) -> Bool {
        guard let made = frame.made else { return true }
        if let reference = made.reference {
            guard let known = wire?.reference else {
                outcome.undecodable += 1
                return false
            }
            if known != reference { fail("frame \(frame.number) depends on \(reference), and follows \(known)") }
        }
        wire?.reference = frame.number
        return true
    }

    private func deliverAcknowledgement() {
        guard let word = wire?.acknowledgements.first, let number = wire?.number else { return tick() }
        wire?.acknowledgements.removeFirst()
        var said = word
        if chance(lies) {
            switch random.next() % 3 {
            case 0: said.sequence = [0, word.sequence + 1, .max].randomElement(using: &random) ?? 0
            case 1: said.creditThrough = 0
            default: said.creditThrough = .max
            }
        }
        tell(.acknowledged(number, said, roundTrip: nil, clock: nil))
    }

    private func breakOff() {
        guard let number = wire?.number, wire?.isBroken == false else { return }
        let codes: [FrameStreamingError.Code] = [.connectionLost, .endedWithoutGoodbye, .closed, .timedOut]
        let code = codes.randomElement(using: &random) ?? .closed
        if wire?.isFinishing == true {
            wire?.isBroken = true
            wire?.toReceiver = []
            wire?.acknowledgements = []
            wire?.sending = nil
        } else {
            wire = nil
        }
        tell(.disconnected(number, .broken(FrameStreamingError(code, "cut"))))
    }

    /// Makes a request of the receiver, unless many have no answer yet.
    private func ask(_ request: ReceiverRequest) {
        guard let wire, wire.asked.count < 60 else { return }
        self.wire?.asked.append(request)
        tell(.requested(wire.number, request, isShared: chance(2)))
    }

    /// Reports about a connection that is gone already, from threads that noticed late.
    private func tellWhatIsStale() {
        let old = ConnectionNumber(value: connections &- 1)
        tell(.sent(old))
        tell(.disconnected(old, .broken(FrameStreamingError(.connectionLost, "cut"))))
        tell(.acknowledged(old, Acknowledgement(sequence: 1, creditThrough: 1), roundTrip: nil, clock: nil))
        tell(.requested(old, .pause))
        tell(.saidGoodbye(old, nil))
        tell(.encoded(ticket: .max, .success(bytes: 1, nanoseconds: 1, settings: nil)))
    }

    private func sayGoodbye() {
        guard hasGoodbyes, let number = wire?.number, wire?.isFinishing == false else { return }
        let ends: [Goodbye] = [
            "enough", .stopped(""), .stopped("restarted"), .stopped(""), .failed("the disk is full"),
        ]
        tell(.disconnected(number, .goodbye(ends.randomElement(using: &random) ?? "")))
    }

    private func finishGoodbye() {
        guard let number = wire?.number, wire?.isFinishing == true else { return }
        // Frames in flight may be consumed and acknowledged before the goodbye is answered.
        if !chance(4) {
            while wire?.toReceiver.isEmpty == false { receive() }
            while wire?.acknowledgements.isEmpty == false, !session.phase.hasEnded { deliverAcknowledgement() }
        }
        tell(
            .saidGoodbye(
                number, wire?.isBroken == true || chance(4) ? FrameStreamingError(.timedOut, "no answer") : nil))
    }

    // MARK: The driver

    private func tell(_ event: SessionEvent<NumberedFrame>) {
        outcome.events += 1
        if let (count, newest) = missed.take() {
            session.noteMissed(count - 1)
            session.offerMissed(newest, at: MonotonicTime(nanoseconds: now))
        }
        let actions = session.actions(after: event, at: MonotonicTime(nanoseconds: now))
        check("\(event)")
        for action in actions { perform(action) }
    }

    private func check(_ event: @autoclosure () -> String) {
        let counts = session.frames.counts
        let known = counts.acknowledged + counts.dropped.total + counts.failed + counts.lost
        if counts.produced != known + session.frames.queue.count + session.frames.inFlight.count {
            fail(
                "\(counts), \(session.frames.queue.count) queued and \(session.frames.inFlight.count) in flight after \(event())"
            )
        }
        if session.frames.flow.sentThrough > session.frames.flow.creditThrough { fail("beyond the credit") }
        let encoders = hasMemory ? 1 : options.encoders
        if session.frames.queue.taken > encoders { fail("\(session.frames.queue.taken) taken") }
        if options.policy == .reliable, counts.dropped.replaced + counts.dropped.deadline > 0 {
            fail("reliable dropped a frame")
        }
    }

    private func perform(_ action: SessionAction<NumberedFrame>) {
        switch action {
        case .encode(let frame, let ticket, let order):
            if frame.made != nil { fail("\(frame.number) is encoded twice") }
            if hasMemory, references.isEmpty, !order.standsAlone { fail("the first frame may depend on another") }
            if order.standsAlone || references.isEmpty { references.append(nil) }
            encoding.append((frame, ticket, references.count - 1))
        case .send(let outgoing, let number, let waits):
            guard wire?.number == number else { return fail("sends over \(number), which is gone") }
            if wire?.sending != nil { fail("sends twice at once") }
            if session.connection?.turn == .free { fail("sends and nobody has the turn") }
            if !waits, case .frame(let frame, _) = outgoing, frame.dependsOnPrevious,
                session.frames.references.state == .broken
            {
                fail("sends \(frame.number), whose reference did not decode")
            }
            wire?.sending = (outgoing, waits)
        case .wakeSource: sourceWaitsSince = nil
        case .close(.saying(_, let number, _)):
            outcome.seen.insert("goodbye")
            guard wire?.number == number else { return fail("says goodbye over \(number), which is gone") }
            if wire?.isFinishing == true { fail("says goodbye twice") }
            wire?.isFinishing = true
        case .close(.answering(_, let number, _)), .close(.abruptly(let number)):
            if wire?.number == number { wire = nil }
        case .report(let report):
            outcome.seen.insert(report.name)
        }
    }
}

extension SessionReport {
    /// The name of the case, without its payload.
    var name: String {
        switch self {
        case .connected: "connected"
        case .disconnected: "disconnected"
        case .acknowledged: "acknowledged"
        case .requested: "requested"
        case .refused: "refused"
        case .stalled: "stalled"
        case .chose: "chose"
        case .ended: "ended"
        }
    }
}
