@testable import FrameStreamingCore
import Testing

/// The flow control's decisions, seen through a session that sends at once whatever it may.
@Suite struct FlowControlTests {
    typealias Driver = ReceiverSessionTests.Driver

    private static func driver(
        _ policy: DeliveryPolicy = .latest, window: SendWindow, encoders: Int = 1, credit: UInt64 = 16
    ) throws -> Driver {
        var driver = try Driver(policy, window: window) { $0.encoders = encoders }
        driver.connect(credit: credit)
        return driver
    }

    @Test func invalidOptionsAreRefused() {
        var options = SenderOptions(policy: .latest, window: 0)
        #expect(throws: FrameStreamingError.self) { try FlowControl(options) }
        options.window = 1
        options.encoders = 0
        #expect(throws: FrameStreamingError.self) { try FlowControl(options) }
        options.encoders = 1
        for range in [0...50, 50...101] {
            options.adaptiveQuality = AdaptiveQuality(range)
            #expect(throws: FrameStreamingError.self) { try FlowControl(options) }
        }
    }

    @Test func withoutCreditNothingIsTaken() throws {
        var driver = try Self.driver(window: 4, credit: 0)
        driver.offer(isRaw: true)
        #expect(driver.encoding.isEmpty)
        driver.breakOff()
        driver.connect(ReceiverSessionTests.second, credit: 1)
        #expect(driver.encoding.count == 1)
    }

    @Test func asManyAreEncodedAtOnceAsThereAreEncoders() throws {
        var driver = try Self.driver(window: 8, encoders: 3)
        for _ in 0..<5 { driver.offer(isRaw: true) }
        #expect(driver.encoding.count == 3)
        driver.encoded()
        #expect(driver.encoding.count == 3 && driver.numbers == [1])
    }

    @Test func encodersDoNotOutrunTheWindowOfLatest() throws {
        var driver = try Self.driver(window: 2, encoders: 4)
        for _ in 0..<4 { driver.offer(isRaw: true) }
        #expect(driver.encoding.count == 2)
        #expect(driver.counts.dropped.replaced == 1)
    }

    @Test func underReliableTheNextIsEncodedWhileCreditIsAwaited() throws {
        var driver = try Self.driver(.reliable, window: 1)
        driver.offer(isRaw: true)
        driver.encoded()
        driver.offer(isRaw: true)
        #expect(driver.encoding.count == 1 && driver.session.hasRoom)
        driver.offer(isRaw: true)
        #expect(driver.encoding.count == 1 && !driver.session.hasRoom)
        driver.encoded()
        #expect(driver.numbers == [1])
        driver.acknowledge(1)
        #expect(driver.numbers == [1, 2])
    }

    // MARK: deadline

    private static func at(_ driver: inout Driver, _ milliseconds: Int64) { driver.time = milliseconds * 1_000_000 }

    @Test func underDeadlineFramesWaitInOrderAndTheOldAreDropped() throws {
        var driver = try Self.driver(.deadline(age: .milliseconds(100)), window: 1)
        for moment in [0, 20, 40, 60, 80] as [Int64] {
            Self.at(&driver, moment)
            driver.offer()
        }
        #expect(driver.numbers == [1] && driver.counts.dropped.total == 0)
        // Credit arrives at 145 ms: the frames of 20 and 40 ms are older than
        // 100 ms, and that of 60 ms is sent.
        Self.at(&driver, 145)
        driver.acknowledge(1)
        #expect(driver.numbers == [1, 4] && driver.sent[1].info.skipped == 2)
        Self.at(&driver, 150)
        driver.acknowledge(2)
        #expect(driver.numbers == [1, 4, 5] && driver.sent[2].info.skipped == 0)
        #expect(driver.counts.dropped.deadline == 2)
    }

    @Test func underDeadlineNoMoreWaitThanMemoryAllows() throws {
        var driver = try Self.driver(.deadline(age: .seconds(3600)), window: 1, credit: 0)
        for _ in 0..<100 { driver.offer() }
        #expect(driver.counts.dropped.replaced == 36 && driver.session.frames.queue.count == 64)
    }

    // MARK: Ahead of credit

    /// Sends frames of which each is acknowledged after 80 ms and takes 5 ms to encode,
    /// and returns when the last was sent.
    private static func steady(_ driver: inout Driver, frames: UInt64) -> Int64 {
        var start: Int64 = 0
        driver.offer(isRaw: true)
        for number in 1...frames {
            at(&driver, start)
            driver.encoded()
            if number == frames { break }
            driver.offer(isRaw: true)
            // The frame may be taken ahead of the credit, at the latest with the acknowledgement.
            start += 80
            at(&driver, start)
            driver.acknowledge(number)
        }
        return start
    }

    @Test func aFrameIsEncodedJustBeforeTheCreditThatIsExpected() throws {
        var driver = try Self.driver(window: 1)
        let start = Self.steady(&driver, frames: 40)
        driver.offer(isRaw: true)
        let wakeAt = try #require(driver.session.wakeAt).nanoseconds
        #expect(wakeAt > (start + 70) * 1_000_000 && wakeAt <= (start + 76) * 1_000_000)
        Self.at(&driver, start + 60)
        driver.tell(.tick(deliveredBytes: nil))
        #expect(driver.encoding.isEmpty)
        driver.time = wakeAt
        driver.tell(.tick(deliveredBytes: nil))
        #expect(driver.encoding.count == 1)
        let sent = driver.sent.count
        driver.encoded()
        #expect(driver.sent.count == sent)
        // One frame is encoded ahead and no more, however late the acknowledgement is.
        driver.offer(isRaw: true)
        #expect(driver.encoding.isEmpty && driver.session.wakeAt == nil)
        Self.at(&driver, start + 80)
        driver.acknowledge(40)
        #expect(driver.sent.count == sent + 1)
    }

    @Test func nothingIsEncodedForAnAcknowledgementThatIsLate() throws {
        var driver = try Self.driver(window: 1)
        let start = Self.steady(&driver, frames: 20)
        Self.at(&driver, start + 90)
        driver.offer(isRaw: true)
        #expect(driver.encoding.isEmpty && driver.session.wakeAt == nil)
    }

    @Test func measuresFromSentToAcknowledged() throws {
        var driver = try Driver { $0.onAcknowledgement = { _, _ in } }
        driver.connect()
        driver.time = 100
        driver.offer()
        driver.time = 350
        driver.acknowledge(1)
        #expect(driver.ackTimes == [250])
    }
}
