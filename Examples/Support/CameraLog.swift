package import FrameStreaming
package import Logging

/// Logs a camera's events.
package struct CameraLog: Sendable {
    private let logger: Logger

    /// Logs to standard error.
    package init(label: String, level: Logger.Level) {
        self.init(StandardErrorLog.logger(label: label, level: level))
    }

    /// Logs to `logger`.
    package init(_ logger: Logger) { self.logger = logger }

    /// Writes one line.
    package func note(_ event: CameraEvent) {
        logger.log(level: Self.level(of: event.kind), "\(event.message)", metadata: Self.metadata(of: event))
    }

    private static func level(of kind: CameraEvent.Kind) -> Logger.Level {
        switch kind {
        case .lost: .error
        case .restarted, .damaged, .controlRefused: .warning
        // Reported every few seconds while the camera is away, and every second
        // while the driver drops pictures.
        case .stillLost, .dropped: .info
        default: .notice
        }
    }

    private static func metadata(of event: CameraEvent) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["event": "\(event.kind)"]
        if let error = event.error { metadata["code"] = "\(error.code)" }
        if let granted = event.granted {
            metadata["size"] = "\(granted.frame.width)x\(granted.frame.height)"
            metadata["format"] = "\(granted.native.fourcc)"
            metadata["rate"] = granted.rate.map { "\($0)" }
            metadata["range"] = "\(granted.frame.colorRange)"
            metadata["matrix"] = "\(granted.frame.colorMatrix)"
            metadata["buffers"] = "\(granted.bufferCount)"
        }
        if let pause = event.retryAfter { metadata["retry_ms"] = "\(Int(milliseconds(pause)))" }
        if let count = event.frameCount { metadata["pictures"] = "\(count)" }
        return metadata
    }
}
