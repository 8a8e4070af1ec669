import FrameStreamingSystem
import Testing

/// Runs each test on a thread of its own. These tests wait for a server that needs Swift's cooperative threads, of which there are as many as
/// cores: a test that waits on one of them, and the programs' tests on another, would leave none.
struct OwnThread: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        let executor = ThreadExecutor()
        defer { executor.stop() }
        try await withTaskExecutorPreference(executor) { try await function() }
    }
}

extension Trait where Self == OwnThread {
    static var ownThread: Self { Self() }
}

private final class ThreadExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isStopped = false
    }

    private let state = Monitor(State())

    init() {
        let state = state
        _ = try? SystemThread(name: "test", stackSize: 2 << 20) { [self] in
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
