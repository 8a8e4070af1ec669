@testable import FrameStreamingCore
import Testing

/// One receiver's session, event by event. `Simulation` feeds it millions of events in any order.
@Suite struct ReceiverSessionTests {
    typealias Session = ReceiverSession<NumberedFrame>
    typealias Action = SessionAction<NumberedFrame>

    static let first = ConnectionNumber(value: 1)
    static let second = ConnectionNumber(value: 2)

    /// How a connection was closed.
    enum Close: Hashable {
        case goodbye(Goodbye)
        case answer
        case abrupt(UInt64)
    }

    /// A session with a clock, and what a driver would keep.
    struct Driver {
        var session: Session
        var time: Int64 = 0
        var offered = 0
        /// Frames that were handed to the connection: number and sequence.
        var sent: [(number: Int, info: FrameInfo)] = []
        var encoding: [(number: Int, ticket: UInt64)] = []
        var reports: [String] = []
        var ackTimes: [Int64] = []
        var closes: [Close] = []
        var wakeUps = 0
        var waiting: Outgoing<NumberedFrame>?
        /// What was handed to the connection and is not answered yet.
        var pending: (outgoing: Outgoing<NumberedFrame>, connection: ConnectionNumber)?
        /// Whether the connection takes everything at once.
        var takesAll = true

        init(
            _ policy: DeliveryPolicy = .latest, window: SendWindow = 2, connecting: SessionConnecting = .byThisSide,
            _ change: (inout SenderOptions) -> Void = { _ in }
        ) throws {
            var options = SenderOptions(policy: policy, window: window)
            change(&options)
            session = try Session(options, connecting: connecting, at: MonotonicTime(nanoseconds: 0))
        }

        mutating func tell(_ event: SessionEvent<NumberedFrame>) {
            for action in session.actions(after: event, at: MonotonicTime(nanoseconds: time)) { perform(action) }
        }

        private mutating func perform(_ action: Action) {
            switch action {
            case .encode(let frame, let ticket, _): encoding.append((frame.number, ticket))
            case .send(let outgoing, let connection, let waits):
                if waits {
                    waiting = outgoing
                } else if takesAll {
                    note(outgoing)
                    tell(.sent(connection))
                } else {
                    pending = (outgoing, connection)
                }
            case .wakeSource: wakeUps += 1
            case .close(.saying(let goodbye, _, _)): closes.append(.goodbye(goodbye))
            case .close(.answering): closes.append(.answer)
            case .close(.abruptly(let number)): closes.append(.abrupt(number.value))
            case .report(let report):
                if case .acknowledged(_, let time) = report { ackTimes.append(time) }
                reports.append(report.name)
            }
        }

        private mutating func note(_ outgoing: Outgoing<NumberedFrame>) {
            if case .frame(let frame, let info) = outgoing { sent.append((frame.number, info)) }
        }

        /// The connection answers what it was given.
        mutating func answer(blocked: Bool) {
            guard let (outgoing, connection) = pending else { return }
            pending = nil
            if blocked { return tell(.blocked(connection, outgoing)) }
            note(outgoing)
            tell(.sent(connection))
        }

        /// The connection refuses what it was given.
        mutating func refuse(_ code: FrameStreamingError.Code) {
            guard let (outgoing, connection) = pending else { return }
            pending = nil
            tell(.refused(connection, outgoing, FrameStreamingError(code, "too large")))
        }

        mutating func connect(
            _ number: ConnectionNumber = first, credit: UInt64 = 16, session: UInt64 = 0, resumedFrom: UInt64 = 0
        ) {
            var peer = Peer(address: "test", handshake: .memory, initialCredit: credit, creditAhead: credit)
            peer.session = session
            peer.resumedFrom = resumedFrom
            tell(.connected(number, peer))
        }

        /// Offers a frame, which needs encoding only if `isRaw`.
        mutating func offer(isRaw: Bool = false) {
            offered += 1
            tell(
                .offered(
                    NumberedFrame(
                        number: offered, offered: MonotonicTime(nanoseconds: time), bytes: isRaw ? nil : 10)))
        }

        mutating func encoded(_ index: Int = 0, error: FrameStreamingError.Code? = nil) {
            let ticket = encoding.remove(at: index).ticket
            if let error { return tell(.encoded(ticket: ticket, .failure(FrameStreamingError(error, "no")))) }
            tell(.encoded(ticket: ticket, .success(bytes: 10, nanoseconds: 5_000_000, settings: EncodeSettings())))
        }

