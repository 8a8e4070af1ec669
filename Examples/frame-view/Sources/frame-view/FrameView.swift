internal import ArgumentParser
internal import FrameStreaming

/// Shows the pictures of a sender in a window, with as little delay as the display allows.
@main
struct FrameView: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frame-view", abstract: "Shows live pictures, received over TCP, in a window.",
        discussion: """
            Keys: F or F11 fills the screen, S saves the picture as it came, I shows rate and delay, Esc leaves the full screen \
            or closes the window, Q closes it.
            """, version: "0.1.0")

    @OptionGroup var options: ViewOptions

    func run() throws {
        // Before any other thread.
        let interruption = Interruption(announce: announceStop) { 0 }
        let output = Output(json: options.json)
        let way = try options.way()
        let window = try Window(
            scaleQuality: options.scaleQuality.rawValue, vsync: options.vsync, fullscreen: options.fullscreen)
        let events = try Events()
        let stage = Stage(.waiting(Self.welcome(way)), wake: events.wake)
        interruption.does {
            if let receiver = stage.receiver { output.summary(receiver) }
            return 0
        } _: {
            stage.end(.interrupted)
        }
        let receiving = Receiving(options, way, stage, ViewingCodec(largest: window.largestTexture), output)
        if case .listening(let listener) = way { output.listening(address: listener.address, port: listener.port) }
        let viewer = Viewer(
            window, events, stage, snapshots: SnapshotFolder(path: options.snapshots), showsFigures: options.overlay,
            output)
        try receiving.start()
        var goodbye: Goodbye = .complete("viewer ended")
        defer {
            // The order matters: received frames wake the window's queue while a connection exists.
            window.hide()
            stage.close(goodbye)
            receiving.stop()
            output.suppressed(isLast: true)
        }
        goodbye = try viewer.run()
    }

    private static func welcome(_ way: Receiving.Way) -> String {
        switch way {
        case .listening(let listener): "waiting for a sender on \(listener.address)"
        case .connecting(let connector): "connecting to \(connector.address)"
        }
    }
}
