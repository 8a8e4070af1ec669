import Dispatch
import Testing

extension DispatchSemaphore {
    /// Waits for a signal, for two minutes at most: far more than anything takes here.
    func wait(for what: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try #require(
            wait(timeout: .now() + .seconds(120)) == .success, "\(what) has not come within 120 s",
            sourceLocation: sourceLocation)
    }
}
