import ArgumentParser
import ExampleSupport
import FrameStreaming
import FrameStreamingPreview
import PreviewSupport
import Glibc

/// Shows the library in one process: pictures, JPEG, acknowledged TCP on loopback, decoding.
@main
struct FrameDemo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frame-demo", abstract: "Sends live pictures to itself over TCP, and prints their age on arrival.",
        discussion: """
            Pictures: frame-demo --input film.y4m
                      frame-demo --seconds 10 --save-last last.jpg
            Preview:  frame-demo --preview 8080
            Output:   frame-demo --seconds 10 --json --fail-on-drop
            """, version: version)

    static func main() { start(Self.self, examples: nil) }

    @Option(
        name: [.customLong("input"), .customShort("i")],
        help: ArgumentHelp("A Y4M or MJPEG file instead of the test pattern.", valueName: "file"),
        completion: .file())
    var input: String?

    @Option(help: ArgumentHelp("Stop after this many seconds.", valueName: "n"))
    var seconds: Int?

    @Option(
        help: ArgumentHelp(
            "Save the last picture that arrived; - is standard output, and all lines go to standard error.",
            valueName: "file.jpg|-"), completion: .file())
    var saveLast: String?

    @Option(
        help: ArgumentHelp(
            "The address of the page that shows the pictures in a browser: on loopback unless a host is named, which also needs a token and HTTPS. (default: any free port)",
            valueName: "[host:]port"))
    var preview: String?

    @Flag(help: "Do not serve a page for browsers.")
    var noPreview = false

    @OptionGroup var access: PreviewSecurity

    @Flag(help: "Let others on the network see the preview without both a token and HTTPS.")
    var insecure = false

    @OptionGroup(title: "Output") var output: DemoOutput

    func run() throws {
        if let saveLast, RecordingPath.isStandardOutput(saveLast) { leaveStandardOutputToPictures() }
        if output.json { beginJSON() }
        do {
            try demonstrate()
        } catch let error as FrameStreamingError {
            printError(error.description, error)
            throw ExitCode.failure
        }
    }

    private func demonstrate() throws {
        let report = DemoReport(output)
        var source = try openSource()
        let server = try openPreview()
        defer { server?.close() }
        if let server { report.previews(server.addresses) }
        // The receiving half, on a thread of its own.
        let codec = JPEGCodec()
        let listener = try TCPListener(on: "127.0.0.1:0", role: .receiver(for: codec), handshake: .binary)
        let receiving = try report.inBackground { () throws(FrameStreamingError) in
            let receiver = try FrameReceiver(codec: codec, transport: try listener.accept())
            let tile = server?.stream(named: "demo", peer: receiver.peer.address)
            report.watch(receiver, tile)
            while let received = try receiver.next() {
                tile?.show(received, from: receiver.peer)
                report.note(received)
            }
        }

        // The sending half.
        let transport = try TCPTransport.connect(to: listener.address, role: .sender, until: .after(.seconds(5)))
        let sender = try FrameSender(codec: codec, transport: transport, options: SenderOptions(for: source))
        report.stop(sender, after: seconds)
        try report.during(saveLast: saveLast) { () throws(FrameStreamingError) in
            // The receiving half ends with the sending one, and knows less about a failure.
            defer { receiving.wait() }
            try sender.run(&source)
            try receiving.finish()
        }
    }

    private func openSource() throws -> any FrameSource {
        var options = SourceOptions.parseOrExit(input.map { ["--input", $0] } ?? ["--pattern"])
        // A pipe cannot be looped.
        if let input, seconds != nil { options.loop = isRegularFile(input) }
        return try options.open(label: "frame-demo")
    }

    private func isRegularFile(_ path: String) -> Bool {
        var details = stat()
        return unsafe stat(path, &details) == 0 && details.st_mode & S_IFMT == S_IFREG
    }

    private func openPreview() throws(FrameStreamingError) -> PreviewServer? {
        noPreview ? nil : try access.open(on: preview ?? "0", insecure: insecure, reloads: false)
    }

    func validate() throws {
        if noPreview, preview != nil { throw ValidationError("--preview and --no-preview: give one of them") }
        if insecure, preview == nil { throw ValidationError("--insecure is for --preview HOST:PORT") }
        try access.check(noPreview ? nil : preview ?? "0", insecure: insecure)
        if let seconds, seconds < 1 { throw ValidationError("--seconds is at least 1, not \(seconds)") }
    }
}
