import Testing

@testable import FrameStreamingCore

@Suite struct ReferenceChainTests {
    @Test func theFirstFrameStandsAlone() {
        var chain = ReferenceChain()
        let answer1 = chain.take()
        #expect(answer1)
        let answer2 = chain.take()
        #expect(!answer2, "the one that stands alone is under way")
        chain.sent(1, dependsOnPrevious: false)
        let answer3 = chain.take()
        #expect(!answer3 && chain.state == .holds)
    }

    @Test func oneThatDoesNotDecodeBreaksIt() {
        var chain = ReferenceChain()
        _ = chain.take()
        chain.sent(1, dependsOnPrevious: false)
        chain.sent(2, dependsOnPrevious: true)
        chain.sent(3, dependsOnPrevious: true)
        chain.failed(2)
        #expect(chain.state == .broken)
        // What was under way is sent, fails, and asks for nothing more.
        chain.sent(4, dependsOnPrevious: true)
        let answer4 = chain.take()
        #expect(answer4)
        chain.failed(3)
        chain.failed(4)
        #expect(chain.state == .begins)
        chain.sent(5, dependsOnPrevious: false)
        chain.failed(4)
        let answer5 = chain.take()
        #expect(chain.state == .holds && !answer5)
        chain.failed(5)
        let answer6 = chain.take()
        #expect(answer6)
    }

    @Test func anEndBreaksIt() {
        var chain = ReferenceChain()
        _ = chain.take()
        chain.end()
        let answer7 = chain.take()
        #expect(answer7)
        chain.sent(1, dependsOnPrevious: false)
        chain.end()
        let answer8 = chain.take()
        #expect(answer8)
    }

    /// An encoder may make a frame that stands alone by itself.
    @Test func chainsBeginUnasked() {
        var chain = ReferenceChain()
        _ = chain.take()
        chain.sent(1, dependsOnPrevious: false)
        chain.sent(2, dependsOnPrevious: false)
        chain.failed(1)
        #expect(chain.state == .holds)
    }
}
