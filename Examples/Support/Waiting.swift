package import FrameStreaming

/// Prints why there is no connection, each time that the reason changes.
package final class Waiting: Sendable {
    private let output: OutputOptions
    /// The last reason for each peer.
    private let reasons = Locked<[String: String]>([:])

    package init(_ output: OutputOptions) { self.output = output }

    /// The most peers that are remembered. Beyond that all are forgotten, and
    /// their reasons are printed once more.
    private static let mostReasons = 1_000

    /// Notes a reason. Returns false if it is that of the last attempt: attempts are
    /// made every few seconds, for days.
    func isNews(_ address: String, _ error: FrameStreamingError) -> Bool {
        reasons.withLock { reasons in
            if reasons.count >= Self.mostReasons, reasons[address] == nil { reasons = [:] }
            return reasons.updateValue(error.message, forKey: address) != error.message
        }
    }

    /// Notes that the peer cannot be reached, and prints the reason if it is new.
    ///
    /// - Parameter name: What people call the peer; nil = its address.
    package func note(_ address: String, _ error: FrameStreamingError, named name: String? = nil) {
        // A peer that gives another reason each time is limited like every line.
        guard isNews(address, error), admitsLine(.waiting, from: address) else { return }
        printNote("waiting for \(name ?? address): \(error.message)")
        if output.json { printJSON(ConnectionEvent("waiting", address, error.wholeMessage)) }
    }

    /// Notes that the peer is connected, possibly under another of its
    /// names: the next wait is a new one.
    package func end(_ address: String) {
        reasons.withLock { reasons in
            if reasons.removeValue(forKey: address) == nil, reasons.count == 1 { reasons = [:] }
        }
    }
}
