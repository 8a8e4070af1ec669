import FrameStreaming

@main struct SaveJPEGs {
    static func main() throws {
        let codec = JPEGCodec()
        let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver(for: codec), handshake: .automatic)
        let receiver = try FrameReceiver(codec: codec, transport: try listener.accept(), decode: nil)
        let recorder = try JPEGDirectoryRecorder(path: "pictures")
        while let received = try receiver.next() {
            do {
                try recorder.write(received.frame)
            } catch {
                // A frame that was not saved is not acknowledged, and the goodbye says why.
                receiver.close(.failed("\(error)"), consumed: false)
                throw error
            }
        }
        print("\(recorder.frameCount) pictures in \(recorder.path)")
    }
}
