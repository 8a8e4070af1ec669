import FrameStreamingCore
import Testing

/// Moments and spans of the public API, with numbers that a peer may send.
@Suite struct TimesTests {
    private static let extremes: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]

    @Test func durationsBetweenAnyTwoMomentsAreExact() {
        for one in Self.extremes {
            for other in Self.extremes {
                let (from, to) = (MonotonicTime(nanoseconds: one), MonotonicTime(nanoseconds: other))
                let expected = Duration.nanoseconds(other) - .nanoseconds(one)
                #expect(from.duration(to: to) == expected)
                #expect((from < to) == (one < other))
            }
        }
    }

    @Test func aMomentBeyondTheClockIsItsEnd() {
        for one in Self.extremes {
            let moment = MonotonicTime(nanoseconds: one)
            // A duration counts as 292 years at most, so only these reach the end.
            if one >= 0 { #expect(moment.advanced(by: .seconds(Int64.max)).nanoseconds == .max) }
            if one <= 0 { #expect(moment.advanced(by: .seconds(Int64.min)).nanoseconds == .min) }
            #expect(MonotonicTime(reading: moment.reading) == moment)
        }
        #expect(MonotonicTime(reading: .seconds(Int64.max)).nanoseconds == .max)
        #expect(MonotonicTime(reading: .seconds(Int64.min)).nanoseconds == .min)
    }

    @Test func stampsOfAnyClockAreKept() {
        for one in Self.extremes {
            let stamp = CaptureTime(reading: .nanoseconds(one), clock: .realtime, edge: .endOfFrame)
            #expect(stamp.nanoseconds == one && stamp.reading == .nanoseconds(one))
        }
        #expect(CaptureTime(reading: .seconds(Int64.min), clock: .unknown).nanoseconds == .min)
    }

    @Test func spansOfMessagesAreWhatWasSent() {
        var info = FrameInfo(sequence: 1)
        var word = Acknowledgement(sequence: 1, creditThrough: 1)
        var peer = Peer(address: "", handshake: .memory, initialCredit: 1, creditAhead: 1)
        #expect(info.encodeTime == nil && info.creditWait == nil && word.queueTime == nil && word.decodeTime == nil)
        for one in Self.extremes {
            (info.encodeNanoseconds, info.creditWaitNanoseconds) = (one, one)
            (word.queueNanoseconds, word.decodeNanoseconds) = (one, one)
            (peer.clockOffsetNanoseconds, peer.clockErrorNanoseconds) = (one, one)
            let all = [
                info.encodeTime, info.creditWait, word.queueTime, word.decodeTime, peer.clockOffset, peer.clockError,
            ]
            #expect(all.allSatisfy { $0 == .nanoseconds(one) })
        }
        // A program's own are clamped.
        info.encodeTime = .seconds(Int64.max)
        word.queueTime = .seconds(Int64.min)
        peer.clockOffset = .milliseconds(-3)
        #expect(info.encodeNanoseconds == .max && word.queueNanoseconds == .min)
        #expect(peer.clockOffsetNanoseconds == -3_000_000)
    }

    @Test func numbersOfDurationsAreExactAndBounded() {
        #expect(Duration.microseconds(1500).inMilliseconds == 1.5 && Duration.milliseconds(1500).inSeconds == 1.5)
        #expect(Duration.microseconds(7).inMilliseconds == 7.0 / 1000)
        #expect(Duration.seconds(Int64.max).inMilliseconds > 9e21 && Duration.seconds(Int64.min).inSeconds < -9e18)
    }

    @Test func framesOfARateHaveTimes() throws {
        let rate = try #require(FrameRate(30_000, per: 1001))
        #expect(rate.time(ofFrame: 30_000) == .seconds(1001) && rate.frame(at: .seconds(1001)) == 30_000)
        #expect(rate.frame(at: .seconds(Int64.min)) == 0 && rate.time(ofFrame: .max) == .nanoseconds(Int64.max))
    }
}
