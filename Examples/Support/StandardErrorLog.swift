internal import FoundationEssentials
package import Logging

/// `2026-11-23T12:00:00Z notice frame-send: words [key=value ...]`, a line each.
///
/// swift-log's own writer does not know of the status line on the terminal.
package struct StandardErrorLog: LogHandler {
    private let label: String
    package var logLevel = Logger.Level.notice
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    package init(label: String) { self.label = label }

    /// A logger on standard error, because standard output is for results, possibly as JSON.
    package static func logger(label: String, level: Logger.Level) -> Logger {
        var logger = Logger(label: label, factory: { StandardErrorLog(label: $0) })
        logger.logLevel = level
        return logger
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        // An event that a device repeats a thousand times a second must not print a thousand lines.
        let subject = event.metadata?["event"].map { "\($0)" } ?? "\(event.level)"
        guard admitsLine(.log, from: subject) else { return }
        var all = metadata
        all.merge(metadataProvider?.get() ?? [:]) { $1 }
        all.merge(event.metadata ?? [:]) { $1 }
        printNote("\(Date.now.formatted(.iso8601)) \(Self.line(event.level, label, "\(event.message)", all))")
    }

    /// The line behind the time.
    package static func line(_ level: Logger.Level, _ label: String, _ words: String, _ metadata: Logger.Metadata)
        -> String
    {
        let pairs = metadata.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: " ")
        return "\(level) \(label): \(words)" + (pairs.isEmpty ? "" : " [\(pairs)]")
    }
}
