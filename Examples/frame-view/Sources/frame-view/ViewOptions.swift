internal import ArgumentParser
internal import FrameStreaming

/// The options for the connection and the window.
struct ViewOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Wait for senders to connect. Listens on loopback unless a host is named (0.0.0.0:PORT, [::]:PORT), which also needs --key-file.",
            valueName: "[host:]port"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Connect to a listening sender, which may start later; connect again after each stream.",
            valueName: "host:port"))
    var from: String?

    @Flag(help: "Close the window after the first stream. After a break its sender may come back.")
    var once = false

    @Flag(help: "With --from or --once: close the window when the connection ends.")
    var noReconnect = false

    @Option(
        help: ArgumentHelp(
            "How long to wait for a broken stream before it counts as failed and the window closes; 0: for ever. (default: 60 with --once, else 0)",
            valueName: "s"))
    var returnWithin: Int?

    @Option(
        help: ArgumentHelp(
            "The lowest rate of a picture in transfer, in bytes a second averaged over a minute: a slower sender is disconnected, and may connect again; 0: no limit.",
            valueName: "bytes/s"))
    var minimumRate = TCPOptions().minimumRate

    @Option(
        help: ArgumentHelp(
            "The protocol: text is that of the classic OpenCV tutorial; auto follows the sender's first byte, and is binary with --from."
        ))
    var handshake = ReceivingHandshake.auto

    @Flag(help: "Fill the screen from the start.")
    var fullscreen = false

    @Flag(help: "Show the figures from the start.")
    var overlay = false

    @Option(help: "How a picture is scaled: nearest keeps pixels sharp, linear is smooth.")
    var scaleQuality = ScaleQuality.linear

    @Flag(help: "Wait for the display's refresh: no tearing, but up to one refresh more delay.")
    var vsync = false

    @Option(help: ArgumentHelp("The folder for snapshots.", valueName: "folder"), completion: .directory)
    var snapshots = "."

    @Flag(help: "Print one JSON object a line on standard output, for programs.")
    var json = false

    enum ReceivingHandshake: String, ExpressibleByArgument, CaseIterable {
        case auto, binary, text

        var tcp: Handshake {
            switch self {
            case .auto: .automatic
            case .binary: .binary
            case .text: .text
            }
        }
    }

    enum ScaleQuality: String, ExpressibleByArgument, CaseIterable {
        case nearest, linear
    }

    @OptionGroup var limits: LimitOptions

    @OptionGroup var security: SecurityOptions

    func validate() throws {
        try security.check(connecting: from.map { [$0] } ?? [], listening: listen)
        guard (listen == nil) != (from == nil) else {
            throw ValidationError("give one of --listen [HOST:]PORT and --from HOST:PORT")
        }
        if noReconnect, from == nil, !once {
            throw ValidationError(
                "--no-reconnect is for --from and --once: a window that listens shows one sender after another")
        }
        guard (0...1_000_000_000).contains(minimumRate) else {
            throw ValidationError("--minimum-rate is 0 to 1000000000 bytes a second, not \(minimumRate)")
        }
        try limits.check(AdjustableLimit.viewing, own: [.minimumRate: "--minimum-rate"])
        if let returnWithin {
            guard (0...86_400).contains(returnWithin) else {
                throw ValidationError("--return-within is 0 to 86400 seconds, not \(returnWithin)")
            }
            guard from != nil || once, !noReconnect else {
                throw ValidationError("--return-within is for --from and --once, without --no-reconnect")
            }
        }
    }

    /// How long a stream that broke may stay away; nil = for ever.
    var patience: Duration? {
        let seconds = returnWithin ?? (once ? 60 : 0)
        return seconds > 0 ? .seconds(seconds) : nil
    }

    var persistence: Persistence {
        Persistence(once: once, connects: from != nil, reconnects: !noReconnect, patience: patience)
    }

    /// Begins to listen, or prepares to connect.
    ///
    /// - Throws: `ValidationError` for an address that is not written as one.
    func way() throws -> Receiving.Way {
        var tcp = TCPOptions()
        tcp.minimumRate = minimumRate
        limits.apply(to: &tcp)
        tcp.security = try security.load(connecting: from.map { [$0] } ?? [])
        do throws(FrameStreamingError) {
            var receiving = TCPReceiverOptions()
            try limits.apply(to: &receiving)
            let role = TCPRole.receiver(for: JPEGCodec(), receiving)
            if let from {
                // The connecting side speaks first, so it cannot detect the handshake: it is
                // binary, unless the user wants text.
                let handshake: Handshake = handshake == .text ? .text : .binary
                return .connecting(try TCPConnector(to: from, role: role, handshake: handshake, options: tcp))
            }
            return .listening(
                try TCPListener(on: listen ?? "", role: role, handshake: handshake.tcp, options: tcp))
        } catch {
            if error.code == .invalidArgument { throw ValidationError(error.description) }
            throw error
        }
    }
}
