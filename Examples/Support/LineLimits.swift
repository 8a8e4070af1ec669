package import FrameStreaming

/// The kind of a line that a peer or a device can cause.
///
/// The raw value names the kind in the count of suppressed lines and in `--json`.
package enum LineKind: String, Hashable, Sendable, CaseIterable {
    case connected, disconnected, refused, summary, waiting, stalled
    case sourceLost = "source lost"
    case sourceRestored = "source restored"
    case undecodable = "undecodable frame"
    case requested
    case frame
    case log

    /// How many lines of this kind are printed for one connection, and for all together.
    package var rates: (perSource: LogRate, total: LogRate) {
        switch self {
        // Each connection prints one. A burst of a thousand is allowed, so that
        // ordinary runs print every summary.
        case .connected, .disconnected, .summary:
            (LogRate(burst: 100, interval: .seconds(1)), LogRate(burst: 1_000, interval: .milliseconds(50)))
        // `--verbose` prints a line for each frame: as many as cameras have.
        case .frame:
            (LogRate(burst: 2_000, interval: .milliseconds(2)), LogRate(burst: 4_000, interval: .milliseconds(1)))
        default: (LogRate(burst: 10, interval: .seconds(1)), LogRate(burst: 100, interval: .milliseconds(100)))
        }
    }
}

private let limiter = Locked(LogLimiter<LineKind> { $0.rates })

/// Whether a line that a peer caused is printed now. One that is not is counted.
///
/// - Parameter source: The connection's address, or the device that
///   caused the line; nil = not known.
package func admitsLine(_ kind: LineKind, from source: String?) -> Bool {
    limiter.withLock { $0.admit(kind, from: source, at: .now) }
}

/// Prints how many lines were suppressed, for each kind that is due.
///
/// - Parameter isLast: Whether every kind is due, before the last line of a program.
package func printSuppressedLines(json: Bool, isLast: Bool = false) {
    for suppressed in limiter.withLock({ $0.takeSuppressed(at: .now, isLast: isLast) }) {
        let time = seconds(suppressed.duration)
        printNote(suppressedWords(suppressed.kind, suppressed.count, seconds: time))
        if json { printJSON(SuppressedEvent(suppressed.kind, suppressed.count, seconds: time)) }
    }
}

/// `source lost: ... and 12,345 more like it in 10 s`.
package func suppressedWords(_ kind: LineKind, _ count: Int, seconds: Double) -> String {
    var digits = String(count)
    var groups: [String] = []
    while digits.count > 3 {
        groups.insert(String(digits.suffix(3)), at: 0)
        digits.removeLast(3)
    }
    let number = ([digits] + groups).joined(separator: ",")
    return "\(kind.rawValue): ... and \(number) more like it in \(fixed(seconds.rounded(.up), 0)) s"
}
