import Testing

@testable import FrameStreamingCore

/// What a connection can do is what its transport says, and not what its handshake lets one guess.
@Suite struct PeerAbilitiesTests {
    private func peer(_ handshake: Handshake) -> Peer {
        Peer(address: "", handshake: handshake, initialCredit: 1, creditAhead: 1)
    }

    @Test func theDefaultsFollowTheHandshake() {
        #expect(peer(.text).abilities == [])
        #expect(peer(.binary).abilities == .standard && peer(.memory).abilities == .standard)
        #expect(!Peer.Abilities.standard.contains(.requestAnswers))
    }

    @Test func aTransportOfOnesOwnStatesThem() {
        var modest = peer(.memory)
        modest.abilities.subtract([.goodbyes, .clock])
        #expect(StreamEnd.good(modest) == .over)
        modest.abilities.insert(.goodbyes)
        #expect(StreamEnd.good(modest) == .bye)
    }
}
