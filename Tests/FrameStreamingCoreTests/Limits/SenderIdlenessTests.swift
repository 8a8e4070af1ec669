import Testing

@testable import FrameStreamingCore

@Suite struct SenderIdlenessTests {
    private func time(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

    @Test func aSenderThatSendsNothingIsIdle() {
        let idleness = SenderIdleness(.seconds(10), at: time(100))
        #expect(idleness.due(at: time(101)) == time(110))
        #expect(!idleness.isOver(at: time(109)) && idleness.isOver(at: time(110)))
    }

    @Test func framesBeginTheTimeAnew() {
        var idleness = SenderIdleness(.seconds(10), at: time(100))
        idleness.noteArrival(1, at: time(109))
        idleness.noteAcknowledgement(1, at: time(112))
        #expect(!idleness.isOver(at: time(121)) && idleness.isOver(at: time(122)))
        #expect(idleness.due(at: time(113)) == time(122))
    }

    /// A sender without credit is not idle, however slow the consumer is.
    @Test func timeOfTheConsumerDoesNotCount() {
        var idleness = SenderIdleness(.seconds(10), at: time(100))
        idleness.noteArrival(1, at: time(101))
        idleness.noteArrival(2, at: time(102))
        idleness.noteAcknowledgement(1, at: time(103))
        #expect(!idleness.isOver(at: time(1_000)) && idleness.due(at: time(1_000)) == time(1_010))
        idleness.noteAcknowledgement(2, at: time(2_000))
        #expect(!idleness.isOver(at: time(2_009)) && idleness.isOver(at: time(2_010)))
    }

    @Test func extremesDoNotTrap() {
        var idleness = SenderIdleness(.seconds(Int64.max), at: MonotonicTime(nanoseconds: .max))
        idleness.noteArrival(.max, at: MonotonicTime(nanoseconds: .min))
        idleness.noteAcknowledgement(.max, at: MonotonicTime(nanoseconds: .max))
        #expect(idleness.due(at: MonotonicTime(nanoseconds: .min)) == MonotonicTime(nanoseconds: .max))
    }
}
