import FrameStreamingCore
import Testing

@testable import FrameStreamingFiles

@Suite struct LiveInboxTests {
    private let torn = FrameStreamingError(.corruptImage, "torn")

    private func frame(_ number: UInt8) throws -> SourceEvent {
        .frame(try makeFrame([number], FrameFormat(width: 1, height: 1, pixelFormat: .gray8)))
    }

    /// What is taken, in a word each.
    private func words(_ inbox: inout LiveInbox) -> [String] {
        var words: [String] = []
        while let taken = inbox.take() {
            switch taken {
            case .event(.frame(let frame)): words.append("\(frame.array[0])")
            case .event(.damaged(let count, _)): words.append("damaged \(count)")
            case .event(.lost): words.append("lost")
            case .event(.restored): words.append("restored")
            case .event: words.append("other")
            case .ended(let error): return words + [error == nil ? "end" : "error"]
            case .direct: return words + ["direct"]
            }
        }
        return words
    }

    @Test func `a newer frame replaces one that was not taken`() throws {
        var inbox = LiveInbox(.live)
        var taken = [words(&inbox)]
        var replaced: [LiveInbox.Replaced] = []
        for number in 1...3 as ClosedRange<UInt8> { replaced.append(inbox.put(try frame(number))) }
        taken.append(words(&inbox))
        for number in 4...5 as ClosedRange<UInt8> { replaced.append(inbox.put(try frame(number))) }
        inbox.ended(nil)
        taken += [words(&inbox), words(&inbox)]
        #expect(taken == [[], ["3"], ["5", "end"], ["end"]])
        // Before the first is taken, no receiver is late.
        #expect(replaced == [.nothing, .unwanted, .unwanted, .nothing, .wanted])
    }

    @Test func `other events are kept, in order, and damage is added up`() throws {
        var inbox = LiveInbox(.live)
        for count in [1, 2] { _ = inbox.put(.damaged(count: count, latest: torn)) }
        _ = inbox.put(.lost(error: torn))
        _ = inbox.put(try frame(7))
        inbox.ended(torn)
        let taken = words(&inbox)
        #expect(taken == ["damaged 3", "lost", "7", "error"])
    }

    @Test func `a loss and a return that nobody took undo each other`() throws {
        var inbox = LiveInbox(.live)
        for _ in 0..<3 {
            _ = inbox.put(.lost(error: torn))
            _ = inbox.put(.restored)
        }
        var taken = [words(&inbox)]
        _ = inbox.put(.lost(error: torn))
        taken.append(words(&inbox))
        for event in [SourceEvent.restored, .lost(error: torn), .restored] { _ = inbox.put(event) }
        taken.append(words(&inbox))
        #expect(taken == [[], ["lost"], ["restored"]])
    }

    @Test func `a frame from before a loss does not follow it`() throws {
        var inbox = LiveInbox(.live)
        _ = inbox.put(try frame(1))
        let replaced = inbox.put(.lost(error: torn))
        _ = inbox.put(.restored)
        _ = inbox.put(try frame(2))
        let taken = words(&inbox)
        #expect(replaced == .unwanted && taken == ["2"])
    }

    @Test func `where every frame is kept, the next is read when one was taken`() throws {
        var inbox = LiveInbox(.recognizing)
        inbox.recognized(as: .keeping)
        var rooms = [inbox.hasRoom]
        _ = inbox.put(try frame(1))
        rooms.append(inbox.hasRoom)
        let taken = words(&inbox)
        rooms.append(inbox.hasRoom)
        _ = inbox.put(try frame(2))
        inbox.stop()
        rooms.append(inbox.hasRoom)
        #expect(taken == ["1"] && rooms == [true, false, true, true])
    }

    @Test func `an input that is not live is left to the caller`() throws {
        for (mode, isLive, left) in [
            (LiveInbox.Mode.recognizing, false, true), (.recognizing, true, false), (.live, false, false),
        ] {
            var inbox = LiveInbox(mode)
            inbox.recognized(as: isLive ? .live : .direct)
            let taken = words(&inbox)
            #expect(taken == (left ? ["direct"] : []))
        }
    }

    @Test func `nothing is kept for a source that is gone`() throws {
        var inbox = LiveInbox(.live)
        _ = inbox.put(try frame(1))
        inbox.stop()
        let replaces = inbox.put(try frame(2))
        let taken = words(&inbox)
        #expect(replaces == .nothing && taken.isEmpty && inbox.isStopped)
    }
}
