import Foundation
import FrameStreaming

@main struct ChangeQuality {
    static func main() throws {
        var source = try TestPatternSource(width: 1280, height: 720)
        let transport = try TCPTransport.connect(to: "localhost:5600", role: .sender)
        let sender = try FrameSender(codec: JPEGCodec(), transport: transport, options: SenderOptions(for: source))
        // A line with a number is a quality, from the next picture on; the
        // end of the input ends the stream.
        Thread.detachNewThread {
            while let line = readLine() {
                do { try sender.updateEncodeSettings { $0.quality = Int(line) ?? 0 } } catch { print(error) }
            }
            sender.stop()
        }
        print(try sender.run(&source).total.acknowledged, "pictures arrived")
    }
}
