import ArgumentParser
import ExampleSupport
import FrameStreaming

/// Where to, and how.
struct SendOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Connect to a receiver that listens.", valueName: "host:port"))
    var to: String?

    @Option(
        help: ArgumentHelp(
            "Wait for a receiver to connect; on loopback unless a host is named.", valueName: "[host:]port"))
    var listen: String?

    @Option(help: ArgumentHelp("JPEG quality, 1 (smallest) to 100 (best).", valueName: "1...100"))
    var quality = 80

    @Option(help: ArgumentHelp("How often chroma is sampled; 4:2:0 unless asked otherwise, gray input stays gray."))
    var subsampling: ChromaSubsampling?

    @Option(help: ArgumentHelp("The protocol: text is the classic OpenCV tutorial's."))
    var handshake = SendingHandshake.binary

    @Option(help: ArgumentHelp("Frames that may be sent and not acknowledged. (default: 4, text: 1)", valueName: "n"))
    var window: WindowArgument?

    @Option(
        help: ArgumentHelp(
            "latest: an unsent picture is replaced by a newer one; reliable: every picture arrives. (default: latest for live sources, reliable for files)"
        ))
    var policy: DeliveryPolicy?

    @Option(help: ArgumentHelp("The stream's name, for the receiver.", valueName: "name"))
    var stream: String?

    func validate() throws {
        guard (to == nil) != (listen == nil) else {
            throw ValidationError("give one of --to HOST:PORT and --listen [HOST:]PORT")
        }
        try checkAddress(connect: to, listen: listen)
        guard (1...100).contains(quality) else { throw ValidationError("--quality is 1 to 100, not \(quality)") }
        if case .adaptive = window {
            throw ValidationError("--window adaptive is not in this version: give a number of frames")
        }
        if handshake == .text {
            if case .fixed(let frames) = window, frames > 1 {
                throw ValidationError("the text handshake sends one frame at a time: --window 1, or --handshake binary")
            }
            if stream != nil {
                throw ValidationError("the text handshake has no names: leave --stream out, or use --handshake binary")
            }
        }
    }

    func connect(_ report: SenderReport) throws(FrameStreamingError) -> TCPTransport {
        var options = TCPOptions()
        options.stream = stream ?? ""
        options.session = .random(in: 1 ... .max)
        if let to {
            return try TCPTransport.connect(
                to: to, role: .sender, handshake: handshake.tcp, options: options)
        }
        let listener = try TCPListener(on: listen ?? "", role: .sender, handshake: handshake.tcp, options: options)
        defer { listener.stop() }
        report.listening(address: listener.address, port: listener.port)
        while true {
            // A peer that said nothing or rubbish is not the receiver that is waited for.
            do throws(FrameStreamingError) {
                return try listener.accept()
            } catch {
                report.turnedAway(error)
                if error.code == .system || error.code == .closed { throw error }
            }
        }
    }

    func senderOptions(for source: some FrameSource, _ report: SenderReport) -> SenderOptions {
        let encode = EncodeSettings(quality: quality, subsampling: subsampling)
        var frames = handshake == .text ? 1 : 4
        if case .fixed(let asked) = window { frames = asked }
        var options = SenderOptions(for: source, window: .fixed(frames), encode: encode)
        if let policy { options.policy = policy }
        options.onAcknowledgement = report.onAcknowledgement
        return options
    }
}
