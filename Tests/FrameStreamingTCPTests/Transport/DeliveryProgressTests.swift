import FrameStreamingCore
import FrameStreamingTCP
import FrameStreamingTesting
import TestThreads
import Testing

/// The kernel's count of delivered bytes, by which a sender distinguishes a
/// slow receiver from a stalled one.
@Suite(.ownThread(atOnce: 4)) struct DeliveryProgressTests {
    @Test func bytesThatReachThePeersMachineAreCounted() throws {
        let (sender, receiver) = try makePair()
        let progress: any DeliveryProgress = sender
        let before = try #require(progress.deliveredBytes)
        try sender.send(.frame(try makeFrame(1, byteCount: 20_000), FrameInfo(sequence: 1)), until: soon())
        // They were not read, which only an acknowledgement would show.
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
        // Only the header was delivered: the picture waits for its `ok`.
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
