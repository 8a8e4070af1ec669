import FrameStreaming
import Glibc

@main struct Program {
    static func main() {
        do {
            if CommandLine.arguments.contains("receive") { try receive() } else { try send() }
        } catch {
            print(error)
            exit(1)
        }
    }

    static func receive() throws {
        let codec = JPEGCodec()
        let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver(for: codec), handshake: .automatic)
        // The events are frames that do not decode, and what the sender says of its source.
        let receiver = try FrameReceiver(codec: codec, transport: try listener.accept(), onEvent: { print($0) })
        while let received = try receiver.next() { print(received.frame.format, received.age ?? .zero) }
    }

    static func send() throws {
        var source = try TestPatternSource(width: 1280, height: 720)
        let transport = try TCPTransport.connect(to: "localhost:5600", role: .sender)
        let sender = try FrameSender(codec: JPEGCodec(), transport: transport, options: SenderOptions(for: source))
        try sender.run(&source)
    }
}
