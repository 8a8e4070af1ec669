import ArgumentParser
import Dispatch
import FrameStreaming
import FrameStreamingTesting
import Synchronization
import Testing

@testable import frame_view

/// The receiving thread, with a sender at the other end and a test in place of the window.
@Suite struct ReceivingTests {
    /// Plays the window, and notes each status once and the pictures.
    private final class PlayedWindow: Sendable {
        let stage: Stage
        private let woken: DispatchSemaphore
        private let seen = Mutex((statuses: [StreamStatus](), pictures: 0))
        private let isDone = DispatchSemaphore(value: 0)
        private let hasLooked = DispatchSemaphore(value: 0)

        init() {
            let woken = DispatchSemaphore(value: 0)
            self.woken = woken
            stage = Stage(.waiting("for the test")) { woken.signal() }
        }

        /// Takes news until the receiving thread ends, or closes after `pictures` pictures.
        func run(closingAfter pictures: Int = .max) throws {
            try startThread("test") { [self] in
                defer { isDone.signal() }
                while true {
                    guard woken.wait(timeout: .now() + .seconds(120)) == .success else { return }
                    let news = stage.take()
                    let isEnough = seen.withLock { seen in
                        if seen.statuses.last != news.status { seen.statuses.append(news.status) }
                        if news.picture != nil { seen.pictures += 1 }
                        return seen.pictures >= pictures
                    }
                    hasLooked.signal()
                    stage.presented()
                    if isEnough { stage.close("window closed") }
                    if isEnough || news.end != nil { return }
                }
            }
        }

        func waitForEnd() throws { try isDone.wait(for: "the end of the window") }

        /// Waits until the shown status satisfies `isAsked`; a wait in vain is an issue.
        func wait(for isAsked: (StreamStatus?) -> Bool) {
            do {
                while !isAsked(statuses.last) { try hasLooked.wait(for: "a look at the news") }
            } catch {}
        }

        /// Waits until a picture was shown; a wait in vain is an issue.
        func waitForPicture() {
            do {
                while pictures == 0 { try hasLooked.wait(for: "a picture") }
            } catch {}
        }

        var statuses: [StreamStatus] { seen.withLock { $0.statuses } }
        var pictures: Int { seen.withLock { $0.pictures } }
    }

    private func receiving(_ stage: Stage, _ arguments: [String]) throws -> Receiving {
        let options = try ViewOptions.parse(["--listen", "127.0.0.1:0", "--json"] + arguments)
        return Receiving(
            options, try options.way(), stage, ViewingCodec(largest: Size(width: 4096, height: 4096)),
            ViewReport(json: true))
    }

    /// Events, each given only when the window shows the effect of the one before.
    private struct WatchedSource: FrameSource {
        var steps: [SourceEvent]
        let window: PlayedWindow
        let isLive = false

        mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
            switch last {
            case .lost: window.wait { if case .sourceLost = $0 { true } else { false } }
            case .restored: window.wait { $0?.isLive == true }
            case .frame, .damaged, nil: break
            @unknown default: Issue.record("a step that this source does not know")
            }
            last = steps.isEmpty ? nil : steps.removeFirst()
            return last
        }

        private var last: SourceEvent?

