import FrameStreaming
internal import Logging

#if Media
    internal import FrameStreamingMedia
#endif

/// Logs what happens to a live stream.
struct FilmLog: Sendable {
    private let logger: Logger

    /// Logs to standard error.
    init(label: String, level: Logger.Level) { logger = StandardErrorLog.logger(label: label, level: level) }

    #if Media
        /// Writes one line.
        func note(_ event: MediaEvent) {
            let level: Logger.Level =
                switch event.kind {
                case .lost: .error
                // Every few seconds while the stream is away.
                case .stillLost: .info
                default: .notice
                }
            var metadata: Logger.Metadata = ["event": "\(event.kind)"]
            if let error = event.error { metadata["code"] = "\(error.code)" }
            if let pause = event.retryAfter { metadata["retry_ms"] = "\(Int(milliseconds(pause)))" }
            logger.log(level: level, "\(event.message)", metadata: metadata)
        }
    #endif
}
