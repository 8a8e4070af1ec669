import ArgumentParser
import ExampleSupport
import FrameStreaming
import FrameStreamingPreview
import PreviewSupport

/// Receives pictures from any number of senders, decodes them, and
/// records them if the user wants it.
@main
struct FrameReceive: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frame-receive", abstract: "Receives live pictures over TCP.",
        discussion: """
            Connection: frame-receive --listen 5600 --maximum-connections 4
                        frame-receive --from sender:5600
            Pictures:   frame-receive --listen 5600 --record out.mkv
                        frame-receive --listen 5600 --record out.y4m --once
                        frame-receive --listen 5600 --record - | ffmpeg -f mjpeg -i - film.mp4
                        frame-receive --listen 5600 --record out.mkv --segment-seconds 60 --keep-bytes 1000000000
                        frame-receive --listen 5600 --record out.mkv --pre-roll 10 --post-roll 30
            Preview:    frame-receive --listen 5600 --preview 8080
                        frame-receive --listen 5600 --preview 0.0.0.0:8080 --preview-tls --preview-link
            Security:   frame-receive --listen 0.0.0.0:5600 --key-file camera.key
            Limits:     frame-receive --listen 5600 --limit byte-rate=5000000 --limit connections-per-address=2
            Output:     frame-receive --listen 5600 --frames 300 --json --fail-on-drop
            """, version: version)

    private static let examples = """
        Error: give one of --listen [HOST:]PORT and --from HOST:PORT
          frame-receive --listen 0.0.0.0:5600 --key-file camera.key --preview 8080
          frame-receive --listen 0.0.0.0:5600 --key-file camera.key --record out.mkv
          frame-receive --from sender:5600
          See 'frame-receive --help' for all options.
        """

    static func main() { start(Self.self, examples: examples) }

    @OptionGroup(title: "Connection") var connection: ReceiveOptions
    @OptionGroup(title: "Pictures") var pictures: ConsumeOptions
    @OptionGroup(title: "Preview") var preview: PreviewArguments
    @OptionGroup(title: "Security") var security: SecurityOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        security.keepReload()
        if preview.access.isUsed { HangUp.keep() }
        if pictures.segments.preRoll != nil { UserSignal.keep() }
        try output.run(receive)
    }

    private func receive() throws {
        let report = ReceiverReport(
            output, frames: pictures.frames, connection.persistence,
            remedy: pictures.strict ? "leave --strict out, and what decodes with warnings is shown" : nil)
        let recordings = try Recordings(pictures, maximumConnections: connection.maximumConnections, output)
        if pictures.segments.preRoll != nil { UserSignal.onEach(recordings.trigger) }
        let tls = try security.load(connecting: connection.from.map { [$0] } ?? [])
        let server = try preview.server(security)
        defer { server?.close() }
        // Read once, and not for every frame.
        let codec = try pictures.codec(connection.limits, previews: server != nil)
        let decode = pictures.decodeSettings(of: codec, previews: server != nil)
        let consumeTime = pictures.consumeTime
        let rotation = Rotation(pictures.rotate?.turn)
        server?.limitCounts = { [report] in report.limits }

        // A program of your own does this with each connection: it takes frame after frame. Asking
        // for the next frame acknowledges the last one, and lets the sender send another.
        @Sendable func consume(_ transport: any Transport) throws(FrameStreamingError) {
            // The same picture in the browser, with `--preview`.
            let tile = server?.stream(of: transport.peer)
            let shownAt = tile.flatMap { $0.isListed ? $0.address : nil }
            let receiver = try FrameReceiver(
                codec: codec, transport: transport, decode: decode, limits: connection.limits.receiver,
                onEvent: {
                    report.event($0, from: transport.peer)
                    tile?.note($0)
                })
            // A stream that broke comes back here over another
            // connection, and its recording goes on.
            let recording = recordings.recording(of: receiver.peer)
            var isOver = false
            defer { recordings.leave(recording, isOver: isOver) }
            do throws(FrameStreamingError) {
                try report.during(receiver, shownAt: shownAt) { () throws(FrameStreamingError) in
                    while let arrived = try receiver.next() {
                        let received = rotation.turned(arrived, from: receiver.peer)
                        tile?.show(received, from: receiver.peer)
                        if try recording.write(received) { try? receiver.request(.keyFrame) }
                        report.pause(consumeTime)
                        guard report.goesOn(after: received, of: receiver) else { break }
                    }
                }
            } catch {
                tile?.disconnected(error.message)
                if recordings.hasLostReader(error) { report.cannotGoOn(error) }
                throw error
            }
            tile?.end(receiver.peer.goodbye?.text ?? "the stream has ended")
            isOver = true
        }

        if let connector = try connection.connector(
            taking: pictures.pixelFormats(of: codec, previews: server != nil), tls)
        {
            report.previews(server?.addresses)
            try report.during(stop: connector.cancel, interrupted: recordings.cancel, finished: recordings.finish) {
                if connection.noReconnect { return try consume(try connector.nextTransport(until: .never)) }
                try connector.serve(onWaiting: report.waits(for: connector.address), consume)
            }
        } else {
            let listener = try connection.listener(
                taking: pictures.pixelFormats(of: codec, previews: server != nil), tls)
            report.listening(listener)
            server?.invitation = connection.invitation(
                to: listener.address, with: security.credentialOfPeers)
            report.previews(server?.addresses)
            try report.during(stop: listener.stop, interrupted: recordings.cancel, finished: recordings.finish) {
                try listener.serve(maximumConnections: connection.maximumConnections, onError: report.failed) {
                    // The report has printed the error of a broken connection.
                    try? consume($0)
                }
            }
        }
    }
    func validate() throws {
        try security.check(connecting: connection.from.map { [$0] } ?? [], listening: connection.listen)
        try preview.check(security)
        let addresses = [connection.from, connection.listen].compactMap { $0 }
        let isOfThisMachine = addresses.allSatisfy { security.isOfThisMachine($0, defaultHost: "127.0.0.1") }
        if security.insecure, preview.preview == nil, isOfThisMachine {
            throw ValidationError("--insecure is for --preview HOST:PORT and for connections beyond this machine")
        }
    }
}
