import FrameStreamingCore
import FrameStreamingSystem
@testable import FrameStreamingPreview
import Testing

@Suite struct AttemptLimitTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    private func time(_ seconds: Double) -> MonotonicTime { start.advanced(by: .seconds(seconds)) }

    /// Ten wrong ones at once, and from then on one each six seconds.
    @Test func anAddressHasTenAttemptsAndThenTenAMinute() {
        var limit = AttemptLimit()
        let address = PeerHost(four: 1)
        for guess in 0..<10 {
            #expect(limit.pause(of: address, at: start) == nil)
            limit.noteFailure(of: address, digest: UInt64(guess), at: start)
        }
        #expect(limit.pause(of: address, at: start) == .seconds(6))
        #expect(limit.pause(of: address, at: time(5)) == .seconds(1))
        #expect(limit.pause(of: address, at: time(6)) == nil)
        limit.noteFailure(of: address, digest: 10, at: time(6))
        #expect(limit.pause(of: address, at: time(6)) == .seconds(6))
        // Another address is not concerned.
        #expect(limit.pause(of: PeerHost(four: 2), at: start) == nil)
        #expect(limit.failures == 11 && limit.refusals == 3)
        // A long pause gives no more than ten again.
        for guess in 20..<30 {
            #expect(limit.pause(of: address, at: time(100_000)) == nil)
            limit.noteFailure(of: address, digest: UInt64(guess), at: time(100_000))
        }
        #expect(limit.pause(of: address, at: time(100_000)) == .seconds(6))
    }

    @Test func theSameWrongOneAgainIsNoNewGuess() {
        var limit = AttemptLimit()
        let address = PeerHost(four: 1)
        for attempt in 0..<1000 {
            #expect(limit.pause(of: address, at: start) == nil)
            limit.noteFailure(of: address, digest: UInt64(attempt % 4), at: start)
        }
        #expect(limit.failures == 1000)
    }

    /// Guesses from everywhere are bounded in all, and do not keep out who was in before.
    @Test func allAddressesTogetherHaveAHundredAttempts() {
        var limit = AttemptLimit()
        let known = PeerHost(four: 0)
        limit.noteSuccess(of: known, at: start)
        for guess in 1...100 {
            let address = PeerHost(four: UInt32(guess))
            #expect(limit.pause(of: address, at: start) == nil)
            limit.noteFailure(of: address, digest: 1, at: start)
        }
        #expect(limit.pause(of: PeerHost(four: 101), at: start) == .milliseconds(600))
        #expect(limit.pause(of: known, at: start) == nil)
        #expect(limit.pause(of: PeerHost(four: 101), at: time(0.6)) == nil)
    }

    /// Whoever has many addresses fills no memory, and cannot make a known one forgotten.
    @Test func theMemoryIsBounded() {
        var limit = AttemptLimit()
        let known = PeerHost(four: 0)
        limit.noteSuccess(of: known, at: start)
        for guess in 1...5000 {
            limit.noteFailure(
                of: PeerHost(four: UInt32(guess)), digest: UInt64(guess), at: time(Double(guess)))
        }
        #expect(limit.addressCount == 1024)
        let late = time(5001)
        for guess in 0..<200 {
            limit.noteFailure(of: PeerHost(four: 5000 + UInt32(guess)), digest: 1, at: late)
        }
        #expect(limit.pause(of: PeerHost(four: 1), at: late) != nil)
        #expect(limit.pause(of: known, at: late) == nil)
    }

    /// Who was in before does not share the attempts of its network.
    @Test func neighboursKeepNobodyOutWhoIsKnown() {
        var limit = AttemptLimit()
        let network: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0]
        let (owner, other) = (PeerHost(six: network + [1]), PeerHost(six: network + [2]))
        limit.noteSuccess(of: owner, at: start)
        for guess in 0..<10 { limit.noteFailure(of: other, digest: UInt64(guess), at: start) }
        #expect(limit.pause(of: other, at: start) == .seconds(6))
        #expect(limit.pause(of: PeerHost(six: network + [3]), at: start) == .seconds(6))
        #expect(limit.pause(of: owner, at: start) == nil)
        // It has attempts of its own, and no more than others.
        for guess in 0..<10 { limit.noteFailure(of: owner, digest: UInt64(guess), at: start) }
        #expect(limit.pause(of: owner, at: start) == .seconds(6))
    }

    @Test func addressesOfOneNetworkAreOne() {
        var one: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2] + [UInt8](repeating: 7, count: 8)
        let other = one.dropLast() + [9]
        #expect(PeerHost(six: one) == PeerHost(six: Array(other)))
        one[7] = 3
        #expect(PeerHost(six: one) != PeerHost(six: Array(other)))
        // Link-local networks are equal, and their interfaces are not.
        let near: [UInt8] = [0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [1]
        #expect(PeerHost(six: near) != PeerHost(six: Array(near.dropLast() + [2])))
        #expect(PeerHost(six: near, scope: [2]) != PeerHost(six: near, scope: [3]))
        #expect(PeerHost(six: one, scope: [2]) == PeerHost(six: one, scope: [3]))
        // An IPv4 client of a socket for both is the same as of one for IPv4.
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 192, 0, 2, 1]
        #expect(PeerHost(six: mapped) == PeerHost(four: 0xC000_0201))
        #expect(PeerHost(six: [UInt8](repeating: 0, count: 16)) != PeerHost(four: 0))
    }
}
