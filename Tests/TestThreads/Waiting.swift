import FrameStreamingSystem
public import Testing

/// How long a test waits for one thing, in seconds: far more than anything takes here, on a slow
/// machine and under a sanitizer too.
public let longestWait = 120

/// When a wait that begins now ends at the latest: CLOCK_MONOTONIC nanoseconds.
public func waitLimit(atMost seconds: Int = longestWait) -> Int64 {
    monotonicNow() + Int64(seconds) * 1_000_000_000
}

/// Waits until a condition holds, for changes that wake no thread: looks each millisecond.
///
/// - Parameter what: What is waited for, where the line does not say it well.
/// - Throws: The failure that is recorded when the condition does not come to hold.
public func waitUntil(
    _ what: String = "the condition of this line", atMost seconds: Int = longestWait,
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) throws {
    let limit = waitLimit(atMost: seconds)
    while try !condition() {
        try #require(
            monotonicNow() < limit, "waited \(seconds) s in vain for this: \(what)",
            sourceLocation: sourceLocation)
        sleep(until: monotonicNow() + 1_000_000)
    }
}
