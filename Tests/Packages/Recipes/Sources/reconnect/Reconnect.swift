import FrameStreaming

/// The frames of another source, each with words beside it.
struct Labelled<Source: FrameSource>: FrameSource {
    var source: Source
    let label: String
    var isLive: Bool { source.isLive }

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        let event = try source.next(until: deadline)
        // The end, and a camera that is unplugged, are passed on.
        guard case .frame(var frame) = event else { return event }
        frame.metadata = Array("\(label) \(frame.sequence)".utf8)
        return .frame(frame)
    }
}

@main struct Reconnect {
    static func main() async throws {
        var transport = TCPOptions()
        transport.stream = "front door"
        let connector = try TCPConnector(to: "receiver:5600", role: .sender, options: transport)
        var source = Labelled(source: try TestPatternSource(width: 640, height: 480), label: "picture")
        var options = SenderOptions(for: source)
        options.onEvent = { print($0) }
        let sender = try FrameSender(codec: JPEGCodec(), provider: connector, options: options)
        let figures = try await sender.run(&source).total
        print(figures.acknowledged, "consumed,", figures.dropped.total, "never sent,", figures.lost, "lost with a link")
    }
}
