import FrameStreamingSystem
public import Testing

/// A call on a thread of its own, and its result.
public final class Background<Value: Sendable>: Sendable {
    private let result = Monitor<Result<Value, any Error>?>(nil)
    private let what: String
    private let start: SourceLocation

    /// Starts the call.
    ///
    /// - Parameter what: What the call is, for the failure of a test that waits for it in vain.
    public init(
        _ what: String = "the call", sourceLocation: SourceLocation = #_sourceLocation,
        _ body: @escaping @Sendable () throws -> Value
    ) throws {
        (self.what, start) = (what, sourceLocation)
        let result = result
        _ = try SystemThread(name: "test") {
            let value = Result { try body() }
            result.update { $0 = value }
        }
    }

    /// Waits for the end, for so many seconds at most, and returns or throws what the call did.
    @discardableResult
    public func value(
        atMost seconds: Int = longestWait, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Value {
        let outcome = result.wait(until: waitLimit(atMost: seconds)) { $0 }
        return try #require(
            outcome, "\(what), begun at \(start), has not ended within \(seconds) s",
            sourceLocation: sourceLocation
        ).get()
    }

    /// Returns the error with which the call must end; nil if it is of another type. A
    /// call without an error is an issue.
    public func error<Failure: Error>(
        as type: Failure.Type, sourceLocation: SourceLocation = #_sourceLocation
    ) -> Failure? {
        do {
            let value = try value(sourceLocation: sourceLocation)
            Issue.record("no error, but \(value)", sourceLocation: sourceLocation)
            return nil
        } catch {
            return error as? Failure
        }
    }

    /// Whether the call has ended.
    public var isDone: Bool { result.withLock { $0 != nil } }
}
