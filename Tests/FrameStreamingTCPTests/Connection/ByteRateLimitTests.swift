import FrameStreamingCore
import FrameStreamingTesting
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

@Suite(.ownThread(atOnce: 4)) struct ByteRateLimitTests {
    private func time(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000_000 + milliseconds * 1_000_000)
    }

    @Test func aConnectionReadsAtTheRate() {
        var limit = ByteRateLimit(100_000)
        #expect(limit.largestRead == 10_000 && limit.pause(at: time(0)) == nil)
        // A quarter of a second was saved up.
        limit.take(25_000, at: time(0))
        #expect(limit.pause(at: time(0)) == nil)
        limit.take(10_000, at: time(0))
        #expect(limit.pause(at: time(0)) == time(100) && limit.pause(at: time(99)) == time(100))
        #expect(limit.pause(at: time(100)) == nil)
        // In ten seconds of reading as fast as it may, it has read ten seconds' bytes.
        var (now, bytes) = (time(1_000), 0)
        limit = ByteRateLimit(100_000)
        while now < time(11_000) {
            if let until = limit.pause(at: now) {
                now = until
                continue
            }
            limit.take(limit.largestRead, at: now)
            bytes += limit.largestRead
        }
        #expect((1_000_000...1_040_000).contains(bytes), "\(bytes)")
    }

    @Test func noMoreThanAQuarterOfASecondIsSavedUp() {
        var limit = ByteRateLimit(100_000)
        limit.take(1, at: time(0))
        limit.take(30_000, at: time(60_000))
        #expect(limit.pause(at: time(60_000)) == time(60_050))
    }

    @Test func extremesDoNotTrap() {
        for rate in [Int.min, 0, 1, 32_000, .max] {
            var limit = ByteRateLimit(rate)
            #expect(limit.largestRead >= 1)
            for bytes in [Int.min, 0, 1, .max, .max] {
                for now in [Int64.min, 0, .max] {
                    let now = MonotonicTime(nanoseconds: now)
                    limit.take(bytes, at: now)
                    if let until = limit.pause(at: now) { #expect(until > now) }
                }
            }
        }
    }

    /// A sender that sends faster than it may is held back: nothing is lost, and nothing ends.
    @Test(arguments: [true, false]) func aFasterSenderIsHeldBack(_ binary: Bool) throws {
        var options = TCPReceiverOptions()
        options.maximumByteRate = 1_000_000
        let (transport, peer) = try makeRawPair(.receiver(options), handshake: binary ? .binary : .text)
        let receiver = try FrameReceiver(codec: IdentityCodec(), transport: transport, decode: nil)
        let size = 200_000
        let sending = try Background {
            for sequence in 1...3 as ClosedRange<UInt64> {
                let frame = try makeFrame(sequence, byteCount: size)
                if binary {
                    peer.send(
                        FrameHeader(frame, FrameInfo(sequence: sequence)).marshal(metadata: [], imageBytes: size)
                            + frame.contents)
                } else {
                    peer.send("\(size), ")
                    #expect(peer.receiveText(2) == "ok")
                    peer.send(frame.contents)
                    if sequence < 3 { #expect(peer.receiveText(2) == "ok") }
                }
            }
        }
        for sequence in 1...3 as ClosedRange<UInt64> {
            let received = try #require(try receiver.next(until: soon()))
            #expect(received.info.sequence == sequence)
            #expect(try received.encoded.contents == makeFrame(sequence, byteCount: size).contents)
        }
        // Beyond the quarter of a second that was saved up each tenth of a second has a pause.
        #expect(receiver.statistics.limits[.byteRate] >= 3)
        try sending.value()
        receiver.cancel()
    }

    @Test func aRateBelowWhichPeersGiveUpIsRefused() {
        for rate in [-1, 1, 31_999] {
            var options = TCPReceiverOptions()
            options.maximumByteRate = rate
            let role = TCPRole.receiver(options)
            #expect(code { _ = try TCPListener(on: "0", role: role) } == .invalidArgument)
        }
    }
}
