import FrameStreamingCore
import FrameStreamingSystem
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// A peer that is gone behind a middlebox that goes on acknowledging TCP segments.
@Suite(.ownThread(atOnce: 4)) struct SilenceDetectorTests {
    private let second: Int64 = 1_000_000_000

    @Test func aPeerThatSendsAnythingIsNeverAsked() {
        var watch = SilenceDetector(patience: .seconds(10), at: 0)
        for now in 1...100 {
            #expect(
                watch.look(received: UInt64(now), delivered: 0, underWay: 1 << 40, at: Int64(now) * second) == .waits)
            #expect(watch.lookAt > Int64(now) * second)
        }
    }

    @Test func aPeerThatDoesNotAnswerIsLostAndOneThatDoesIsNot() {
        for answers in [false, true] {
            var watch = SilenceDetector(patience: .seconds(10), at: 0)
            #expect(watch.look(received: 7, delivered: 9, underWay: 0, at: second) == .waits)
            #expect(watch.look(received: 7, delivered: 9, underWay: 0, at: 4 * second) == .ask)
            // The question could not be written.
            #expect(watch.look(received: 7, delivered: 9, underWay: 0, at: 20 * second) == .ask)
            watch.noteAsked(at: 20 * second)
            #expect(watch.look(received: 7, delivered: 9, underWay: 0, at: 29 * second) == .waits)
            let verdict = watch.look(received: answers ? 8 : 7, delivered: 9, underWay: 0, at: 30 * second)
            #expect(verdict == (answers ? .waits : .lost(.seconds(29))))
        }
    }

    @Test func aPeerThatNeverAnsweredAPINGIsNotLost() {
        var watch = SilenceDetector(patience: .seconds(10), isExpectedToAnswer: false, at: 0)
        #expect(watch.look(received: 7, delivered: 9, underWay: 0, at: second) == .waits)
        #expect(watch.look(received: 7, delivered: 9, underWay: 0, at: 4 * second) == .ask)
        watch.noteAsked(at: 4 * second)
        #expect(watch.look(received: 7, delivered: 9, underWay: 0, at: 1_000 * second) == .waits)
        // From the first answer on the peer is known to answer.
        watch.noteKnowsPING()
        #expect(watch.look(received: 8, delivered: 9, underWay: 0, at: 1_001 * second) == .waits)
        #expect(watch.look(received: 8, delivered: 9, underWay: 0, at: 1_005 * second) == .ask)
        watch.noteAsked(at: 1_005 * second)
        #expect(watch.look(received: 8, delivered: 9, underWay: 0, at: 1_015 * second) == .lost(.seconds(14)))
    }

    @Test func aPeerThatWasNotReadGetsItsTimeAgain() {
        var watch = SilenceDetector(patience: .seconds(10), at: 0)
        _ = watch.look(received: 0, delivered: 0, underWay: 0, at: 4 * second)
        watch.noteAsked(at: 4 * second)
        watch.excuse(at: 60 * second)
        #expect(watch.lookAt == 63 * second)
        #expect(watch.look(received: 0, delivered: 0, underWay: 0, at: 62 * second) == .waits)
        #expect(watch.look(received: 0, delivered: 0, underWay: 0, at: 63 * second) == .ask)
    }

    @Test func theQuestionStandsBehindTheFramesUnderWay() {
        var watch = SilenceDetector(patience: .seconds(10), at: 0)
        _ = watch.look(received: 0, delivered: 0, underWay: 0, at: 4 * second)
        watch.noteAsked(at: 4 * second)
        // 20 s at 32 kB/s.
        #expect(watch.look(received: 0, delivered: 0, underWay: 640_000, at: 33 * second) == .waits)
        #expect(watch.look(received: 0, delivered: 0, underWay: 640_000, at: 34 * second) == .lost(.seconds(34)))
        // However many bytes there are, they explain no more than 30 s.
        #expect(watch.look(received: 0, delivered: 0, underWay: .max, at: 43 * second) == .waits)
        #expect(watch.look(received: 0, delivered: 0, underWay: .max, at: 44 * second) == .lost(.seconds(44)))
    }

    @Test func whatMovesOnASlowLinkCounts() {
        var watch = SilenceDetector(patience: .seconds(10), at: 0)
        _ = watch.look(received: 0, delivered: 0, underWay: 0, at: 4 * second)
        watch.noteAsked(at: 4 * second)
        for step in 1...100 {
            let now = Int64(4 + 9 * step) * second
            #expect(watch.look(received: 0, delivered: UInt64(step) * 600, underWay: 0, at: now) == .waits)
        }
        // Bytes of our own questions do not count.
        #expect(watch.look(received: 0, delivered: 60_240, underWay: 0, at: 914 * second) == .lost(.seconds(914)))
    }

    @Test(arguments: [Int.max, .max / 2, -1]) func noNumberTraps(underWay: Int) {
        var watch = SilenceDetector(patience: .seconds(Int64.max / 2), at: .max / 4)
        var verdicts = [watch.look(received: .max, delivered: .max, underWay: underWay, at: .max / 4)]
        verdicts.append(watch.look(received: .max, delivered: .max, underWay: underWay, at: .max / 2))
        watch.noteAsked(at: .max / 2)
        verdicts.append(watch.look(received: .max, delivered: .max, underWay: underWay, at: .max / 2 + 1))
        // The peer was asked, and its very long patience has not run out.
        #expect(verdicts == [.waits, .ask, .waits] && watch.lookAt > .max / 2)
    }

    /// The handshake, an answer or a question from a sender, and then nothing: TCP goes on
    /// confirming.
    @Test(arguments: [(TCPRole.sender, false), (.receiver, false), (.receiver, true)])
    func aConnectionWhosePeerIsGoneBreaks(role: TCPRole, asks: Bool) throws {
        let listener = try RawListener()
        var options = TCPOptions()
        options.answerTimeout = .milliseconds(100)
        let address = "127.0.0.1:\(listener.port)"
        let client = try Background { [options] in
            try TCPTransport.connect(to: address, role: role, options: options, until: soon())
        }
        let peer = listener.accept()
        _ = peer.receive(72 + 8)
        var welcome = try golden("WELCOME")
        // Magic, versions, and the role that the peer has.
        welcome[8 + 8] = role.other.wireCode
        peer.send(welcome)
        let transport = try client.value()
        // A sender must answer only if it is known to know PING.
        if asks {
            peer.send(Ping(id: 1, sendTime: 1).marshal())
        } else if !role.isSender {
            peer.send(Pong(answering: Ping(id: 0, sendTime: 1), receiveTime: 2, sendTime: 3).marshal())
        }
        let error = #expect(throws: FrameStreamingError.self) { _ = try transport.receive(until: soon()) }
        #expect(error?.code == .connectionLost && error?.message.contains("not answered a PING") == true)
        #expect(error?.isTransient == true)
    }
}
