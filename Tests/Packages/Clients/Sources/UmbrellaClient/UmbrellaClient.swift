import FrameStreaming

/// Every product that the umbrella re-exports, by its main types.
func send(pathOfCamera path: String, to address: String) throws(FrameStreamingError) -> Int {
    var camera = try V4L2Camera(path: path, options: V4L2CameraOptions())
    let provider = try TCPConnector(to: address, role: .sender)
    let sender = try FrameSender(codec: JPEGCodec(), provider: provider, options: SenderOptions(for: camera))
    return try sender.run(&camera).total.acknowledged
}

func record(from transport: any Transport, to path: String) throws(FrameStreamingError) {
    let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport)
    let recorder = try Y4MRecorder(path: path)
    while let received = try receiver.next() { try recorder.write(received.frame) }
    recorder.close()
}
