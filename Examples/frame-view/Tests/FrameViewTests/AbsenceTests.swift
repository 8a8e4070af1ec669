import ArgumentParser
import FrameStreaming
import Synchronization
import Testing

@testable import frame_view

/// How long a stream that broke may stay away, by a timer that the test fires.
@Suite struct AbsenceTests {
    private final class Timers: Sendable {
        private let waiting = Mutex<[(Duration, @Sendable () -> Void)]>([])

        var start: Absence.Timer {
            { [self] duration, body in waiting.withLock { $0.append((duration, body)) } }
        }

        var durations: [Duration] { waiting.withLock { $0.map(\.0) } }

        /// Fires the timer of one absence.
        func fire(_ index: Int) { waiting.withLock { $0[index].1 }() }
    }

    private let timers = Timers()
    private let failures = Failures()

    private final class Failures: Sendable {
        let all = Mutex<[FrameStreamingError]>([])
    }

    private func begin(_ absence: Absence) {
        absence.begin { [failures] error in failures.all.withLock { $0.append(error) } }
    }

    @Test func aSenderThatStaysAwayHasFailed() {
        let absence = Absence(patience: .seconds(7), timer: timers.start)
        begin(absence)
        #expect(timers.durations == [.seconds(7)])
        #expect(failures.all.withLock { $0.isEmpty })
        timers.fire(0)
        let words = failures.all.withLock { $0.map(\.message) }
        #expect(words.count == 1 && words[0].contains("within 7 s") && words[0].contains("--return-within"))
    }

    @Test func aSenderThatReturnsInTimeHasNotFailed() {
        let absence = Absence(patience: .seconds(7), timer: timers.start)
        begin(absence)
        absence.end()
        timers.fire(0)
        // Each break has its own time.
        begin(absence)
        timers.fire(0)
        #expect(failures.all.withLock { $0.isEmpty })
        timers.fire(1)
        #expect(failures.all.withLock { $0.count } == 1)
    }

    @Test func withoutALimitNothingIsTimed() {
        begin(Absence(patience: nil, timer: timers.start))
        #expect(timers.durations.isEmpty)
    }

    @Test(
        arguments: [
            (["--listen", "1", "--once"], 60), (["--listen", "1"], nil), (["--from", "a:1"], nil),
            (["--from", "a:1", "--return-within", "5"], 5), (["--listen", "1", "--once", "--return-within", "0"], nil),
        ] as [([String], Int?)])
    func optionsSayHowLong(arguments: [String], seconds: Int?) throws {
        #expect(try ViewOptions.parse(arguments).patience == seconds.map { .seconds($0) })
    }

    @Test(arguments: [
        ["--listen", "1", "--return-within", "5"], ["--from", "a:1", "--no-reconnect", "--return-within", "5"],
        ["--from", "a:1", "--return-within", "86401"],
    ])
    func invalidOptionsAreRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try ViewOptions.parse(arguments) }
    }
}