        init(_ steps: [SourceEvent], _ window: PlayedWindow) {
            self.steps = steps
            self.window = window
        }
    }

    /// Sends the script to a receiving thread with its window, and returns how the sender fared.
    private func play(
        _ steps: [SourceEvent], to window: PlayedWindow, closingAfter pictures: Int = .max
    ) throws -> SenderSummary {
        let link = MemoryTransport.pair()
        let receiving = try receiving(window.stage, ["--once"])
        let isDone = DispatchSemaphore(value: 0)
        try window.run(closingAfter: pictures)
        try startThread("test") {
            try? receiving.run(link.receiver)
            isDone.signal()
        }
        var options = SenderOptions(policy: .reliable)
        options.stallTimeout = .seconds(120)
        let sender = try FrameSender(codec: JPEGCodec(), transport: link.sender, options: options)
        var source = WatchedSource(steps, window)
        try sender.run(&source)
        try isDone.wait(for: "the end of the receiver")
        try window.waitForEnd()
        return sender.summary
    }

    private let picture: Frame

    init() throws { picture = try TestPictures.jpeg(width: 32, height: 24) }

    @Test func aStreamIsShownToItsEnd() throws {
        let window = PlayedWindow()
        let sent = try play([.frame(picture), .frame(picture)], to: window)
        #expect(window.pictures >= 1 && sent.total.acknowledged == 2)
        let statuses = window.statuses
        guard case .ended(let words) = statuses.last else {
            Issue.record("\(statuses)")
            return
        }
        #expect(words == "end of stream")
    }

    @Test func theLossAndReturnOfASourceAreShown() throws {
        let window = PlayedWindow()
        let lost = FrameStreamingError(.sourceLost, "the camera is gone")
        _ = try play(
            [.frame(picture), .lost(error: lost), .restored, .frame(picture)], to: window)
        let statuses = window.statuses
        #expect(statuses.contains(.sourceLost("the camera is gone")), "\(statuses)")
        // Live again after that, and then at its end.
        #expect(statuses.suffix(2).first?.isLive == true, "\(statuses)")
    }

    @Test func closingTheWindowTellsTheSenderWhy() throws {
        let window = PlayedWindow()
        let steps = [SourceEvent](repeating: .frame(picture), count: 1000)
        let sent = try play(steps, to: window, closingAfter: 3)
        #expect(sent.receivers[0].peer.goodbye == "window closed" && sent.receivers[0].end == .bye)
        #expect(window.pictures == 3 && sent.total.acknowledged < 1000)
    }

    @Test func aSenderThatConnectsAfterTheWindowWasClosedGetsItsGoodbye() throws {
        let window = PlayedWindow()
        window.stage.close("window closed")
        let steps = [SourceEvent](repeating: .frame(picture), count: 1000)
        let sent = try play(steps, to: window)
        #expect(sent.receivers[0].peer.goodbye == "window closed" && window.pictures == 0)
    }

    /// Breaks the connection once the window has shown its picture.
    private struct BreakingSource: FrameSource {
        let picture: Frame
        let window: PlayedWindow
        let link: MemoryTransport
        let isLive = false
        private var isSent = false

        init(_ picture: Frame, _ window: PlayedWindow, _ link: MemoryTransport) {
            self.picture = picture
            self.window = window
            self.link = link
        }

        mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
            guard isSent else {
                isSent = true
                return .frame(picture)
            }
            window.waitForPicture()
            link.close()
            return nil
        }
    }

    /// Plays a stream that breaks after its first picture. Returns the error of the connection.
    private func playBroken(to window: PlayedWindow, _ arguments: [String]) throws -> FrameStreamingError? {
        let link = MemoryTransport.pair()
        let receiving = try receiving(window.stage, arguments)
        let isDone = DispatchSemaphore(value: 0)
        let failure = Mutex<FrameStreamingError?>(nil)
        try window.run(closingAfter: .max)
        try startThread("test") {
            do throws(FrameStreamingError) {
                try receiving.run(link.receiver)
            } catch {
                failure.withLock { $0 = error }
            }
            isDone.signal()
        }
        let sender = try FrameSender(
            codec: JPEGCodec(), transport: link.sender, options: SenderOptions(policy: .reliable))
        var source = BreakingSource(picture, window, link.sender)
        _ = try? sender.run(&source)
        try isDone.wait(for: "the end of the receiver")
        return failure.withLock { $0 }
    }

    @Test func theOnlyStreamThatBreaksAndCannotComeBackIsTheEnd() throws {
        let window = PlayedWindow()
        // Connections in memory have no sessions, so a stream that came back cannot be recognised.
        #expect(try playBroken(to: window, ["--once"])?.code == .endedWithoutGoodbye)
        try window.waitForEnd()
        guard case .over(let failure) = window.stage.take().end else {
            Issue.record("the window stays")
            return
        }
        #expect(failure?.code == .endedWithoutGoodbye)
    }

    @Test func aBrokenConnectionIsShown() throws {
        let window = PlayedWindow()
        #expect(try playBroken(to: window, [])?.code == .endedWithoutGoodbye)
        guard case .broken = window.stage.take().status else {
            Issue.record("\(window.stage.take().status)")
            return
        }
        #expect(window.stage.take().receiver == nil)
        // The played window runs until the stage ends it.
        window.stage.end(.over(nil))
        try window.waitForEnd()
    }

    @Test(arguments: [["--once"], ["--once", "--no-reconnect"], []])
    func aConnectionWithoutAPictureChangesNothing(arguments: [String]) throws {
        let window = PlayedWindow()
        let link = MemoryTransport.pair()
        let receiving = try receiving(window.stage, arguments)
        link.sender.close()
        let error = #expect(throws: FrameStreamingError.self) { try receiving.run(link.receiver) }
        #expect(error?.code == .endedWithoutGoodbye)
        let news = window.stage.take()
        #expect(news.status == .waiting("for the test") && news.receiver == nil)
        #expect(news.end == nil, "the window closes")
    }

    @Test func aConnectionWithoutAPictureDoesNotEndTheWaitForAStream() throws {
        let isOver = Mutex<(@Sendable () -> Void)?>(nil)
        let absence = Absence(patience: .seconds(60)) { _, body in isOver.withLock { $0 = body } }
        let ended = Mutex(false)
        absence.begin { _ in ended.withLock { $0 = true } }
        let window = PlayedWindow()
        let link = MemoryTransport.pair()
        let options = try ViewOptions.parse(["--listen", "127.0.0.1:0", "--once"])
        let receiving = Receiving(
            options, try options.way(), window.stage, ViewingCodec(largest: Size(width: 4096, height: 4096)),
            ViewReport(json: true), absence: absence)
        link.sender.close()
        _ = try? receiving.run(link.receiver)
        isOver.withLock { $0 }?()
        #expect(ended.withLock { $0 })
    }
}
