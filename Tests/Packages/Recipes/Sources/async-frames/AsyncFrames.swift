import FrameStreaming

@main struct AsyncFrames {
    static let codec = JPEGCodec()

    static func main() async throws {
        let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver(for: codec), handshake: .automatic)
        try await withThrowingDiscardingTaskGroup { group in
            for try await transport in listener.connections {
                group.addTask {
                    // An error here would end the other streams as well.
                    do { try await show(transport) } catch { print(error) }
                }
            }
        }
    }

    static func show(_ transport: TCPTransport) async throws {
        let receiver = try FrameReceiver(codec: codec, transport: transport) { print($0) }
        do {
            for try await received in receiver.frames {
                print(received.info.sequence, received.frame.format, received.age ?? .zero)
            }
        } catch {
            // The sender hears that not everything was consumed, and why.
            await receiver.close(.failed("\(error)"), consumed: false)
            throw error
        }
        // Returns when the goodbye is over, also if this task was cancelled.
        await receiver.close()
        print(receiver.peer, receiver.statistics.frames, "pictures")
    }
}
