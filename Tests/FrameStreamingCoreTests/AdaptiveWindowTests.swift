@testable import FrameStreamingCore
import Testing

/// The window alone, against links without noise. `Simulation` has it with sizes,
/// noise and the flow control around it.
@Suite struct AdaptiveWindowTests {
    /// Sends as fast as the window lets it over a link with this service time and round
    /// trip (ms), until the time is over.
    static func run(
        _ window: inout WindowAndFrames, from start: UInt64 = 1, at time: Int64 = 0, service: Int64, roundTrip: Int64,
        milliseconds: Int64
    ) -> (next: UInt64, largest: Int) {
        var acknowledgements: [(time: Int64, sequence: UInt64)] = []
        var next = start
        var now = time
        var free = time
        var largest = 1
        while now < time + milliseconds {
            while acknowledgements.count < window.frames {
                window.sent(next, bytes: 1_000, underWay: acknowledgements.count, at: Self.time(now))
                free = max(free, now) + service
                acknowledgements.append((free + roundTrip, next))
                next += 1
            }
            window.limited(at: Self.time(now))
            let first = acknowledgements.removeFirst()
            now = first.time
            window.acknowledged(
                Acknowledgement(sequence: first.sequence, creditThrough: first.sequence + 16), at: Self.time(now))
            largest = max(largest, window.frames)
        }
        for last in acknowledgements {
            window.acknowledged(
                Acknowledgement(sequence: last.sequence, creditThrough: last.sequence + 16), at: Self.time(last.time))
        }
        return (next, largest)
    }

    static func time(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    @Test func startsWithOneFrameAndKnowsNothing() {
        let window = WindowAndFrames()
        #expect(window.frames == 1)
        #expect(window.ackTime == nil)
    }

    @Test func staysAtOneWhereTheLinkIsBusyAnyway() {
        var window = WindowAndFrames()
        let largest = Self.run(&window, service: 80, roundTrip: 0, milliseconds: 3_000).largest
        #expect(window.frames == 1)
        #expect(largest == 2)
        #expect(window.ackTime == 80_000_000)
    }

    @Test(arguments: [(10, 90, 10), (40, 40, 2), (8, 40, 6)] as [(Int64, Int64, Int)])
    func growsToWhatFitsIntoTheRoundTrip(service: Int64, roundTrip: Int64, expected: Int) {
        var window = WindowAndFrames()
        _ = Self.run(&window, service: service, roundTrip: roundTrip, milliseconds: 20_000)
        #expect(abs(window.frames - expected) <= 2)
        #expect(window.frames > 1)
    }

    @Test func isBackAtOneWithTheFirstLateAcknowledgement() {
        var window = WindowAndFrames()
        let next = Self.run(&window, service: 8, roundTrip: 40, milliseconds: 10_000).next
        #expect(window.frames > 2)
        window.sent(next, bytes: 1_000, underWay: 0, at: Self.time(20_000))
        window.sent(next + 1, bytes: 1_000, underWay: 1, at: Self.time(20_000))
        window.acknowledged(Acknowledgement(sequence: next, creditThrough: next + 16), at: Self.time(20_400))
        #expect(window.frames == 1)
    }

    @Test func givesBackWhatIsNotUsed() {
        var window = WindowAndFrames()
        let next = Self.run(&window, service: 8, roundTrip: 40, milliseconds: 10_000).next
        let settled = window.frames
        #expect(settled > 2)
        // One frame now and then: for less than five seconds that is a pause, and after it the
        // larger window would only be a queue.
        for frame in 0..<8 {
            let time = 20_000 + Int64(frame) * 1_000
            window.sent(next + UInt64(frame), bytes: 1_000, underWay: 0, at: Self.time(time))
            let word = Acknowledgement(sequence: next + UInt64(frame), creditThrough: next + UInt64(frame) + 16)
            window.acknowledged(word, at: Self.time(time + 48))
            if frame == 0 { #expect(window.frames >= 2) }
        }
        #expect(window.frames == 1)
    }

    @Test func aNewConnectionStartsAnew() {
        var window = WindowAndFrames()
        _ = Self.run(&window, service: 8, roundTrip: 40, milliseconds: 5_000)
        #expect(window.frames > 1)
        window.reset()
        #expect(window.frames == 1)
        #expect(window.ackTime == nil)
    }
}

/// A window, and the frames in flight that a session would keep beside it.
struct WindowAndFrames {
    private var window = AdaptiveWindow(latencyTarget: .milliseconds(20))
    private var flights: [Flight] = []

    var frames: Int { window.frames }
    var ackTime: Int64? { window.ackTime }

    mutating func sent(_ sequence: UInt64, bytes: Int, underWay: Int, at now: MonotonicTime) {
        var flight = Flight(sequence: sequence, bytes: bytes, sent: now, ahead: underWay)
        window.sent(&flight, oldest: flights.first)
        flights.append(flight)
    }

    mutating func limited(at now: MonotonicTime) { window.limited(at: now) }

    mutating func acknowledged(_ word: Acknowledgement, at now: MonotonicTime) {
        let flight = flights.removeFirst()
        window.acknowledged(word, of: flight, next: flights.first, at: now)
    }

    mutating func reset() {
        window.reset()
        flights = []
    }
}
