import FrameStreaming
import Testing

@testable import frame_view

@Suite struct StreamStatusTests {
    @Test func aLiveStreamIsNamedAndHasNoBanner() {
        var peer = Peer(address: "10.0.0.7:4242", handshake: .binary, initialCredit: 1, creditAhead: 1)
        #expect(StreamStatus.live(StreamStatus.name(of: peer)).title == "frame-view: 10.0.0.7:4242")
        peer.stream = "front door"
        let live = StreamStatus.live(StreamStatus.name(of: peer))
        #expect(live.title == "frame-view: front door (10.0.0.7:4242)" && live.banner == nil && live.isLive)
        peer.stream = ""
        #expect(StreamStatus.name(of: peer) == "10.0.0.7:4242")
    }

    @Test func whatIsNotLiveSaysWhy() {
        for status in [
            StreamStatus.waiting("why"), .sourceLost("why"), .broken("why"), .ended("why"),
        ] {
            #expect(!status.isLive && status.title.contains("why") && status.banner?.contains("why") == true)
        }
        #expect(StreamStatus.broken("why").title != StreamStatus.ended("why").title)
        #expect(StreamStatus.broken("why").title != StreamStatus.sourceLost("why").title)
    }

    @Test func othersWordsMoveNoCursor() {
        #expect(StreamStatus.printable("a\u{1B}[2Jb\nc\u{202E}d\0") == "a [2Jb c d ")
        #expect(StreamStatus.printable("Tür 漢") == "Tür 漢")
        #expect(StreamStatus.printable(String(repeating: "x", count: 70_000)).count == 200)
    }
}
