import Foundation
import FrameStreamingSystem
public import Testing

/// Runs each test of a suite on a thread of its own. The number of tests that run at once is
/// limited, for the suite and for all suites together.
///
/// A test that blocks would otherwise hold one of Swift's cooperative threads, of which there are
/// as many as cores: two such tests on two cores starve every task, and no third test begins.
/// If all ran at once, a slow machine would not get to each of them within the times that they
/// allow; a test that waits for its place has not begun, and so none of its times runs.
///
/// A test that does not end is named, and ends the process (`TestWatch`).
public struct OwnThread: SuiteTrait, TestTrait, TestScoping {
    /// Ten, or as many as `FRAMESTREAMING_TESTS_AT_ONCE` says: under a sanitizer fewer, because
    /// each test takes many times as long.
    static let mostAtOnce =
        ProcessInfo.processInfo.environment["FRAMESTREAMING_TESTS_AT_ONCE"].flatMap(Int.init) ?? 10

    private static let placesOfAll = Places(mostAtOnce)
    private let places: Places

    init(atOnce limit: Int) { places = Places(limit) }

    /// Nested suites and their tests share the suite's places.
    public var isRecursive: Bool { true }

    /// Waits for a place, then runs the test on a thread of its own.
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await places.enter()
        defer { places.leave() }
        await Self.placesOfAll.enter()
        defer { Self.placesOfAll.leave() }
        let watch = try TestWatch.begin("\(test.id)")
        defer { TestWatch.end(watch) }
        let executor = try ThreadExecutor()
        defer { executor.stop() }
        try await withTaskExecutorPreference(executor) { try await function() }
    }
}

extension Trait where Self == OwnThread {
    /// Each test on a thread of its own, at most `limit` of the suite at once.
    public static func ownThread(atOnce limit: Int) -> Self { Self(atOnce: limit) }
}

/// The places of a suite: tests wait for one without holding a thread.
private final class Places: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Monitor<State>

    init(_ limit: Int) { state = Monitor(State(free: limit)) }

    func enter() async {
        await withCheckedContinuation { continuation in
            let hasPlace = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if hasPlace { continuation.resume() }
        }
    }

    func leave() {
        let next: CheckedContinuation<Void, Never>? = state.withLock { state in
            if state.waiting.isEmpty {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}

/// A thread that runs tasks until it is stopped.
final class ThreadExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isStopped = false
    }

    private let state = Monitor(State())

    init() throws {
        let state = state
        _ = try SystemThread(name: "test", stackSize: 2 << 20) { [self] in
            while true {
                let next: UnownedJob?? = state.wait(until: nil) { state in
                    if !state.jobs.isEmpty { return .some(state.jobs.removeFirst()) }
                    return state.isStopped ? .some(nil) : nil
                }
                guard case .some(.some(let job)) = next else { return }
                unsafe job.runSynchronously(on: asUnownedTaskExecutor())
            }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.update { $0.jobs.append(job) }
    }

    func stop() { state.update { $0.isStopped = true } }
}
