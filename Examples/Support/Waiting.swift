package import FrameStreaming

/// Says why there is no connection, each time that the reason is another.
package final class Waiting: Sendable {
    private let output: OutputOptions
    /// The last reason for each peer.
    private let reasons = Locked<[String: String]>([:])

    package init(_ output: OutputOptions) { self.output = output }

    /// More peers than that are forgotten all at once: their reasons are then said once more.
    private static let mostReasons = 1_000

    /// Takes note of a reason. False: it is the same as the last time. Attempts
    /// come every few seconds, for days.
    func isNews(_ address: String, _ error: FrameStreamingError) -> Bool {
        reasons.withLock { reasons in
            if reasons.count >= Self.mostReasons, reasons[address] == nil { reasons = [:] }
            return reasons.updateValue(error.message, forKey: address) != error.message
        }
    }

    /// Nobody is there, for this reason, as it was the last time or not.
    package func note(_ address: String, _ error: FrameStreamingError) {
        // A peer that gives another reason each time has the limit of every line.
        guard isNews(address, error), admitsLine(.waiting, from: address) else { return }
        printNote("waiting for \(address): \(error.message)")
        if output.json { printJSON(ConnectionEvent("waiting", address, error.message)) }
    }

    /// There is a connection to this peer, which was perhaps waited for by another of its
    /// names: the next wait is a new one.
    package func end(_ address: String) {
        reasons.withLock { reasons in
            if reasons.removeValue(forKey: address) == nil, reasons.count == 1 { reasons = [:] }
        }
    }
}
