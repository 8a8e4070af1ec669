internal import FrameStreamingSystem

/// Makes a blocking call on a library thread, while the task that asks waits without blocking.
///
/// Swift runs all tasks on as many threads as there are cores. Blocking calls would hold them, so
/// that what the calls wait for might never run.
///
/// - Parameters:
///   - name: The thread's name, `fs-...`.
///   - cancel: Called when the task is cancelled, also if it was before. Ends the call within
///     100 ms, also a call that begins later.
///   - body: The call. The task waits until it has returned, so its results are not lost.
/// - Throws: What `body` throws; `system` if no thread could be started.
package func callOnThread<Value: Sendable>(
    _ name: String, cancel: @escaping @Sendable () -> Void,
    _ body: @escaping @Sendable () throws(FrameStreamingError) -> Value
) async throws(FrameStreamingError) -> Value {
    let outcome: Result<Value, FrameStreamingError> = await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            do throws(SystemError) {
                _ = try SystemThread(name: name) {
                    continuation.resume(returning: Result { () throws(FrameStreamingError) in try body() })
                }
            } catch {
                let failure = FrameStreamingError(error, remedy: "no thread could be started for the call")
                continuation.resume(returning: .failure(failure))
            }
        }
    } onCancel: {
        cancel()
    }
    return try outcome.get()
}

/// The same for a call that ends by itself soon: a cancel of the task ends only its wait. The
/// thread goes on with the call, and its result is dropped.
///
/// - Parameters:
///   - name: The thread's name, `fs-...`.
///   - answer: The result for a task that is cancelled before the call has returned.
///   - body: The call. It is made in any case.
/// - Throws: What `body` throws, or the answer; `system` if no thread could be started.
package func callOnThread<Value: Sendable>(
    _ name: String, whenCancelled answer: Result<Value, FrameStreamingError>,
    _ body: @escaping @Sendable () throws(FrameStreamingError) -> Value
) async throws(FrameStreamingError) -> Value {
    let call = AbandonableCall<Value>()
    let outcome: Result<Value, FrameStreamingError> = await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            call.begin(continuation)
            do throws(SystemError) {
                _ = try SystemThread(name: name) {
                    call.answer(Result { () throws(FrameStreamingError) in try body() })
                }
            } catch {
                call.answer(.failure(FrameStreamingError(error, remedy: "no thread could be started for the call")))
            }
        }
    } onCancel: {
        call.answer(answer)
    }
    return try outcome.get()
}

/// The answer that a task waits for. The first one counts.
private final class AbandonableCall<Value: Sendable>: Sendable {
    typealias Answer = Result<Value, FrameStreamingError>

    private enum State {
        /// The task does not wait yet.
        case fresh
        case waiting(CheckedContinuation<Answer, Never>)
        /// The answer came before the task waited.
        case early(Answer)
        case answered
    }

    private let state = Monitor(State.fresh)

    func begin(_ continuation: CheckedContinuation<Answer, Never>) {
        let early: Answer? = state.withLock { state in
            if case .early(let answer) = state {
                state = .answered
                return answer
            }
            state = .waiting(continuation)
            return nil
        }
        if let early { continuation.resume(returning: early) }
    }

    func answer(_ answer: Answer) {
        let waiting: CheckedContinuation<Answer, Never>? = state.withLock { state in
            switch state {
            case .fresh:
                state = .early(answer)
                return nil
            case .waiting(let continuation):
                state = .answered
                return continuation
            case .early, .answered: return nil
            }
        }
        waiting?.resume(returning: answer)
    }
}
