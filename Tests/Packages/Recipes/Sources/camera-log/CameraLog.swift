import FrameStreaming
import Logging

@main struct CameraLog {
    static func main() throws {
        let logger = Logger(label: "front-door", factory: { StreamLogHandler.standardError(label: $0) })
        var options = V4L2CameraOptions()
        options.onEvent = { event in
            let level: Logger.Level = event.kind == .lost ? .error : event.error == nil ? .notice : .warning
            logger.log(level: level, "\(event.message)", metadata: ["event": "\(event.kind)"])
        }
        var camera = try V4L2Camera(path: "/dev/video0", options: options)
        let transport = try TCPTransport.connect(to: "localhost:5600", role: .sender)
        let sender = try FrameSender(codec: JPEGCodec(), transport: transport, options: SenderOptions(for: camera))
        try sender.run(&camera)
    }
}
