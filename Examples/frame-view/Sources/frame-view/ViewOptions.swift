internal import ArgumentParser
internal import FrameStreaming

/// The options for the connection and the window.
struct ViewOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Wait for senders; on loopback unless a host is named (0.0.0.0:PORT, [::]:PORT). The stream is neither encrypted nor authenticated: beyond loopback everybody who can reach the port is let in.",
            valueName: "[host:]port"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Connect to a sender that listens, and again after each stream; it may start later.",
            valueName: "host:port"))
    var from: String?

    @Flag(help: "Close the window after the first stream, which may have a break where its sender comes back.")
    var once = false

    @Flag(help: "With --from or --once: one connection, and its end closes the window.")
    var noReconnect = false

    @Option(
        help: ArgumentHelp(
            "How long a stream that broke may stay away until it counts as failed and the window closes; 0: for ever. (default: 60 with --once, else 0)",
            valueName: "s"))
    var returnWithin: Int?

    @Option(
        help: ArgumentHelp(
            "Bytes a second that a picture on its way must move at, on the average over a minute: a sender that is slower is cut off, and may come again; 0: however slow.",
            valueName: "bytes/s"))
    var minimumRate = TCPOptions().minimumRate

    @Option(
        help: ArgumentHelp(
            "The protocol: text is the classic OpenCV tutorial's; auto goes by the first byte, and with --from is binary."
        ))
    var handshake = Handshake.auto

    @Flag(help: "Fill the screen from the start.")
    var fullscreen = false

    @Flag(help: "Show the figures from the start.")
    var overlay = false

    @Option(help: "How a picture is made larger or smaller: nearest keeps pixels sharp, linear is smooth.")
    var scaleQuality = ScaleQuality.linear

    @Flag(help: "Wait for the display's refresh: no tearing, and up to a refresh more of delay.")
    var vsync = false

    @Option(help: ArgumentHelp("Where snapshots are written.", valueName: "folder"))
    var snapshots = "."

    @Flag(help: "One JSON object a line on standard output, for programs.")
    var json = false

    enum Handshake: String, ExpressibleByArgument, CaseIterable {
        case auto, binary, text

        var tcp: TCPHandshake {
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

    func validate() throws {
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

    /// Begins to listen, or prepares to connect.
    ///
    /// - Throws: `ValidationError` for an address that is not written as one.
    func way() throws -> Receiving.Way {
        var tcp = TCPOptions()
        tcp.minimumRate = minimumRate
        do throws(FrameStreamingError) {
            if let from {
                // The connecting side speaks first, so it cannot detect the handshake: it is
                // binary, unless the user wants text.
                let handshake: TCPHandshake = handshake == .text ? .text : .binary
                return .connecting(try TCPConnector(to: from, role: .receiver, handshake: handshake, options: tcp))
            }
            return .listening(
                try TCPListener(on: listen ?? "", role: .receiver, handshake: handshake.tcp, options: tcp))
        } catch {
            if error.code == .invalidArgument { throw ValidationError(error.description) }
            throw error
        }
    }
}
