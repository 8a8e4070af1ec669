@testable import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// Sources that turn out to be live with their first frame.
@Suite(.ownThread(atOnce: 4)) struct LiveSourceTests {
    /// Gives numbered frames, and says with the first that it is live.
    private struct LateLive: FrameSource {
        private(set) var isLive = false
        let count: Int
        /// How many frames were taken.
        let taken: Monitor<Int>
        /// How many frames may be taken.
        let permitted: Monitor<Int>

        init(_ count: Int, permitted: Int? = nil) {
            self.count = count
            taken = Monitor(0)
            self.permitted = Monitor(permitted ?? count)
        }

        mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
            let number = taken.withLock { $0 }
            guard number < count else { return nil }
            let mayGo: Bool? = permitted.wait(until: deadline.nanoseconds) { number < $0 ? true : nil }
            guard mayGo == true else { throw .timedOut("a frame") }
            isLive = true
            let format = try FrameFormat(width: 17, height: 13, pixelFormat: .i420)
            let frame = try Frame.filled(format, sequence: UInt64(number)) { UInt8(truncatingIfNeeded: $0 &+ number) }
            taken.update { $0 += 1 }
            return .frame(frame)
        }
    }

    /// What a sender did whose receiver took nothing before the source had given everything.
    private func run(
        _ source: LateLive, _ change: (inout SenderOptions) -> Void = { _ in }
    ) throws -> (received: [UInt64], sender: FrameSender) {
        let link = MemoryTransport.pair(creditAhead: 2)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        var options = SenderOptions(for: source)
        #expect(options.policy == .reliable && options.reconnection == .afterBreak)
        change(&options)
        let sender = try FrameSender(codec: IdentityCodec(), transport: link.sender, options: options)
        let sending = try Background("the sender") {
            var source = source
            try sender.run(&source)
        }
        try waitUntil("every frame is taken") { source.taken.withLock { $0 } == source.count }
        var numbers: [UInt64] = []
        while let received = try receiver.next() { numbers.append(received.frame.sequence) }
        try sending.value()
        let total = sender.summary.total
        #expect(total.produced == source.count)
        #expect(total.produced == total.acknowledged + total.dropped.total + total.failed + total.lost)
        return (numbers, sender)
    }

    @Test func theNewestFrameCountsFromTheFirstOn() throws {
        let (numbers, sender) = try run(LateLive(50))
        #expect(sender.policy == .latest)
        #expect(numbers.last == 49 && numbers == numbers.sorted())
        #expect(numbers.count + sender.summary.total.dropped.replaced == 50)
        #expect(sender.summary.total.dropped.replaced > 30, "\(numbers)")
    }

    @Test func whatWasSetByHandStays() throws {
        let (_, sender) = try run(LateLive(50)) { $0.window = 3 }
        #expect(sender.policy == .latest && sender.summary.receivers[0].window == 3)
        // Under reliable only as many frames are taken as find room.
        let (numbers, reliable) = try run(LateLive(3)) { $0.policy = .reliable }
        #expect(reliable.policy == .reliable && numbers == [0, 1, 2])
    }

    @Test func aReceiverThatIsAddedLaterGetsTheNewestToo() throws {
        let source = LateLive(50, permitted: 1)
        let links = [MemoryTransport.pair(creditAhead: 2), MemoryTransport.pair(creditAhead: 2)]
        let receivers = try links.map { try FrameReceiver(codec: IdentityCodec(), transport: $0.receiver) }
        let sender = try FrameSender(
            codec: IdentityCodec(), transport: links[0].sender, options: SenderOptions(for: source))
        let sending = try Background("the sender") {
            var source = source
            try sender.run(&source)
        }
        try waitUntil("the source is known to be live") { sender.policy == .latest }
        try sender.add(links[1].sender)
        source.permitted.update { $0 = 50 }
        try waitUntil("every frame is taken") { source.taken.withLock { $0 } == 50 }
        for receiver in receivers {
            var last: UInt64?
            while let received = try receiver.next() { last = received.frame.sequence }
            #expect(last == 49)
        }
        try sending.value()
    }

    @Test func optionsFollowOnlyASourceThatTheyWereMadeFor() {
        let other = SenderOptions(policy: .reliable)
        #expect(other.forLiveSource == nil)
        let live = SenderOptions(for: ScriptedSource([], isLive: true))
        #expect(live.forLiveSource == nil && live.policy == .latest && live.reconnection == .always)
        var options = SenderOptions(for: ScriptedSource([]))
        let all = options.forLiveSource
        #expect(all?.policy == .latest && all?.window == .adaptive && all?.reconnection == .always)
        #expect(all?.forLiveSource == nil)
        options.policy = .deadline(age: .seconds(1))
        options.reconnection = .never
        let rest = options.forLiveSource
        #expect(rest?.policy == options.policy && rest?.window == 4 && rest?.reconnection == .never)
        options.window = 2
        #expect(options.forLiveSource == nil)
    }

    /// A session changes before its first frame, with a connection and without.
    @Test(arguments: [false, true]) func theSessionChanges(isConnected: Bool) throws {
        var driver = try ReceiverSessionTests.Driver(.reliable, window: 4)
        driver.session = try ReceiverSession(
            SenderOptions(for: ScriptedSource([])), connecting: .byThisSide, at: MonotonicTime(nanoseconds: 0))
        if isConnected { driver.connect(credit: 1) }
        driver.tell(.sourceIsLive)
        if !isConnected { driver.connect(credit: 1) }
        for _ in 0..<10 { driver.offer() }
        #expect(driver.numbers == [1] && driver.counts.dropped.replaced == 8)
        driver.acknowledge(1)
        #expect(driver.numbers == [1, 10])
        driver.breakOff()
        #expect(driver.counts.lost == 1)
    }

    // MARK: Hold-ups

    @Test func aSourceIsHeldUpWhileItWaitsMoreThanItIsWaitedFor() {
        var slowLink = SourceHoldUp()
        var reports: [Duration] = []
        for _ in 0..<300 {
            slowLink.waitedForSource(.milliseconds(1))
            if let time = slowLink.sourceWaited(.milliseconds(16)) { reports.append(time) }
        }
        #expect(reports == [.milliseconds(67 * 16 - 66)])
        // One frame in ten is late, and the link catches up.
        var jitter = SourceHoldUp()
        for index in 0..<10_000 {
            jitter.waitedForSource(.milliseconds(15))
            #expect(jitter.sourceWaited(index % 10 == 0 ? .milliseconds(90) : .milliseconds(1)) == nil)
        }
    }

    @Test func aSlowReceiverIsReportedOnceAndNothingIsDropped() throws {
        let link = MemoryTransport.pair(creditAhead: 1)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
        let reports = Monitor(0)
        var options = SenderOptions(policy: .reliable, window: 1)
        options.onEvent = { event in
            if case .sourceHeldUp(let time) = event {
                #expect(time >= .seconds(1))
                reports.update { $0 += 1 }
            }
        }
        let sender = try FrameSender(codec: IdentityCodec(), transport: link.sender, options: options)
        let frames = try FrameSenderTests.frames(20)
        let sending = try Background("the sender") {
            var source = ScriptedSource(frames)
            try sender.run(&source)
        }
        try waitUntil("the report") { reports.withLock { $0 } == 1 }
        var count = 0
        while try receiver.next() != nil { count += 1 }
        try sending.value()
        #expect(count == 20 && reports.withLock { $0 } == 1)
    }
}
