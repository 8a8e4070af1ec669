package import FrameStreaming
internal import FrameStreamingSystem

/// Says why there is no connection, each time that the reason is another.
package final class Waiting: Sendable {
    private let output: OutputOptions
    private let reason = Monitor<String?>(nil)

    package init(_ output: OutputOptions) { self.output = output }

    /// Takes note of a reason. False: it is the same as the last time. Attempts come every few seconds, for days.
    func isNews(_ error: FrameStreamingError) -> Bool {
        reason.withLock { reason in
            defer { reason = error.message }
            return reason != error.message
        }
    }

    /// Nobody is there, for this reason, as it was the last time or not.
    package func note(_ address: String, _ error: FrameStreamingError) {
        guard isNews(error) else { return }
        printNote("waiting for \(address): \(error.message)")
        if output.json { printJSON(ConnectionEvent("waiting", address, error.message)) }
    }

    /// There is a connection: the next wait is a new one.
    package func end() { reason.withLock { $0 = nil } }
}
