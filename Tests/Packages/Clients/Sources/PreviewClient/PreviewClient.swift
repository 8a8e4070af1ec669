import FrameStreamingPreview

/// Shows what a receiver gets, in a browser.
func show(_ receiver: FrameReceiver, with codec: any FrameCodec) throws(FrameStreamingError) {
    let server = try PreviewServer(on: "127.0.0.1:0", codec: codec, options: PreviewOptions())
    defer { server.close() }
    let stream = server.stream(of: receiver.peer)
    print(server.address)
    while let received = try receiver.next() { stream.show(received, from: receiver.peer) }
    stream.end("it has ended")
}
