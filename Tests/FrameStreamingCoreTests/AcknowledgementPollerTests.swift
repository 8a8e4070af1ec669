import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// Many receivers of one sender, whose acknowledgements one thread reads.
@Suite(.ownThread(atOnce: 4)) struct AcknowledgementPollerTests {
    private static func sender(
        _ transports: [any Transport], policy: DeliveryPolicy = .reliable, window: Int = 4,
        onEvent: (@Sendable (SenderEvent) -> Void)? = nil
    ) throws -> FrameSender {
        var options = SenderOptions(policy: policy, window: .fixed(window))
        options.onEvent = onEvent
        return try FrameSender(codec: IdentityCodec(), transports: transports, options: options)
    }

    private static func jpegs(_ count: Int) throws -> [Frame] {
        let format = try FrameFormat(width: 16, height: 16, pixelFormat: .jpeg)
        return try (0..<count).map { try .filled(format, sequence: UInt64($0), byteCount: 100) { UInt8($0) } }
    }

    @Test(arguments: [1, 2, 70]) func allAreHeardTogether(count: Int) throws {
        let connections = try (0..<count).map { _ in try WatchedConnection() }
        let sender = try Self.sender(connections)
        var source = ScriptedSource(try FrameSenderTests.frames(50))
        let summary = try sender.run(&source)
        #expect(summary.receivers.count == count)
        for connection in summary.receivers {
            #expect(connection.statistics.acknowledged == 50)
            #expect(connection.end == .bye)
        }
        for connection in connections {
            let state = connection.state.withLock { $0 }
            #expect(state.sent == Array(1...50))
            #expect(state.sentAtReceive == 50, "nobody sits in receive before the goodbye")
            #expect(state.listened > 0)
        }
    }

    /// The poller does not know the connection yet when the first frame is sent.
    @Test func aFirstFrameThatFindsNoRoomIsSentLater() throws {
        for calls in 1...3 {
            let connection = try WatchedConnection()
            connection.fill(for: calls)
            let frames = try Self.jpegs(10)
            let running = try Background("a sender whose first frame finds no room") {
                let sender = try FrameSender(
                    codec: IdentityCodec(), provider: SingleProvider(connection),
                    options: SenderOptions(policy: .reliable, window: .fixed(4)))
                var source = ScriptedSource(frames)
                return try sender.run(&source).total.acknowledged
            }
            #expect(try running.value() == 10)
            #expect(connection.state.withLock { $0.sent } == Array(1...10))
        }
    }

    private struct SingleProvider: TransportProvider {
        let address = "test"
        let waitsForPeers = false
        private let connection: WatchedConnection

        init(_ connection: WatchedConnection) { self.connection = connection }

        func nextTransport(until deadline: Deadline) throws(FrameStreamingError) -> any Transport { connection }
        func cancel() {}
    }

    @Test func onesEndIsNotTheOthers() throws {
        let lost = FrameStreamingError(.connectionLost, "the test cut it")
        let broken = try WatchedConnection { $0 < 10 ? WatchedConnection.acknowledgement($0) : nil }
        let whole = try (0..<3).map { _ in try WatchedConnection() }
        let sender = try Self.sender([whole[0], broken] + whole[1...])
        let breaking = try Background("the receiver that breaks") {
            // The last acknowledgement and the end arrive together: the acknowledgement counts.
            guard broken.await({ $0.sent.contains(10) }) else { return }
            broken.say([WatchedConnection.acknowledgement(10)], end: .some(lost))
        }
        var source = ScriptedSource(try FrameSenderTests.frames(100))
        let connections = try sender.run(&source).receivers
        try breaking.value()
        #expect(connections.map(\.statistics.acknowledged) == [100, 10, 100, 100])
        #expect(connections[1].failure == lost)
        #expect(connections[0].failure == nil && connections[3].failure == nil)
    }

    @Test func aReceiverThatLeavesIsAnswered() throws {
        let leaving = try WatchedConnection()
        let staying = try WatchedConnection()
        let sender = try Self.sender([leaving, staying])
        leaving.say([], end: .some(nil))
        var source = ScriptedSource(try FrameSenderTests.frames(20))
        let connections = try sender.run(&source).receivers
        #expect(leaving.state.withLock { $0.hasFinished })
        #expect(connections[0].failure == nil)
        #expect(connections[1].statistics.acknowledged == 20)
    }

    @Test func whatViolatesTheProtocolEndsOne() throws {
        let wrong = try WatchedConnection { _ in WatchedConnection.acknowledgement(7) }
        let right = try WatchedConnection()
        let sender = try Self.sender([wrong, right])
        var source = ScriptedSource(try FrameSenderTests.frames(20))
        let connections = try sender.run(&source).receivers
        #expect(connections[0].failure?.code == .protocolViolation)
        #expect(wrong.state.withLock { $0.isClosed })
        #expect(connections[1].statistics.acknowledged == 20)
    }

    @Test func whatCameWithTheHandshakeIsHeard() throws {
        let requests = Monitor<[ReceiverRequest]>([])
        let connection = try WatchedConnection()
        connection.say([.request(.pause)], silently: true)
        let sender = try Self.sender([connection]) { event in
            if case .requested(_, let request) = event { requests.update { $0.append(request) } }
        }
        let heard: Bool? = requests.wait(until: Deadline.after(.seconds(30)).nanoseconds) {
            $0 == [.pause] ? true : nil
        }
        #expect(heard == true)
        sender.cancel()
    }

    @Test func aConnectionIsCalledAtItsTimeWithoutInput() throws {
        let connections = try (0..<3).map { _ in try WatchedConnection() }
        for (index, connection) in connections.enumerated() {
            connection.state.withLock { state in
                state.needs = (0..<5).map { step in
                    WatchedNeeds(
                        lookBy: MonotonicTime.now.advanced(by: .milliseconds((step + 1) * (index + 1))),
                        wantsOutput: false)
                }
            }
        }
        let sender = try Self.sender(connections)
        for connection in connections { #expect(connection.await { $0.listened >= 6 }) }
        sender.cancel()
    }

    @Test func aConnectionWithSomethingToWriteIsCalledWhenThereIsRoom() throws {
        let connection = try WatchedConnection()
        connection.state.withLock {
            $0.needs = [WatchedNeeds](repeating: WatchedNeeds(lookBy: nil, wantsOutput: true), count: 4)
        }
        let sender = try Self.sender([connection])
        #expect(connection.await { $0.listened >= 5 })
        sender.cancel()
    }

    @Test func placesAreUsedAgain() throws {
        var options = SenderOptions(policy: .reliable, window: .fixed(2))
        options.waitsForReceivers = true
        let sender = try FrameSender(codec: IdentityCodec(), options: options)
        let staying = try WatchedConnection()
        for round in 0..<6 {
            // From the third round on one connection stays, so that the thread
            // does not end between two rounds.
            if round == 3 { try sender.add(staying) }
            let connection = try WatchedConnection()
            try sender.add(connection)
            connection.say([], end: .some(nil))
            #expect(connection.await { $0.isClosed })
        }
        staying.say([.request(.quality(50))])
        #expect(staying.await { $0.arrived.isEmpty })
        sender.cancel()
        #expect(staying.await { $0.isClosed })
    }

    @Test func whatComesDuringTheGoodbyeCounts() throws {
        let connection = try WatchedConnection { $0 < 3 ? WatchedConnection.acknowledgement($0) : nil }
        connection.state.withLock { $0.mayFinish = false }
        var options = SenderOptions(policy: .reliable, window: .fixed(4))
        // Two thirds of it are for frames in flight, the rest is for the goodbye.
        options.stopTimeout = .seconds(3)
        options.finishTimeout = .seconds(30)
        let sender = try FrameSender(codec: IdentityCodec(), transport: connection, options: options)
        let ending = try Background("the receiver that is slow to leave") {
            guard connection.await({ $0.sent.contains(3) }) else { return }
            sender.stop()
            guard connection.await({ $0.hasFinished }) else { return }
            connection.say([WatchedConnection.acknowledgement(3)])
            guard connection.await({ $0.arrived.isEmpty }) else { return }
            connection.state.update { $0.mayFinish = true }
        }
        var source = ScriptedSource(try FrameSenderTests.frames(3))
        let summary = try sender.run(&source)
        try ending.value()
        #expect(summary.total.acknowledged == 3)
        #expect(connection.state.withLock { $0.listened } > 0)
    }

    @Test func oneThatCannotBeWatchedHasAThread() throws {
        let connections = try [true, false, true].map { try WatchedConnection(isWatched: $0) }
        let sender = try Self.sender(connections)
        var source = ScriptedSource(try FrameSenderTests.frames(30))
        let summary = try sender.run(&source)
        #expect(summary.receivers.map(\.statistics.acknowledged) == [30, 30, 30])
        let sent = connections.map { $0.state.withLock { $0.sentAtReceive ?? 0 } }
        #expect(sent[0] == 30 && sent[2] == 30)
        #expect(sent[1] <= 4, "the window's first frames were acknowledged there")
        #expect(connections[1].state.withLock { $0.listened } == 0)
    }

    /// The receivers get the frame one after another. The first one answers at once, and its answer
    /// is not read before the last one has the frame.
    @Test(arguments: [true, false]) func answersAreGatheredWhileAPictureGoesOut(isCompressed: Bool) throws {
        let first = try WatchedConnection()
        let before = Monitor<Int?>(nil)
        let wasHeard = Monitor(false)
        let last = try WatchedConnection { sequence in
            if sequence == 3 {
                let listened = first.state.withLock { $0.listened }
                before.update { $0 = listened }
                let heard: Bool? = first.state.wait(until: Deadline.after(.milliseconds(100)).nanoseconds) {
                    $0.listened > listened ? true : nil
                }
                wasHeard.update { $0 = heard == true }
            }
            return WatchedConnection.acknowledgement(sequence)
        }
        let sender = try Self.sender([first, last], policy: .latest)
        // Each was polled once, at the start.
        for connection in [first, last] { #expect(connection.await { $0.listened == 1 }) }
        // The first frame does not count: the links' own threads
        // may be starting, and would send it.
        var source = OneByOne(
            frames: isCompressed ? try Self.jpegs(3) : try FrameSenderTests.frames(3), connections: [first, last])
        let summary = try sender.run(&source)
        #expect(before.withLock { $0 } == source.listened)
        #expect(!wasHeard.withLock { $0 })
        #expect(summary.receivers.map(\.statistics.acknowledged) == [3, 3])
    }
}

/// Gives each picture when all have had the one before, and their answers were heard.
private struct OneByOne: FrameSource {
    let frames: [Frame]
    let connections: [WatchedConnection]
    var given = 0
    /// How often the first connection was read when the last picture was given.
    var listened = 0
    var isLive: Bool { true }

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        for connection in connections {
            guard connection.await({ [given] in $0.sent.count == given && $0.listened > given && $0.arrived.isEmpty })
            else { return nil }
        }
        guard given < frames.count else { return nil }
        listened = connections[0].state.withLock { $0.listened }
        defer { given += 1 }
        return .frame(frames[given])
    }
}
