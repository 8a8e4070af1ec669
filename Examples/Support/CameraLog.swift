package import FrameStreaming
package import Logging

/// What happens to a camera beside pictures, in a log.
package struct CameraLog: Sendable {
    private let logger: Logger

    /// On standard error.
    package init(label: String, level: Logger.Level) {
        self.init(StandardErrorLog.logger(label: label, level: level))
    }

    /// With any logger.
    package init(_ logger: Logger) { self.logger = logger }

    /// One line of the log.
    package func note(_ event: CameraEvent) {
        logger.log(level: Self.level(of: event.kind), "\(event.message)", metadata: Self.metadata(of: event))
    }

    private static func level(of kind: CameraEvent.Kind) -> Logger.Level {
        switch kind {
        case .lost: .error
        case .restarted, .damaged, .controlRefused: .warning
        // Every few seconds for as long as the camera is away, and a second
        // where the driver drops pictures.
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
