import FrameStreaming

@main struct Relay {
    static func main() throws {
        let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver, handshake: .automatic)
        try listener.serve(maximumConnections: 1, onError: { print($0) }) { transport in
            // Nothing is decoded here: the frames go on as they came.
            var source = ReceiverSource(try FrameReceiver(codec: JPEGCodec(), transport: transport, decode: nil))
            let viewer = try TCPTransport.connect(to: "viewer:5600", role: .sender)
            let sender = try FrameSender(codec: JPEGCodec(), transport: viewer, options: SenderOptions(for: source))
            print(try sender.run(&source).total.acknowledged, "frames were passed on")
        }
    }
}
