import ArgumentParser
import ExampleSupport
import FrameStreaming

/// The options for the receivers and the encoding.
struct SendOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Connect to a listening receiver, which may start later. Repeat it for several receivers: they share one encoding.",
            valueName: "host:port"))
    var to: [String] = []

    @Option(
        help: ArgumentHelp(
            "Wait for receivers to connect, any number at any time, or one at a time with a range of qualities. Listens on loopback unless a host is named, which also needs --key-file.",
            valueName: "[host:]port"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "JPEG quality, 1 (smallest) to 100 (best); with a range such as 20...80 it adapts to the link. Pictures that are JPEG already are sent unchanged: to encode a camera's pictures, choose another --format. (default: 80)",
            valueName: "n|n...m"))
    var quality: QualityArgument?

    @Option(
        help: ArgumentHelp(
            "How pictures are compressed. h264, vp8 and vp9 need a tenth of JPEG's bytes, or fewer, more work, and programs built by make full on both sides; a camera's JPEGs are decoded first."
        ))
    var codec = CodecArgument.jpeg

    @Option(
        help: ArgumentHelp(
            "The most bits a second that video has, such as 800k or 2M, or auto: as many as the link delivers, one receiver at a time. --quality is then the best that is used. (default: as many as the quality needs)",
            valueName: "n|auto"))
    var bitrate: BitRateArgument?

    @Option(
        help: ArgumentHelp(
            "FFmpeg's name of another encoder for --codec, such as h264_v4l2m2m or h264_vaapi. (default: libx264, libvpx, libvpx-vp9)",
            valueName: "name"))
    var encoder: String?

    @Flag(help: "With a range of qualities: scale pictures down if the lowest quality does not suffice.")
    var allowScale = false

    @Flag(help: "With a range of qualities: drop pictures if nothing else suffices.")
    var allowRate = false

    @Option(help: ArgumentHelp("Chroma subsampling. Gray input stays gray. (default: 4:2:0)"))
    var subsampling: ChromaSubsampling?

    @Option(help: ArgumentHelp("The protocol: text is that of the classic OpenCV tutorial."))
    var handshake = SendingHandshake.binary

    @Option(
        help: ArgumentHelp(
            "How many frames may be sent and not yet acknowledged: a number, or as many as the link needs. (default: adaptive, with --policy reliable 4, text: 1)",
            valueName: "n|adaptive"))
    var window: WindowArgument?

    @Option(
        help: ArgumentHelp(
            "The longest delay that the adaptive window may add to frames. (default: 20)", valueName: "ms"))
    var latencyTarget: Int?

    @Option(
        help: ArgumentHelp(
            "latest: a newer picture replaces an unsent one; reliable: every picture arrives; deadline:MS: pictures arrive in order, and those older than MS are dropped. (default: latest for live sources and --live, reliable for files and other pipes)"
        ))
    var policy: DeliveryPolicy?

    @Option(
        help: ArgumentHelp(
            "Give up a receiver that made no progress for this long while pictures wait for it: nothing acknowledged, no byte taken, no connection; 0: never. (default: 30 once the source has ended, and never before, so with --policy reliable all receivers wait; with --listen always 10, and 5 for a broken connection)",
            valueName: "s"))
    var giveUpAfter: Int?

    @Option(
        help: ArgumentHelp(
            "With --listen: the most receivers at once; others are refused. (default: 1024)", valueName: "n"))
    var maximumConnections: Int?

    private static let mostReceivers = 1024

    @Option(help: ArgumentHelp("How many pictures are encoded at once, each on a thread of its own.", valueName: "n"))
    var encoders = 1

    @Option(
        help: ArgumentHelp(
            "The stream's name, which the receiver shows; empty: none. (default: the name of this machine)",
            valueName: "name"))
    var stream: String?

    @OptionGroup var rate: MinimumRate

    @OptionGroup var limits: LimitOptions

    @Flag(
        help: ArgumentHelp(
            "End when the connection ends or cannot be made, instead of connecting again; with --listen serve one receiver."
        ))
    var noReconnect = false

    func validate() throws {
        guard to.isEmpty != (listen == nil) else {
            throw ValidationError("give one of --to HOST:PORT and --listen [HOST:]PORT")
        }
        try checkAddress(connect: nil, listen: listen)
        for receiver in to { try checkAddress(connect: receiver, listen: nil) }
        if case .range = quality {
            guard to.count <= 1 else {
                throw ValidationError("a range of qualities is for one receiver: several share one encoding")
            }
        } else if allowScale || allowRate {
            throw ValidationError("--allow-scale and --allow-rate go with a range of qualities: --quality 20...80")
        }
        try validateBitRate()
        if codec.isVideo, subsampling != nil {
            throw ValidationError("--subsampling is for JPEG: \(codec.rawValue) has 4:2:0")
        }
        if encoder != nil, !codec.isVideo {
            throw ValidationError("--encoder is for video: give --codec h264, vp8 or vp9")
        }
        if let latencyTarget, !(1...60_000).contains(latencyTarget) {
            throw ValidationError("--latency-target is 1 to 60000 ms, not \(latencyTarget)")
        }
        if latencyTarget != nil, case .fixed = window {
            throw ValidationError("--latency-target is for an adaptive window: leave --window out")
        }
        if let giveUpAfter, !(0...86_400).contains(giveUpAfter) {
            throw ValidationError("--give-up-after is 0 to 86400 seconds, not \(giveUpAfter)")
        }
        if let maximumConnections {
            guard maximumConnections >= 1 else {
                throw ValidationError("--maximum-connections is at least 1, not \(maximumConnections)")
            }
            guard listen != nil, !noReconnect, !followsLink else {
                throw ValidationError(
                    "--maximum-connections is for --listen with a fixed quality, without --bitrate auto and --no-reconnect: else there is one receiver at a time"
                )
            }
        }
        guard (1...64).contains(encoders) else { throw ValidationError("--encoders is 1 to 64, not \(encoders)") }
        try limits.check(
            AdjustableLimit.connecting,
            own: [.connections: "--maximum-connections", .minimumRate: "--minimum-rate"])
        if handshake == .text { try validateText() }
    }

    private func validateBitRate() throws {
        guard let bitrate else { return }
        guard codec.isVideo else {
            throw ValidationError(
                "--bitrate is for video: give --codec h264, vp8 or vp9, or have JPEG follow the link by --quality 20...80"
            )
        }
        if quality?.isRange == true {
            throw ValidationError(
                "a range of qualities and --bitrate both choose the size of pictures: give one quality, the best, with --bitrate"
            )
        }
        if bitrate.rate == .automatic, to.count > 1 {
            throw ValidationError(
                "--bitrate auto is for one receiver: several share one encoding, so give a number, such as --bitrate 2M"
            )
        }
    }

    /// Whether the size of pictures follows the link, which is possible with one receiver.
    private var followsLink: Bool { quality?.isRange == true || bitrate?.rate == .automatic }

    private func validateText() throws {
        if case .fixed(let frames) = window, frames > 1 {
            throw ValidationError("the text handshake sends one frame at a time: --window 1, or --handshake binary")
        }
        if stream != nil {
            throw ValidationError("the text handshake has no names: leave --stream out, or use --handshake binary")
        }
        if codec.isVideo {
            throw ValidationError("the text handshake carries JPEG only: leave --codec out, or use --handshake binary")
        }
    }

    /// The given options that decide how pictures are encoded. They have no effect on
    /// pictures that are encoded already.
    var encoding: [String] {
        // Video encodes a camera's JPEGs again.
        codec.isVideo
            ? []
            : [
                ("--quality", quality != nil), ("--allow-scale", allowScale), ("--allow-rate", allowRate),
                ("--subsampling", subsampling != nil), ("--encoders", encoders > 1),
            ].filter(\.1).map(\.0)
    }

    /// Gives the sender its receivers: those that the user named, or all that connect. Returns a
    /// function that ends the listening.
    func connect(
        _ sender: FrameSender, sending formats: [PixelFormat], _ report: SenderReport, _ security: TCPSecurity?
    ) throws(FrameStreamingError) -> @Sendable () -> Void {
        var options = TCPOptions()
        options.security = security
        // The text handshake has no names.
        options.stream = stream ?? (handshake == .text ? "" : hostName())
        options.minimumRate = rate.bytesPerSecond
        limits.apply(to: &options)
        var sending = TCPSenderOptions()
        // A receiver that accepts none of these is refused before anything is sent.
        sending.pixelFormats = formats
        for receiver in to {
            try sender.add(
                try TCPConnector(to: receiver, role: .sender(sending), handshake: handshake.tcp, options: options))
        }
        guard let listen else { return {} }
        // What follows the link works with one receiver only, and so does a
        // stream that ends with its receiver.
        if noReconnect || followsLink {
            let acceptor = try TCPAcceptor(
                on: listen, role: .sender(sending), handshake: handshake.tcp, options: options,
                onError: report.turnedAway)
            report.listening(address: acceptor.address, port: acceptor.port) { acceptor.statistics.limits }
            try sender.add(acceptor)
            return acceptor.cancel
        }
        let listener = try TCPListener(on: listen, role: .sender(sending), handshake: handshake.tcp, options: options)
        report.listening(address: listener.address, port: listener.port) { listener.statistics.limits }
        let limit = maximumConnections ?? Self.mostReceivers
        report.inBackground {
            do throws(FrameStreamingError) {
                try listener.serve(sender, maximumConnections: limit, onError: report.failed)
            } catch {
                report.cannotGoOn(error)
                sender.stop()
            }
        }
        return listener.close
    }

    func senderOptions(for source: some FrameSource, _ report: SenderReport) -> SenderOptions {
        var options = SenderOptions(for: source)
        if let policy {
            options.policy = policy
            options.window = SenderOptions(policy: policy).window
        }
        options.encode = EncodeSettings(quality: quality?.best ?? 80, subsampling: subsampling)
        options.passesOnJPEG = !codec.isVideo
        options.bitRate = bitrate?.rate
        // For receivers that do not decode video.
        if codec.isVideo { options.fallbackCodec = JPEGCodec() }
        if case .range(let range) = quality {
            options.adaptiveQuality = AdaptiveQuality(range, allowsScale: allowScale, allowsRate: allowRate)
        }
        if handshake == .text { options.window = 1 }
        switch window {
        case .fixed(let frames): options.window = .fixed(frames)
        case .adaptive: options.window = .adaptive
        case nil: break
        }
        if let latencyTarget { options.window = .adaptive(latencyTarget: .milliseconds(latencyTarget)) }
        options.encoders = encoders
        if let giveUpAfter {
            let patience: Duration? = giveUpAfter > 0 ? .seconds(giveUpAfter) : nil
            options.drainTimeout = patience
            options.stallTimeout = patience
            options.incomingStallTimeout = patience
            options.incomingReturnTimeout = patience
        }
        // A listening sender runs until the user ends it, whichever receiver leaves.
        // Otherwise it follows the source, as the policy does.
        if noReconnect {
            options.reconnection = .never
        } else if listen != nil {
            options.reconnection = .always
        }
        options.waitsForReceivers = listen != nil && !noReconnect
        options.onAcknowledgement = report.onAcknowledgement
        options.onEvent = report.event
        return options
    }
}