        mutating func acknowledge(_ sequence: UInt64, credit: UInt64 = 100, _ connection: ConnectionNumber = first) {
            tell(
                .acknowledged(
                    connection, Acknowledgement(sequence: sequence, creditThrough: credit), roundTrip: nil, clock: nil))
        }

        mutating func breakOff(
            _ code: FrameStreamingError.Code = .connectionLost, _ connection: ConnectionNumber = first
        ) {
            tell(.disconnected(connection, .broken(FrameStreamingError(code, "cut"))))
        }

        mutating func finish(isStopped: Bool = false) {
            tell(
                .finish(
                    SourceEnd(goodbye: "the end", stopped: isStopped ? MonotonicTime(nanoseconds: time) : nil),
                    deliveredBytes: nil))
        }

        var numbers: [Int] { sent.map(\.number) }
        var counts: SenderStatistics { session.frames.counts }
    }

    // MARK: Connecting and streaming

    @Test func withoutAConnectionTheNewestFrameWaits() throws {
        var driver = try Driver()
        for _ in 0..<3 { driver.offer() }
        #expect(driver.sent.isEmpty && driver.session.needsConnection)
        #expect(driver.counts.dropped.replaced == 2)
        driver.connect()
        #expect(driver.numbers == [3])
        #expect(driver.sent[0].info.sequence == 1 && driver.sent[0].info.skipped == 2)
    }

    @Test func theWindowAndTheCreditHold() throws {
        var driver = try Driver(window: 2)
        driver.connect(credit: 1)
        for _ in 0..<4 { driver.offer() }
        #expect(driver.numbers == [1])
        driver.acknowledge(1, credit: 16)
        #expect(driver.numbers == [1, 4])
        driver.offer()
        driver.offer()
        #expect(driver.numbers == [1, 4, 5])
        #expect(driver.session.frames.inFlight.count == 2)
    }

    @Test func aFrameIsEncodedWithCreditAndSentWhenItIsReady() throws {
        var driver = try Driver(window: 1)
        driver.connect()
        driver.offer(isRaw: true)
        driver.offer(isRaw: true)
        #expect(driver.encoding.map(\.number) == [1] && driver.sent.isEmpty)
        driver.encoded()
        #expect(driver.numbers == [1] && driver.encoding.isEmpty)
        driver.acknowledge(1)
        #expect(driver.encoding.map(\.number) == [2])
    }

    @Test func framesAreSentInOrderWhateverTheEncodersDo() throws {
        var driver = try Driver(window: 8) { $0.encoders = 3 }
        driver.connect()
        for _ in 0..<3 { driver.offer(isRaw: true) }
        driver.encoded(2)
        driver.encoded(1)
        #expect(driver.sent.isEmpty)
        driver.encoded()
        #expect(driver.numbers == [1, 2, 3])
    }

    @Test func aFrameThatCannotBeEncodedIsSkippedAndCounted() throws {
        var driver = try Driver(window: 8) { $0.encoders = 2 }
        driver.connect()
        driver.offer(isRaw: true)
        driver.offer(isRaw: true)
        driver.encoded(error: .corruptImage)
        driver.encoded()
        #expect(driver.numbers == [2] && driver.sent[0].info.skipped == 1)
        #expect(driver.counts.failed == 1)
    }

