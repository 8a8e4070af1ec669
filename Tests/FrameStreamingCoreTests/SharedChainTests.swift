import FrameStreamingSystem
import Testing

@testable import FrameStreamingCore

/// Which encoder with memory takes a picture for a link.
@Suite struct SharedChainTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    private func time(_ seconds: Double) -> MonotonicTime { start.advanced(by: .seconds(seconds)) }

    @Test func oneLinkHasTheSharedEncoder() {
        var chain = SharedChain()
        let choice1 = chain.choose(1, for: .none, standsAlone: true, isShared: false, at: start)
        #expect(choice1 == .begin(1, standsAlone: true))
        chain.noteDone()
        // Pictures that it did not take are of no consequence.
        let choice2 = chain.choose(7, for: .shared(1), standsAlone: false, isShared: false, at: start)
        #expect(choice2 == .begin(2, standsAlone: false))
        chain.noteDone()
        // However soon: there is no other to which it would be a burden.
        let choice3 = chain.choose(8, for: .shared(2), standsAlone: true, isShared: false, at: start)
        #expect(choice3 == .begin(3, standsAlone: true))
    }

    @Test func linksThatKeepUpShareEncodings() {
        var chain = SharedChain()
        _ = chain.choose(1, for: .none, standsAlone: true, isShared: true, at: start)
        // While it is being encoded, too.
        let choice4 = chain.choose(1, for: .none, standsAlone: true, isShared: true, at: start)
        #expect(choice4 == .join(1))
        chain.noteDone()
        _ = chain.choose(2, for: .shared(1), standsAlone: false, isShared: true, at: start)
        let choice5 = chain.choose(2, for: .shared(1), standsAlone: false, isShared: true, at: start)
        #expect(choice5 == .join(2))
        chain.noteDone()
        // The second is a few pictures behind.
        for picture in UInt64(3)...4 {
            _ = chain.choose(
                picture, for: .shared(picture - 1), standsAlone: false, isShared: true, at: start)
            chain.noteDone()
        }
        let choice6 = chain.choose(3, for: .shared(2), standsAlone: false, isShared: true, at: start)
        #expect(choice6 == .join(3))
    }

    @Test func aLinkThatMissedAFrameHasAnEncoderOfItsOwn() {
        var chain = SharedChain()
        _ = chain.choose(1, for: .none, standsAlone: true, isShared: true, at: start)
        chain.noteDone()
        _ = chain.choose(2, for: .shared(1), standsAlone: false, isShared: true, at: start)
        chain.noteDone()
        _ = chain.choose(3, for: .shared(2), standsAlone: false, isShared: true, at: start)
        chain.noteDone()
        let apart = SharedChain.Choice.apart(standsAlone: true)
        let choice7 = chain.choose(3, for: .shared(1), standsAlone: false, isShared: true, at: start)
        #expect(choice7 == apart)
        let choice8 = chain.choose(4, for: .shared(1), standsAlone: false, isShared: true, at: start)
        #expect(choice8 == apart)
        let choice9 = chain.choose(5, for: .apart, standsAlone: false, isShared: true, at: start)
        #expect(choice9 == .apart(standsAlone: false))
        // An older picture than the shared encoder had.
        let choice10 = chain.choose(2, for: .none, standsAlone: true, isShared: true, at: start)
        #expect(choice10 == apart)
    }

    @Test func aJoinIsAKeyFrameForAllOnceASecond() {
        var chain = SharedChain()
        _ = chain.choose(1, for: .none, standsAlone: true, isShared: true, at: start)
        chain.noteDone()
        let choice11 = chain.choose(2, for: .none, standsAlone: true, isShared: true, at: time(0.9))
        #expect(choice11 == .apart(standsAlone: true))
        let choice12 = chain.choose(3, for: .none, standsAlone: true, isShared: true, at: time(1))
        #expect(choice12 == .begin(2, standsAlone: true))
        // Those apart take the chance.
        let choice13 = chain.choose(3, for: .apart, standsAlone: false, isShared: true, at: time(1))
        #expect(choice13 == .join(2))
        let choice14 = chain.choose(3, for: .shared(1), standsAlone: false, isShared: true, at: time(1))
        #expect(choice14 == .join(2))
    }

    @Test func nothingWaitsForABusyEncoder() {
        var chain = SharedChain()
        _ = chain.choose(1, for: .none, standsAlone: true, isShared: false, at: start)
        #expect(chain.isBusy)
        let choice15 = chain.choose(2, for: .shared(1), standsAlone: true, isShared: false, at: time(5))
        #expect(choice15 == .apart(standsAlone: true))
        chain.noteDone()
        let choice16 = chain.choose(3, for: .shared(1), standsAlone: false, isShared: false, at: time(5))
        #expect(choice16 == .begin(2, standsAlone: false))
    }

    /// Whatever links do, none gets a frame whose reference it did not send.
    @Test(arguments: 0..<20) func referencesHold(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        var chain = SharedChain()
        var followers = [SharedChain.Follower](repeating: .none, count: 4)
        var standing: [UInt64: Bool] = [:]
        var picture: UInt64 = 10
        var now = start
        for _ in 0..<5000 {
            picture += random.next() % 2
            now = now.advanced(by: .milliseconds(Int(random.next() % 50)))
            if chain.isBusy, random.next() % 2 == 0 { chain.noteDone() }
            let link = Int(random.next() % 4)
            let begins = random.next() % 50 == 0
            let choice = chain.choose(
                picture - random.next() % 3, for: followers[link], standsAlone: begins,
                isShared: random.next() % 8 != 0, at: now)
            switch choice {
            case .begin(let frame, let standsAlone):
                standing[frame] = standsAlone
                #expect(standsAlone || !begins && followers[link] == .shared(frame - 1))
                followers[link] = .shared(frame)
            case .join(let frame):
                #expect(standing[frame] == true || !begins && followers[link] == .shared(frame - 1))
                followers[link] = .shared(frame)
            case .apart(let standsAlone):
                #expect(standsAlone || !begins && followers[link] == .apart)
                followers[link] = .apart
            }
        }
        #expect(standing.count > 100)
    }
}
