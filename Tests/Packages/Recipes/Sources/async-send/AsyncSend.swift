import FrameStreaming

@main struct AsyncSend {
    static func main() async throws {
        var source = try TestPatternSource(width: 640, height: 480)
        let transport = try await TCPTransport.connect(to: "localhost:5600", role: .sender)
        let sender = try FrameSender(codec: JPEGCodec(), transport: transport, options: SenderOptions(for: source))
        // A stop ends the run with a goodbye. Cancelling the task that runs it ends it at once.
        Task {
            try await Task.sleep(for: .seconds(10))
            sender.stop()
        }
        print(try await sender.run(&source).total.acknowledged, "pictures arrived")
    }
}
