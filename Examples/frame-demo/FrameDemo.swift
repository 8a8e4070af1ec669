import ArgumentParser
import ExampleSupport
import FrameStreaming

/// The main job in one process: pictures, JPEG, acknowledged TCP on loopback, decode.
@main
struct FrameDemo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frame-demo", abstract: "Sends live pictures to itself over TCP, and says how old they arrive.",
        version: version)

    @Option(help: ArgumentHelp("Y4M or MJPEG instead of the test pattern.", valueName: "file"))
    var input: String?

    @Option(help: ArgumentHelp("Stop after so long.", valueName: "n"))
    var seconds: Int?

    @Option(help: ArgumentHelp("Keep the last picture that arrived.", valueName: "file.jpg"))
    var saveLast: String?

    func run() throws {
        let report = DemoReport()
        var source = try openSource()
        // The receiving half, on a thread of its own.
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver, handshake: .binary)
        let receiving = try report.inBackground { () throws(FrameStreamingError) in
            let receiver = try FrameReceiver(codec: JPEGCodec(), transport: try listener.accept())
            report.watch(receiver)
            while let received = try receiver.next() { report.note(received) }
        }

        // The sending half.
        let transport = try TCPTransport.connect(to: listener.address, role: .sender, until: .after(.seconds(5)))
        let sender = try FrameSender(codec: JPEGCodec(), transport: transport, options: SenderOptions(for: source))
        report.stop(sender, after: seconds)
        try sender.run(&source)

        try receiving.finish()
        try report.summary(sender, saveLast: saveLast)
    }

    private func openSource() throws -> any FrameSource {
        var options = SourceOptions.parseOrExit(input.map { ["--input", $0] } ?? ["--pattern"])
        options.loop = input != nil && seconds != nil
        return try options.open(label: "frame-demo")
    }

    func validate() throws {
        if let seconds, seconds < 1 { throw ValidationError("--seconds is at least 1, not \(seconds)") }
    }
}
