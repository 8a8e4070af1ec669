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
        var peer = Peer(address: "10.0.0.7:4242", handshake: .binary, initialCredit: 1, creditAhead: 1)
        peer.stream = "a\u{1B}[2Jb\nc\u{202E}d\0"
        #expect(StreamStatus.name(of: peer) == "a\\u{1B}[2Jb\\nc\\u{202E}d\\u{0} (10.0.0.7:4242)")
        peer.stream = String(repeating: "x", count: 255)
        #expect(StreamStatus.name(of: peer).count == 200 + " (10.0.0.7:4242)".count)
    }
}
