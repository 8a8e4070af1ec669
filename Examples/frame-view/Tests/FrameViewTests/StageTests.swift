import Dispatch
import FrameStreaming
import Synchronization
import Testing

@testable import frame_view

@Suite struct StageTests {
    private let picture: ReceivedFrame

    init() throws { picture = try TestPictures.received(TestPictures.jpeg(width: 16, height: 16)) }

    /// Runs `body` on a thread of its own; the result waits for its end.
    private static func inBackground(_ body: @escaping @Sendable () -> Void) throws -> DispatchSemaphore {
        let isDone = DispatchSemaphore(value: 0)
        try startThread("test") {
            body()
            isDone.signal()
        }
        return isDone
    }

    @Test func aPictureIsTakenOnceAndWaitedForUntilItIsOnTheScreen() throws {
        let woken = DispatchSemaphore(value: 0)
        let stage = Stage(.waiting("")) { woken.signal() }
        let picture = picture
        let (presented, seen) = (Flag(), Flag())
        let isDone = try Self.inBackground {
            stage.show(picture)
            seen.value.store(presented.value.load(ordering: .acquiring), ordering: .releasing)
        }
        try woken.wait(for: "the news")
        #expect(stage.take().picture?.info.sequence == 1)
        #expect(stage.take().picture == nil)
        presented.value.store(true, ordering: .releasing)
        stage.presented()
        try isDone.wait(for: "the end of show")
        let wasOnTheScreen = seen.value.load(ordering: .acquiring)
        #expect(wasOnTheScreen)
    }

    /// An atomic that closures share.
    private final class Flag: Sendable {
        let value = Atomic(false)
    }

    @Test func closingLetsThePictureGoThatWaits() throws {
        let woken = DispatchSemaphore(value: 0)
        let stage = Stage(.waiting("")) { woken.signal() }
        let picture = picture
        let isDone = try Self.inBackground { stage.show(picture) }
        try woken.wait(for: "the news")
        stage.close("window closed")
        try isDone.wait(for: "the end of show")
        // And none waits afterwards.
        stage.show(picture)
    }

    /// An exposed window is drawn again, which must not count for a
    /// picture that arrived in between.
    @Test func onlyAPictureThatWasTakenIsPresented() throws {
        let woken = DispatchSemaphore(value: 0)
        let stage = Stage(.waiting("")) { woken.signal() }
        #expect(stage.take().picture == nil)
        let picture = picture
        let isDone = try Self.inBackground { stage.show(picture) }
        try woken.wait(for: "the news")
        stage.presented()
        stage.presented()
        #expect(isDone.wait(timeout: .now() + .milliseconds(50)) == .timedOut)
        #expect(stage.take().picture != nil)
        stage.presented()
        try isDone.wait(for: "the end of show")
        // And the next one waits as the first did.
        let next = try Self.inBackground { stage.show(picture) }
        try woken.wait(for: "the news")
        stage.presented()
        #expect(next.wait(timeout: .now() + .milliseconds(50)) == .timedOut)
        _ = stage.take()
        stage.presented()
        try next.wait(for: "the end of show")
    }

    @Test func aWaitIsNoNewsAfterAStream() {
        let stage = Stage(.waiting("listening")) {}
        stage.waits("nobody there")
        #expect(stage.take().status == .waiting("nobody there"))
        stage.note(.sourceLost("unplugged"))
        #expect(stage.take().status == .sourceLost("unplugged"))
        stage.leave(.broken("cable"))
        stage.waits("nobody there")
        #expect(stage.take().status == .broken("cable") && stage.take().receiver == nil)
    }

    @Test func theFirstReasonToEndCounts() {
        let stage = Stage(.waiting("")) {}
        stage.end(.over(FrameStreamingError(.rejected, "no")))
        stage.end(.interrupted)
        guard case .over(let error) = stage.take().end else {
            Issue.record("not the first")
            return
        }
        #expect(error?.message == "no")
    }
}
