import FrameStreaming

@main struct AsyncFrames {
    static func main() async throws {
        // It may block here, on the main thread, before there are tasks: accept waits for a sender.
        let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver, handshake: .automatic)
        let receiver = try FrameReceiver(codec: JPEGCodec(), transport: try listener.accept())
        for try await received in receiver.frames {
            print(received.info.sequence, received.frame.format, received.age ?? .zero)
        }
        print(receiver.statistics.frames, "pictures")
    }
}
