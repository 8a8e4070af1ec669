import FrameStreaming

@main struct ServeMany {
    static func main() throws {
        let codec = JPEGCodec()
        let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver(for: codec), handshake: .automatic)
        try listener.serve(maximumConnections: 8, onError: { print($0) }) { transport in
            let receiver = try FrameReceiver(codec: codec, transport: transport)
            let name = receiver.peer.stream ?? receiver.peer.address
            while let received = try receiver.next() { print(name, received.info.sequence, received.frame.format) }
        }
    }
}
