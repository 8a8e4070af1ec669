internal import ArgumentParser
internal import FrameStreaming

/// Shows the pictures of a sender in a window, with as little delay as the display allows.
@main
struct FrameView: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frame-view", abstract: "Shows live pictures, received over TCP, in a window.",
        discussion: """
            Connection: frame-view --listen 5600
                        frame-view --from sender:5600 --once --return-within 20
            Window:     frame-view --listen 5600 --fullscreen --overlay --snapshots ~/Pictures
            Security:   frame-view --listen 0.0.0.0:5600 --key-file camera.key
            Output:     frame-view --listen 5600 --json
            Keys:       F or F11 fills the screen, S saves the picture as it came, I shows
                        rate and delay, Esc leaves the full screen or closes the window,
                        Q closes it.
            """, version: "0.1.0")

    private static let examples = """
        Error: give one of --listen [HOST:]PORT and --from HOST:PORT
          frame-view --listen 0.0.0.0:5600 --key-file camera.key
          frame-view --from sender:5600
          frame-view --from sender:5600 --fullscreen --overlay
          See 'frame-view --help' for all options.
        """

    static func main() { start(Self.self, examples: examples) }

    @OptionGroup var options: ViewOptions

    func run() throws {
        let report = ViewReport(json: options.json)
        do {
            try view(report)
        } catch let error as FrameStreamingError {
            printError(error.description, error)
            throw ExitCode.failure
        }
    }

    private func view(_ report: ViewReport) throws {
        // Before any thread.
        options.security.keepReload()
        // Before any thread that needs to be asked to end.
        let interruption = Interruption(announce: announceStop) { report.sumUp(nil, isInterrupted: true) }
        let way = try options.way()
        let window = try Window(
            scaleQuality: options.scaleQuality.rawValue, vsync: options.vsync, fullscreen: options.fullscreen)
        let events = try Events()
        let stage = Stage(.waiting(Self.welcome(way)), wake: events.wake)
        interruption.does {
            report.sumUp(stage.receiver, isInterrupted: interruption.happened)
        } _: {
            stage.end(.interrupted)
        }
        let codec = ViewingCodec(largest: window.largestTexture, jpeg: options.limits.codec())
        let receiving = Receiving(options, way, stage, codec, report)
        if case .listening(let listener) = way { report.listening(listener) }
        let viewer = Viewer(
            window, events, stage, snapshots: SnapshotFolder(path: options.snapshots), showsFigures: options.overlay,
            report)
        try receiving.start()
        let end = viewer.run()
        report.closed(byUser: end.isByUser, end.failure)
        // The order matters: received frames wake the window's queue while a connection exists.
        window.hide()
        stage.close(end.goodbye)
        receiving.stop()
        if interruption.conclude() != 0 { throw ExitCode.failure }
    }

    private static func welcome(_ way: Receiving.Way) -> String {
        switch way {
        case .listening(let listener): "waiting for a sender on \(listener.address)"
        case .connecting(let connector): "connecting to \(connector.address)"
        }
    }
}