    @Test func aCodecThatTakesNoSuchFramesEndsTheSessionWithAGoodbye() throws {
        var driver = try Driver()
        driver.connect()
        driver.offer(isRaw: true)
        driver.encoded(error: .unsupported)
        #expect(driver.closes == [.goodbye(.failed("the encoder failed: no"))])
        #expect(
            driver.session.phase.streamEnd == .error && !driver.session.phase.isOpen && !driver.session.phase.hasEnded)
        driver.tell(.saidGoodbye(Self.first, nil))
        #expect(driver.session.phase.hasEnded && driver.session.failure?.code == .unsupported)
    }

    @Test func aPausedReceiverGetsTheNewestFrameAfterwards() throws {
        var driver = try Driver()
        driver.connect()
        driver.tell(.requested(Self.first, .pause))
        driver.offer()
        driver.offer()
        #expect(driver.sent.isEmpty && !driver.session.wouldTake)
        driver.tell(.requested(Self.first, .resume))
        #expect(driver.numbers == [2] && driver.session.wouldTake)
    }

    @Test func noticesAboutTheSourceAreSentBeforeTheNextFrame() throws {
        var driver = try Driver()
        driver.takesAll = false
        driver.connect()
        driver.offer()
        driver.tell(.noticed(.lost("unplugged")))
        driver.offer()
        driver.answer(blocked: false)
        guard case .notice(.lost)? = driver.pending?.outgoing else {
            Issue.record("the frame goes first")
            return
        }
        driver.answer(blocked: false)
        driver.answer(blocked: false)
        #expect(driver.numbers == [1, 2])
        // The next connection gets the notice as well.
        driver.breakOff()
        driver.connect(Self.second)
        if case .notice(.lost("unplugged"))? = driver.pending?.outgoing {} else { Issue.record("no notice is pending") }
    }

    @Test func aSourceThatFlapsWhileTheReceiverTakesNothingFillsNoMemory() throws {
        var driver = try Driver()
        driver.takesAll = false
        driver.connect()
        driver.offer()
        for _ in 0..<10_000 {
            driver.tell(.noticed(.lost("unplugged")))
            driver.tell(.noticed(.restored))
        }
        #expect(driver.session.connection?.notices.count ?? 0 <= 16)
        #expect(driver.session.connection?.notices.last == .restored)
    }

    // MARK: Which thread sends

    @Test func whatTheConnectionDoesNotTakeAtOnceIsWaitedForElsewhere() throws {
        var driver = try Driver(window: 4)
        driver.takesAll = false
        driver.connect()
        driver.offer()
        driver.offer()
        #expect(driver.session.connection?.turn == .trying)
        driver.answer(blocked: true)
        #expect(driver.waiting != nil && driver.session.connection?.turn == .waiting)
        // No other thread sends meanwhile.
        driver.offer()
        driver.acknowledge(1)
        #expect(driver.pending == nil)
        driver.tell(.sent(Self.first))
        #expect(driver.pending != nil)
    }

    // MARK: Reliable

    @Test func underReliableTheSourceWaitsForRoomAndIsWoken() throws {
        var driver = try Driver(.reliable, window: 1)
        driver.connect()
        driver.offer()
        driver.offer()
        #expect(driver.session.hasRoom)
        driver.offer()
        #expect(!driver.session.hasRoom && driver.wakeUps == 0)
        driver.acknowledge(1)
        #expect(driver.session.hasRoom && driver.wakeUps == 1)
    }

    @Test func underReliableTheUnacknowledgedIsSentAgainFirst() throws {
        var driver = try Driver(.reliable, window: 3) { $0.encoders = 2 }
        driver.connect(session: 5)
        for _ in 0..<3 { driver.offer() }
        driver.acknowledge(1)
        driver.offer()
        driver.offer(isRaw: true)
        driver.breakOff()
        #expect(driver.session.frames.queue.unacknowledged == 3 && driver.counts.lost == 0)
        driver.encoded()
        driver.sent = []
        // The second had been consumed: its acknowledgement was lost.
        driver.connect(Self.second, session: 5, resumedFrom: 2)
        #expect(driver.counts.acknowledged == 2 && driver.counts.resent == 2)
        #expect(driver.numbers == [3, 4, 5])
        #expect(driver.sent.map(\.info.sequence) == [1, 2, 3])
    }

    @Test(arguments: [0, 1, 7, .max, .max - 1] as [UInt64])
    func whatTheReceiverSaysItConsumedIsBoundByWhatWasSent(claim: UInt64) throws {
        var driver = try Driver(.reliable, window: 3)
        driver.connect(session: 5, resumedFrom: claim)
        for _ in 0..<3 { driver.offer() }
        driver.breakOff()
        driver.connect(Self.second, session: 5, resumedFrom: claim)
        driver.acknowledge(1, Self.second)
        driver.breakOff(.connectionLost, Self.second)
        driver.connect(ConnectionNumber(value: 3), session: 5, resumedFrom: .max)
        #expect(driver.counts.acknowledged <= 3)
    }

    @Test func underLatestNothingIsReplayed() throws {
        var driver = try Driver(window: 3)
        driver.connect()
        driver.offer()
        driver.offer()
        driver.offer(isRaw: true)
        driver.breakOff()
        #expect(driver.counts.lost == 2 && driver.counts.dropped.disconnected == 1)
        driver.encoded()
        driver.sent = []
        driver.offer()
        driver.connect(Self.second)
        #expect(driver.numbers == [4] && driver.sent[0].info.skipped == 1)
    }

    @Test func whatAnOldConnectionSaysChangesNothing() throws {
        var driver = try Driver(window: 1)
        driver.connect()
        driver.offer()
        driver.breakOff()
        driver.connect(Self.second)
        driver.offer()
        driver.acknowledge(1)
        driver.breakOff()
        driver.tell(.requested(Self.first, .pause))
        #expect(driver.session.frames.inFlight.count == 1 && driver.counts.acknowledged == 0)
        driver.acknowledge(1, Self.second)
        #expect(driver.counts.acknowledged == 1)
    }

    @Test(arguments: [
        Acknowledgement(sequence: 2, creditThrough: 20), Acknowledgement(sequence: 0, creditThrough: 20),
        Acknowledgement(sequence: .max, creditThrough: 20), Acknowledgement(sequence: 1, creditThrough: 15),
    ])
    func anImpossibleAcknowledgementEndsTheSession(word: Acknowledgement) throws {
        var driver = try Driver()
        driver.connect()
        driver.offer()
        driver.tell(.acknowledged(Self.first, word, roundTrip: nil, clock: nil))
        #expect(driver.session.failure?.code == .protocolViolation)
        #expect(driver.closes == [.abrupt(1)] && driver.counts.lost == 1)
    }

    // MARK: The end

    @Test func afterTheSourcesEndEverythingArrivesAndThenComesTheGoodbye() throws {
        var driver = try Driver(window: 2)
        driver.connect()
        driver.offer()
        driver.offer()
        driver.offer()
        driver.finish()
        #expect(driver.session.phase.isDraining && driver.closes.isEmpty)
        driver.acknowledge(1)
        driver.acknowledge(2)
        #expect(driver.numbers == [1, 2, 3] && driver.closes.isEmpty)
        driver.acknowledge(3)
        #expect(driver.closes == [.goodbye("the end")])
        driver.tell(.saidGoodbye(Self.first, nil))
        #expect(driver.session.phase.streamEnd == .bye && driver.counts.acknowledged == 3)
    }

    @Test func aGoodbyeWithoutAnAnswerMattersWhereSomethingIsMissing() throws {
        for isMissing in [true, false] {
            var driver = try Driver { $0.stopTimeout = .seconds(1) }
            driver.connect()
            driver.offer()
            driver.finish(isStopped: true)
            driver.time = 1_000_000_000
            driver.tell(.tick(deliveredBytes: nil))
            #expect(driver.closes == [.goodbye("the end")])
            if !isMissing { driver.acknowledge(1) }
            driver.tell(.saidGoodbye(Self.first, FrameStreamingError(.timedOut, "no answer")))
            #expect(driver.session.phase.streamEnd == (isMissing ? .error : .cancelled))
            #expect(driver.counts.lost == (isMissing ? 1 : 0))
        }
    }

    @Test func stoppingALiveStreamWhileItsReceiverIsAwayLosesNothing() throws {
        for policy in [DeliveryPolicy.latest, .reliable] {
            var driver = try Driver(policy) { $0.stopTimeout = .milliseconds(100) }
            driver.connect()
            driver.breakOff()
            driver.offer()
            driver.finish(isStopped: true)
            driver.time = 100_000_000
            driver.tell(.tick(deliveredBytes: nil))
            #expect(driver.session.phase.streamEnd == (policy == .latest ? .cancelled : .error))
            #expect(driver.counts.dropped.disconnected == 1)
        }
    }

    @Test func theReceiversGoodbyeEndsUnlessItMayComeBack() throws {
        let ends: [(ConnectionEnd, DeliveryPolicy, Reconnection, goesOn: Bool, StreamEnd)] = [
            (.goodbye("enough"), .reliable, .afterBreak, false, .bye),
            (.goodbye("enough"), .latest, .always, true, .bye),
            (.goodbye(.stopped("")), .reliable, .afterBreak, true, .bye),
            (.goodbye(.stopped("")), .latest, .afterBreak, true, .bye),
            (.goodbye(.stopped("")), .reliable, .never, false, .bye),
            (.goodbye(.failed("disk full")), .reliable, .afterBreak, false, .error),
            (.goodbye(.failed("disk full")), .latest, .always, true, .bye),
            (.broken(FrameStreamingError(.connectionLost, "cut")), .reliable, .never, false, .error),
            (.broken(FrameStreamingError(.protocolViolation, "no")), .reliable, .always, false, .error),
        ]
        for (end, policy, reconnection, goesOn, expected) in ends {
            var driver = try Driver(policy) { $0.reconnection = reconnection }
            driver.connect()
            driver.offer()
            driver.tell(.disconnected(Self.first, end))
            #expect(driver.session.phase.isOpen == goesOn, "\(end)")
            #expect(driver.session.needsConnection == goesOn)
            if goesOn { continue }
            #expect(driver.session.phase.streamEnd == expected, "\(end)")
            driver.tell(.saidGoodbye(Self.first, nil))
            #expect(driver.session.phase.hasEnded && driver.counts.lost == 1)
        }
    }

    /// It could be recognised, but it is not waited for, because it announced that it leaves.
    @Test(arguments: [true, false]) func aReceiverThatConnectsByItselfAndSaidGoodbyeIsNotWaitedFor(
        isIncoming: Bool
    ) throws {
        for goodbye in [Goodbye.complete("enough"), .stopped("restarted"), .failed("disk full")] {
            for isDraining in [true, false] {
                var driver = try Driver(.reliable, connecting: .byReceiver(isIncoming: isIncoming)) {
                    $0.reconnection = .always
                }
                driver.connect(session: 3)
                driver.offer()
                if isDraining { driver.finish() }
                driver.tell(.disconnected(Self.first, .goodbye(goodbye)))
                #expect(!driver.session.phase.isOpen && !driver.session.needsConnection, "\(goodbye)")
                driver.tell(.saidGoodbye(Self.first, nil))
                #expect(driver.session.phase.streamEnd == (goodbye.code == .failed ? .error : .bye))
                #expect(driver.counts.lost == 1)
            }
        }
    }

    @Test func aReceiverThatConnectsByItselfIsWaitedForAsLongAsTheOptionsSay() throws {
        var driver = try Driver(.reliable, connecting: .byReceiver(isIncoming: true))
        driver.connect(session: 3)
        driver.offer()
        driver.time = 1_000_000_000
        driver.breakOff()
        #expect(driver.session.wakeAt == MonotonicTime(nanoseconds: 6_000_000_000))
        driver.time = 6_000_000_000
        driver.tell(.tick(deliveredBytes: nil))
        #expect(driver.session.phase.streamEnd == .error && driver.session.failure?.code == .connectionLost)
        // Without a session it could not be recognised.
        var other = try Driver(.reliable, connecting: .byReceiver(isIncoming: true))
        other.connect()
        other.breakOff()
        #expect(other.session.phase.hasEnded)
    }

    @Test(arguments: [true, false])
    func aReceiverThatMakesNoProgressIsGivenUp(isDraining: Bool) throws {
        var driver = try Driver(.reliable, window: 1) {
            $0.stallTimeout = .seconds(10)
            $0.drainTimeout = .seconds(10)
        }
        driver.connect()
        for _ in 0..<3 { driver.offer() }
        if isDraining { driver.finish() }
        let start = MonotonicTime(nanoseconds: 0)
        func look(_ driver: inout Driver, at seconds: Int64) {
            driver.time = seconds * 1_000_000_000
            driver.tell(isDraining ? .tick(deliveredBytes: 7) : .sourceWaits(since: start, deliveredBytes: 7))
        }
        look(&driver, at: 0)
        for second in 1...9 as ClosedRange<Int64> { look(&driver, at: second) }
        #expect(driver.reports.count { $0 == "stalled" } >= 1)
        driver.acknowledge(1)
        if !isDraining { driver.offer() }
        for second in 10...18 as ClosedRange<Int64> { look(&driver, at: second) }
        #expect(driver.session.phase.isOpen)
        look(&driver, at: 20)
        #expect(driver.session.phase.streamEnd == .error && driver.session.failure?.code == .timedOut)
        guard case .goodbye? = driver.closes.last else {
            Issue.record("no goodbye")
            return
        }
        driver.tell(.saidGoodbye(Self.first, nil))
        #expect(driver.counts.acknowledged == 1 && driver.counts.lost == 1)
    }

    @Test func aCancelEndsAtOnceAndSaysNothing() throws {
        var driver = try Driver()
        driver.connect()
        driver.offer()
        driver.tell(.cancel)
        #expect(driver.session.phase.streamEnd == .cancelled && driver.closes == [.abrupt(1)])
        #expect(driver.counts.lost == 1 && driver.wakeUps == 1)
        driver.offer()
        #expect(driver.counts.dropped.disconnected == 1)
        // A connection that was being made meanwhile is not used.
        driver.connect(Self.second)
        #expect(driver.closes.last == .abrupt(2))
    }
}
