import FrameStreaming
import FrameStreamingPreview

@main struct Viewer {
    static func main() throws {
        let preview = try PreviewServer(on: "8080", codec: JPEGCodec())
        print(preview.address)  // http://127.0.0.1:8080/
        let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver, handshake: .automatic)
        try listener.serve(maximumConnections: 8, onError: { print($0) }) { transport in
            let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport, decode: nil)
            let stream = preview.stream(of: receiver.peer)
            while let received = try receiver.next() { stream.show(received, from: receiver.peer) }
        }
    }
}
