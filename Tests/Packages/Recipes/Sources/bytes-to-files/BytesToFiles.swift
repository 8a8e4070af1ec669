import Foundation
import FrameStreaming

extension Frame {
    /// The bytes that count, in memory of their own.
    var data: Data { withUnsafeBytes { Data($0) } }
}

@main struct BytesToFiles {
    static func main() throws {
        let codec = JPEGCodec()
        let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver(for: codec), handshake: .automatic)
        let receiver = try FrameReceiver(
            codec: codec, transport: try listener.accept(), decode: DecodeSettings(pixelFormat: .rgb24))
        while let received = try receiver.next() {
            let number = received.info.sequence
            // As it came, and decoded: 3 bytes a pixel, `format.plane(0).stride` bytes a line.
            try received.encoded.data.write(to: URL(fileURLWithPath: "picture-\(number).jpg"))
            try received.frame.data.write(to: URL(fileURLWithPath: "picture-\(number).rgb"))
        }
    }
}
