// The short pieces of code in the library's documentation comments and articles, each with what it
// takes for granted as its function's arguments. They are compiled and never run.
// Tests/Documents/snippets.py finds each of them here, line by line.

import FrameStreaming
import FrameStreamingMedia
import FrameStreamingPreview
import FrameStreamingTLS

func bothEnds() throws {
    // The machine that shows the pictures.
    let codec = JPEGCodec()
    let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver(for: codec), handshake: .automatic)
    let receiver = try FrameReceiver(codec: codec, transport: try listener.accept())
    while let received = try receiver.next() {
        print(received.info.sequence, received.frame.format, received.age ?? .zero)
    }

    // The machine that has them.
    var source = try TestPatternSource(width: 1280, height: 720)
    let transport = try TCPTransport.connect(to: "receiver:5600", role: .sender)
    let sender = try FrameSender(codec: JPEGCodec(), transport: transport, options: SenderOptions(for: source))
    try sender.run(&source)
}

func camera(_ sender: FrameSender) throws {
    var camera = try V4L2Camera(path: "/dev/video0")
    print(camera.granted)
    try sender.run(&camera)
}

func asyncFrames(_ receiver: FrameReceiver, _ store: (Frame) throws -> Void) async throws {
    do {
        for try await received in receiver.frames { try store(received.frame) }
    } catch {
        await receiver.close(.failed("\(error)"), consumed: false)
        throw error
    }
    await receiver.close()
}

func pixels(of frame: Frame) -> Int {
    var sum = 0
    let luma = frame.plane(0)
    for y in 0..<luma.layout.height {
        let row = luma.row(y)
        for x in row.indices { sum += Int(row[x]) }
    }
    return sum
}

func receive(_ codec: JPEGCodec) throws {
    let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver(for: codec), handshake: .automatic)
    let receiver = try FrameReceiver(codec: codec, transport: try listener.accept())
    while let received = try receiver.next() { print(received.frame.format) }
}

func relay(_ transport: any Transport, _ viewers: any TransportProvider) throws {
    let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport, decode: nil)
    var source = ReceiverSource(receiver)
    let sender = try FrameSender(codec: JPEGCodec(), provider: viewers, options: SenderOptions(for: source))
    try sender.run(&source)
}

func relayStreams() throws {
    let relay = try FrameRelay()
    let listener = try TCPListener(relayingOn: "0.0.0.0:5600")
    try listener.serve(relay, onError: { print($0) })
}

func relayOnly() throws {
    let listener = try TCPListener(relayingOn: "0.0.0.0:5600")
    try listener.serve(try FrameRelay(), onError: { print($0) })
}

func send() throws {
    var source = try TestPatternSource(width: 640, height: 480)
    let transport = try TCPTransport.connect(to: "receiver:5600", role: .sender)
    let sender = try FrameSender(
        codec: JPEGCodec(), transport: transport, options: SenderOptions(for: source))
    try sender.run(&source)
}

func limitedLog(_ peer: Peer, _ reason: String) {
    enum Kind { case refused, sourceLost }
    var limiter = LogLimiter<Kind> { _ in
        (LogRate(burst: 10, interval: .seconds(1)), LogRate(burst: 50, interval: .milliseconds(200)))
    }
    if limiter.admit(.sourceLost, from: peer.address, at: .now) {
        print("source lost:", String(printable: reason))
    }
    for suppressed in limiter.takeSuppressed(at: .now) {
        print("\(suppressed.kind): ... and \(suppressed.count) more")
    }
}

func turn(_ sender: FrameSender) throws {
    var source = TurnedSource(try V4L2Camera(path: "/dev/video0"), turn: .rotate90)
    try sender.run(&source)
}

func preview(_ receiver: FrameReceiver) throws {
    let preview = try PreviewServer(on: "8080", codec: JPEGCodec())
    print(preview.address)  // http://127.0.0.1:8080/
    let stream = preview.stream(of: receiver.peer)
    while let received = try receiver.next() { stream.show(received, from: receiver.peer) }
}

func securePreview() throws {
    let tls = try TLSSecurity(selfMadeFor: [], keptIn: "preview.pem")
    var options = PreviewOptions()
    options.token = try PreviewToken(file: "preview.token", createsMissing: true)
    options.security = tls.webSecurity
    let preview = try PreviewServer(on: "0.0.0.0:8080", codec: JPEGCodec(), options: options)
    print(preview.signInLink(), tls.fingerprint ?? "")
}

func serveConnectorAsync() async throws {
    let connector = try TCPConnector(to: "camera:5600", role: .receiver)
    try await connector.serve { transport in
        let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport)
        for try await received in receiver.frames { print(received.frame.format) }
    }
}

func serveConnector() throws {
    let connector = try TCPConnector(to: "camera:5600", role: .receiver)
    try connector.serve(onWaiting: { reason, _ in print("waiting", reason ?? "") }) { transport in
        let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport)
        while let received = try receiver.next() { print(received.frame.format) }
    }
}

func connect() throws -> any Transport {
    let connector = try TCPConnector(to: "receiver:5600", role: .sender)
    let transport = try connector.nextTransport(until: .after(.seconds(10)))
    return transport
}

func accept() throws -> any Transport {
    let acceptor = try TCPAcceptor(on: "0.0.0.0:5600", role: .sender)
    let transport = try acceptor.nextTransport(until: .never)
    return transport
}

func serve(_ listener: TCPListener) throws {
    try listener.serve(onError: { print($0) }) { transport in
        let receiver = try FrameReceiver(codec: JPEGCodec(), transport: transport)
        while let received = try receiver.next() { print(received.frame.format) }
    }
}

func serveSender(_ sender: FrameSender) throws {
    let listener = try TCPListener(on: "0.0.0.0:5600", role: .sender, handshake: .binary)
    try listener.serve(sender, onError: { print($0) })
}

func creditAhead(_ codec: JPEGCodec) throws -> TCPListener {
    var options = TCPReceiverOptions()
    options.creditAhead = 4
    let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver(for: codec, options))
    return listener
}

func encrypted() throws {
    let tls = try TLSSecurity(keyFiles: ["camera.key"])
    var options = TCPOptions()
    options.security = tls.security
    let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver, options: options)
    print(listener.address)
}

func video(_ transport: any Transport, _ options: SenderOptions) throws {
    let codec = try VideoCodec(.h264)
    let sender = try FrameSender(codec: codec, transport: transport, options: options)
    try sender.finish()
}

func videoOfJPEGs(_ camera: V4L2Camera) throws -> (any FrameCodec, SenderOptions) {
    let codec = CombinedCodec(encoding: try VideoCodec(.h264), decoding: [JPEGCodec()])
    var options = SenderOptions(for: camera)
    options.passesOnJPEG = false
    options.bitRate = .automatic
    return (codec, options)
}

func combined(_ video: any FrameCodec, _ camera: V4L2Camera) -> (any FrameCodec, SenderOptions) {
    let codec = CombinedCodec(encoding: video, decoding: [JPEGCodec(), video])
    var options = SenderOptions(for: camera)
    options.passesOnJPEG = false
    return (codec, options)
}
