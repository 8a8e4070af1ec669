import FrameStreamingCore
import Testing

/// What `print` shows of peers and events.
@Suite struct DescriptionTests {
    private static func peer(_ address: String = "10.0.0.7:5600") -> Peer {
        var peer = Peer(address: address, handshake: .binary, initialCredit: 4, creditAhead: 16)
        peer.clockOffset = .zero
        peer.clockError = .zero
        return peer
    }

    private static let lost = FrameStreamingError(.connectionLost, "the link was cut", subject: "10.0.0.7:5600")

    @Test func peers() {
        var peer = Self.peer()
        #expect("\(peer)" == "10.0.0.7:5600 (binary)")
        peer.stream = "door"
        peer.goodbye = .stopped("restarting")
        #expect("\(peer)" == "10.0.0.7:5600 (binary, stream door, said goodbye: stopped: restarting)")
    }

    @Test func eventsOfAReceiver() {
        #expect("\(ReceiverEvent.sourceLost(reason: "no lens"))" == "the sender's source is gone: no lens")
        #expect("\(ReceiverEvent.sourceLost(reason: ""))" == "the sender's source is gone")
        #expect("\(ReceiverEvent.sourceRestored)" == "the sender's source is back")
        let corrupt = ReceiverEvent.undecodable(
            FrameInfo(sequence: 7), error: FrameStreamingError(.corruptImage, "the JPEG has no end"))
        #expect("\(corrupt)" == "frame 7 did not decode: the JPEG has no end")
    }

    @Test(
        arguments: [
            (SenderEvent.connected(peer()), "10.0.0.7:5600 connected"),
            (.disconnected(peer(), error: lost), "10.0.0.7:5600 disconnected: the link was cut"),
            (.disconnected(peer(), error: nil), "10.0.0.7:5600 disconnected"),
            (
                .ended(peer(), error: FrameStreamingError(.timedOut, "gave up", subject: "disk")),
                "10.0.0.7:5600 ended: disk: gave up"
            ),
            (
                .waiting(address: "10.0.0.7:5600", error: lost, retryAfter: .milliseconds(125)),
                "no connection to 10.0.0.7:5600: the link was cut; the next attempt follows after 0.13 s"
            ),
            (.requested(peer(), .pause), "10.0.0.7:5600 asked for pause"),
            (
                .refused(peer(), .quality(40), error: FrameStreamingError(.unsupported, "one encoding for all")),
                "10.0.0.7:5600 asked for quality(40), which was refused: one encoding for all"
            ),
            (
                .stalled(peer(), duration: .seconds(3), givesUpAfter: .seconds(10)),
                "10.0.0.7:5600 has made no progress for 3.0 s; it is given up after 10.0 s"
            ),
            (
                .stalled(peer(), duration: .seconds(6), givesUpAfter: nil),
                "10.0.0.7:5600 has made no progress for 6.0 s"
            ),
            (
                .sourceDamaged(count: 1, latest: FrameStreamingError(.corruptImage, "torn", subject: "a.mjpg")),
                "the source left out 1 damaged frame: a.mjpg: torn"
            ),
            (
                .sourceHeldUp(duration: .milliseconds(1250)),
                "the receivers take frames more slowly than the source gives them, and have held it up for 1.25 s"
            ),
        ] as [(SenderEvent, String)]) func eventsOfASender(event: SenderEvent, text: String)
    {
        #expect("\(event)" == text)
    }

    /// A peer cannot write lines of its own into a log.
    @Test func whatAPeerChoseIsPrintable() {
        var peer = Self.peer("10.0.0.7:5600\n")
        peer.stream = "a\u{1b}[2J"
        peer.goodbye = .failed("b\nc")
        let texts = [
            "\(peer)", "\(ReceiverEvent.sourceLost(reason: "x\ny"))", "\(SenderEvent.connected(peer))",
            "\(SenderEvent.ended(peer, error: nil))",
            "\(SenderEvent.waiting(address: "a\nb", error: Self.lost, retryAfter: .zero))",
        ]
        for text in texts { #expect(!text.contains { $0.isNewline || $0 == "\u{1b}" }, "\(text.debugDescription)") }
    }
}
