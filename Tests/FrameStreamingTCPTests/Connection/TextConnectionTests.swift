import FrameStreamingCore
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// The text handshake against the tutorial's two programs, byte for byte.
@Suite(.ownThread(atOnce: 4)) struct TextConnectionTests {
    /// The tutorial's client: a header, `ok`, the picture, `ok`; `over` at the end.
    private func tutorialClient(_ peer: RawPeer, _ pictures: [[UInt8]]) -> [String] {
        var answers: [String] = []
        for picture in pictures {
            peer.send("\(picture.count), ")
            answers.append(peer.receiveText(2))
            peer.send(picture)
            answers.append(peer.receiveText(2))
        }
        peer.send("over")
        return answers
    }

    private let pictures = [
        jpegBytes(width: 64, height: 48), jpegBytes(width: 1366, height: 768, padding: 200_000), Array("no JPEG".utf8),
    ]

    @Test(arguments: [Handshake.automatic, .text]) func asReceiverOfTheTutorialsClient(_ handshake: Handshake)
        throws
    {
        let listener = try TCPListener(on: "0", role: .receiver, handshake: handshake)
        for _ in 0..<3 {
            let peer = try RawPeer(port: listener.port)
            let pictures = pictures
            let client = try Background { self.tutorialClient(peer, pictures) }
            let receiver = try listener.accept(until: soon())
            #expect(receiver.peer.handshake == .text && receiver.peer.creditAhead == 1)
            #expect(receiver.peer.clockOffset == nil && receiver.peer.stream == nil)
            #expect(receiver.peer.abilities == [])
            var sizes: [[Int]] = []
            var number: UInt64 = 0
            while let message = try receiver.receive(until: soon()) {
                guard case .frame(let frame, let info) = message else { continue }
                number += 1
                #expect(info.sequence == number && frame.captureTime == nil && frame.format.pixelFormat == .jpeg)
                #expect(frame.contents == pictures[Int(number) - 1])
                sizes.append([frame.format.width, frame.format.height])
                try receiver.acknowledge(number)
            }
            #expect(sizes == [[64, 48], [1366, 768], [1, 1]])
            #expect(receiver.peer.goodbye == "over")
            #expect(try client.value() == [String](repeating: "ok", count: 6))
            let finishing = try Background { try receiver.finish("", until: soon()) }
            #expect(peer.receiveToEnd() == [])
            peer.shutdownWriting()
            try finishing.value()
        }
    }

    @Test func theFirstOkWaitsForTheFrameBefore() throws {
        let (receiver, peer) = try makeRawPair(.receiver, handshake: .text)
        let picture = jpegBytes(width: 8, height: 8)
        peer.send("\(picture.count), ")
        let first = try Background { try receiver.receiveFrame().1.sequence }
        #expect(peer.receiveText(2) == "ok")
        // The next header follows the picture in the same write, and `over` the next picture.
        peer.send(picture + Array("\(picture.count), ".utf8) + picture + Array("over".utf8))
        #expect(try first.value() == 1)
        #expect(code { _ = try receiver.receive(until: .after(.milliseconds(50))) } == .timedOut)
        let second = try Background { try receiver.receiveFrame().1.sequence }
        try receiver.acknowledge(1)
        #expect(peer.receiveText(4) == "okok")
        #expect(try second.value() == 2)
        try receiver.acknowledge(2)
        #expect(try receiver.receive(until: soon()) == nil)
        receiver.close()
        #expect(peer.receiveToEnd() == Array("ok".utf8))
    }

    @Test func everyOutcomeIsAnOkAndEachFrameHasOne() throws {
        let (receiver, peer) = try makeRawPair(.receiver, handshake: .text)
        peer.send("4, abcd")
        _ = try receiver.receiveFrame()
        let refused = Acknowledgement(sequence: 1, creditThrough: 2, outcome: .refused)
        #expect(code { try receiver.acknowledge(2) } == .invalidArgument)
        try receiver.send(.acknowledgement(refused), until: soon())
        #expect(code { try receiver.acknowledge(1) } == .invalidArgument)
        receiver.close()
        #expect(peer.receiveToEnd() == Array("okok".utf8))
    }

    @Test func onlyOver() throws {
        let (receiver, peer) = try makeRawPair(.receiver, handshake: .text)
        peer.send("over")
        #expect(try receiver.receive(until: soon()) == nil)
        receiver.close()
        #expect(peer.receiveToEnd() == [])
    }

    @Test func anEndWithoutOverIsAnError() throws {
        let (receiver, peer) = try makeRawPair(.receiver, handshake: .text)
        peer.send("4, ab")
        peer.shutdownWriting()
        #expect(code { _ = try receiver.receive(until: soon()) } == .endedWithoutGoodbye)
    }

    @Test func aHeaderThatNeverEndsIsCutOff() throws {
        var options = TCPOptions()
        options.standstillTimeout = .milliseconds(50)
        let (receiver, peer) = try makeRawPair(.receiver, handshake: .text, options: options)
        peer.send("1")
        #expect(code { _ = try receiver.receive(until: soon()) } == .connectionLost)
    }

    @Test func aPictureThatNeverComesIsCutOff() throws {
        var options = TCPOptions()
        options.standstillTimeout = .milliseconds(50)
        let (receiver, peer) = try makeRawPair(.receiver, handshake: .text, options: options)
        peer.send("10, ")
        #expect(code { _ = try receiver.receive(until: soon()) } == .connectionLost)
        #expect(peer.receiveText(2) == "ok")
    }

    /// The tutorial's server takes the result of one recv as the header, so one recv must
    /// return the header and nothing else.
    @Test func asSenderToTheTutorialsServer() throws {
        let listener = try RawListener()
        let pictures = pictures
        let server = try Background {
            let peer = listener.accept()
            var transcript: [[UInt8]] = []
            while true {
                let header = peer.receiveOnce(1024)
                transcript.append(header)
                guard let length = Int(String(decoding: header.dropLast(2), as: UTF8.self)) else { break }
                peer.send("ok")
                transcript.append(peer.receive(length))
                peer.send("ok")
            }
            return transcript
        }
        let sender = try TCPTransport.connect(
            to: "127.0.0.1:\(listener.port)", role: .sender, handshake: .text, until: soon())
        #expect(sender.peer.initialCredit == 1 && sender.peer.handshake == .text)
        for (index, picture) in pictures.enumerated() {
            let number = UInt64(index + 1)
            try sender.send(.frame(makeFrame(bytes: picture), FrameInfo(sequence: number)), until: soon())
            let acknowledgement = try sender.receiveAcknowledgement()
            #expect(acknowledgement.sequence == number && acknowledgement.creditThrough == number + 1)
            #expect(acknowledgement.outcome == .consumed)
        }
        try sender.finish("", until: soon())
        var expected: [[UInt8]] = []
        for picture in pictures { expected += [Array("\(picture.count), ".utf8), picture] }
        #expect(try server.value() == expected + [Array("over".utf8)])
    }

    /// `over` would mean that the server has everything.
    @Test func aSenderThatFailedEndsWithoutOver() throws {
        let (sender, peer) = try makeRawPair(.sender, handshake: .text)
        try sender.finish(.failed("the source broke"), until: soon())
        #expect(peer.receiveToEnd().isEmpty)
    }

    @Test func overWaitsForTheLastOk() throws {
        let (sender, peer) = try makeRawPair(.sender, handshake: .text)
        try sender.send(.frame(makeFrame(bytes: [1, 2, 3]), FrameInfo(sequence: 1)), until: soon())
        let receiving = try Background {
            var count = 0
            while try sender.receive(until: soon()) != nil { count += 1 }
            return count
        }
        let finishing = try Background { try sender.finish("", until: soon()) }
        #expect(peer.receiveText(3) == "3, ")
        peer.send("o")
        peer.send("k")
        #expect(peer.receive(3) == [1, 2, 3])
        peer.send("ok")
        #expect(peer.receiveText(4) == "over")
        peer.shutdownWriting()
        try finishing.value()
        #expect(try receiving.value() == 1)
    }

    @Test func theNextFrameWaitsForTheLastOk() throws {
        let (sender, peer) = try makeRawPair(.sender, handshake: .text)
        let frame = try makeFrame(bytes: [1, 2, 3])
        try sender.send(.frame(frame, FrameInfo(sequence: 1)), until: soon())
        #expect(code { try sender.send(.frame(frame, FrameInfo(sequence: 2)), until: .now) } == .timedOut)
        try sender.send(.sourceLost(reason: "there is no word for it"), until: soon())
        peer.send("okok")
        _ = try sender.receiveAcknowledgement()
        try sender.send(.frame(frame, FrameInfo(sequence: 2)), until: soon())
        #expect(peer.receive(9) == Array("3, ".utf8) + [1, 2, 3] + Array("3, ".utf8))
    }

    @Test func aLargePictureIsSentInPieces() throws {
        let (sender, peer) = try makeRawPair(.sender, handshake: .text, bufferSize: 4096)
        let frame = try makeFrame(1, byteCount: 1_000_000)
        try sender.send(.frame(frame, FrameInfo(sequence: 1)), until: soon())
        let receiving = try Background { try sender.receiveAcknowledgement().sequence }
        #expect(peer.receiveText(9) == "1000000, ")
        peer.send("ok")
        #expect(peer.receive(1_000_000) == frame.contents)
        peer.send("ok")
        #expect(try receiving.value() == 1)
    }

    @Test func aReceiverThatTakesNothingOfAPictureIsGivenUp() throws {
        var options = TCPOptions()
        options.standstillTimeout = .milliseconds(50)
        let (sender, peer) = try makeRawPair(.sender, handshake: .text, options: options, bufferSize: 4096)
        try sender.send(.frame(makeFrame(1, byteCount: 1_000_000), FrameInfo(sequence: 1)), until: soon())
        peer.send("ok")
        #expect(code { _ = try sender.receive(until: soon()) } == .connectionLost)
    }

    @Test func otherAnswersAndOtherFormatsAreRefused() throws {
        let (sender, peer) = try makeRawPair(.sender, handshake: .text)
        let raw = try makeFrame(1, width: 2, height: 2, pixelFormat: .gray8)
        #expect(code { try sender.send(.frame(raw, FrameInfo(sequence: 1)), until: soon()) } == .unsupported)
        #expect(code { try sender.acknowledge(1) } == .invalidArgument)
        peer.send("no")
        #expect(code { _ = try sender.receive(until: soon()) } == .protocolViolation)
    }

    @Test func aServerThatEndsEarlyIsAnError() throws {
        let (sender, peer) = try makeRawPair(.sender, handshake: .text)
        try sender.send(.frame(makeFrame(bytes: [1]), FrameInfo(sequence: 1)), until: soon())
        peer.shutdownWriting()
        #expect(code { _ = try sender.receive(until: soon()) } == .endedWithoutGoodbye)
        #expect(code { try sender.finish("", until: soon()) } == .endedWithoutGoodbye)
    }

    @Test func aCloseEndsEveryWait() throws {
        let (receiver, _peer) = try makeRawPair(.receiver, handshake: .text)
        _peer.send("1, x1, ")
        _ = try receiver.receiveFrame()
        // One thread waits for the acknowledgement, one for its turn.
        let waits = [
            try Background { _ = try receiver.receive(until: .never) },
            try Background { _ = try receiver.receive(until: .never) },
        ]
        receiver.close()
        for wait in waits { #expect(wait.error()?.code == .closed) }
        let (sender, other) = try makeRawPair(.sender, handshake: .text)
        let frame = try makeFrame(bytes: [1])
        try sender.send(.frame(frame, FrameInfo(sequence: 1)), until: soon())
        let more = [
            try Background { try sender.send(.frame(frame, FrameInfo(sequence: 2)), until: .never) },
            try Background { _ = try sender.receive(until: .never) },
            try Background { try sender.finish("", until: .never) },
        ]
        sender.close()
        for wait in more { #expect(wait.error()?.code == .closed) }
        withExtendedLifetime(other) {}
    }

    @Test(arguments: [TCPRole.sender, .receiver]) func bothEndsOfOurOwn(_ role: TCPRole) throws {
        let (connecting, listening) = try makePair(role, handshake: .text)
        let (sender, receiver) = role.isSender ? (connecting, listening) : (listening, connecting)
        let picture = jpegBytes(width: 17, height: 13, padding: 100_000)
        for number in 1...UInt64(5) {
            try sender.send(.frame(makeFrame(bytes: picture), FrameInfo(sequence: number)), until: soon())
            let acknowledged = try Background { try sender.receiveAcknowledgement().sequence }
            #expect(try receiver.receiveFrame().0.contents == picture)
            try receiver.acknowledge(number)
            #expect(try acknowledged.value() == number)
        }
        let finishing = try Background { try sender.finish("", until: soon()) }
        #expect(try receiver.receive(until: soon()) == nil)
        try receiver.finish("", until: soon())
        try finishing.value()
    }
}
