/// Calls `body` with each element, at most `limit` at once, each of those on a thread
/// of its own: for calls that mostly wait. What they expect counts for the test that
/// calls this. Throws the first error.
public func sideBySide<Element: Sendable>(
    _ elements: [Element], atOnce limit: Int, _ body: @escaping @Sendable (Element) throws -> Void
) async throws {
    let limit = min(limit, OwnThread.mostAtOnce)
    try await withThrowingTaskGroup(of: Void.self) { group in
        for first in 0..<min(limit, elements.count) {
            let executor = try ThreadExecutor()
            group.addTask(executorPreference: executor) {
                defer { executor.stop() }
                for index in stride(from: first, to: elements.count, by: limit) { try body(elements[index]) }
            }
        }
        try await group.waitForAll()
    }
}
