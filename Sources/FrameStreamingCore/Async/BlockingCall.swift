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
