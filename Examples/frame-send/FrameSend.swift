import ArgumentParser
import ExampleSupport
import FrameStreaming

/// Sends pictures of a camera, a test pattern, a file or a pipe to a receiver.
@main
struct FrameSend: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frame-send", abstract: "Sends live pictures over TCP.",
        discussion: """
            Pictures:   frame-send --camera /dev/video0 --to receiver:5600
                        frame-send -i film.y4m -r 25 --loop --to receiver:5600
                        frame-send -i film.mp4 --to receiver:5600      (built by make full)
                        ffmpeg -i film.mp4 -f yuv4mpegpipe -pix_fmt yuv420p - | frame-send -i - --to receiver:5600
            Connection: frame-send --pattern --to one:5600 --to two:5600 --quality 60
                        frame-send --pattern --listen 0.0.0.0:5600 --key-file camera.key
            Security:   frame-send --pattern --to receiver:5600 --key-file camera.key
            Output:     frame-send --pattern --to receiver:5600 --json --fail-on-drop
            """, version: version)

    private static let examples = """
        Error: give one of --pattern, --input FILE|- and --camera PATH, and one of --to HOST:PORT and --listen [HOST:]PORT
          frame-send --pattern --to receiver:5600
          frame-send --camera /dev/video0 --to receiver:5600
          frame-send --input film.y4m --listen 0.0.0.0:5600 --key-file camera.key
          See 'frame-send --help' for all options.
        """

    static func main() { start(Self.self, examples: examples, translate: SourceOptions.translate) }

    @OptionGroup(title: "Pictures") var pictures: SourceOptions
    @OptionGroup(title: "Connection") var connection: SendOptions
    @OptionGroup(title: "Security") var security: SecurityOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        security.keepReload()
        try output.run(send)
    }

    private func send() throws {
        let interruption = SenderReport.interruption(output)
        var source = try pictures.open(
            label: "frame-send", encoding: connection.encoding, keepsAll: connection.policy == .reliable)
        let report = SenderReport(
            output, interruption, frames: pictures.expectedFrames(of: source),
            input: source.input.map { InputReport($0, output) }, needsAll: connection.listen == nil)

        // A program of your own needs these steps: a sender,
        // receivers for it, and a source to send.
        let options = connection.senderOptions(for: source, report)
        let codec = try VideoArguments.sending(connection.codec, encoder: connection.encoder, from: JPEGCodec())
        let sender = try FrameSender(codec: codec, options: options)
        let stopListening = try connection.connect(
            sender, sending: connection.codec.isVideo ? codec.encodedFormats + [.jpeg] : [.jpeg], report,
            security.load(connecting: connection.to))
        defer { stopListening() }

        // A pipe may turn out to be live.
        let isEndless = pictures.isEndless
        let deliversAll: @Sendable () -> Bool = { sender.policy == .reliable && !isEndless }
        try report.during(sender, deliversAll: deliversAll) { () throws(FrameStreamingError) in
            _ = try sender.run(&source)
        }
    }

    func validate() throws {
        try pictures.validate()
        try connection.validate()
        try security.check(connecting: connection.to, listening: connection.listen)
        if pictures.live, connection.policy == .reliable {
            throw ValidationError("--live drops pictures, and --policy reliable keeps them all: give one of them")
        }
    }
}
