import FrameStreamingCore
import FrameStreamingTCP
import FrameStreamingTesting
import Testing

/// What the kernel says of bytes on their way, by which a sender tells a slow
/// receiver from one that stands still.
@Suite struct DeliveryProgressTests {
    @Test func bytesThatReachThePeersMachineAreCounted() throws {
        let (sender, receiver) = try makePair()
        let progress: any DeliveryProgress = sender
        let before = try #require(progress.deliveredBytes)
        try sender.send(.frame(try makeFrame(1, byteCount: 20_000), FrameInfo(sequence: 1)), until: soon())
        // Nobody has read them: that is the acknowledgement's business.
        try waitUntil { progress.deliveredBytes.map { $0 >= before + 20_000 } == true }
        _ = try receiver.receiveFrame()
        sender.close()
        #expect(progress.deliveredBytes == nil)
        receiver.close()
    }

    @Test func theTextHandshakeHasThemToo() throws {
        let (sender, receiver) = try makePair(handshake: .text)
        let progress: any DeliveryProgress = sender
        let before = try #require(progress.deliveredBytes)
        try sender.send(.frame(try makeFrame(1, byteCount: 20_000), FrameInfo(sequence: 1)), until: soon())
        // The announcement alone: the picture waits for its `ok`.
        try waitUntil { progress.deliveredBytes.map { $0 > before } == true }
        #expect(try #require(progress.deliveredBytes) < before + 20_000)
        sender.close()
        receiver.close()
    }

    @Test func aConnectionThatIsNoTCPKnowsNothing() throws {
        let (transport, peer) = try makeRawPair(.sender)
        #expect(transport.deliveredBytes == nil)
        transport.close()
        _ = peer
    }
}
