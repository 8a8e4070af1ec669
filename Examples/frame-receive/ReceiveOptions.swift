import ArgumentParser
import ExampleSupport
import FrameStreaming
import FrameStreamingPreview
import PreviewSupport

/// The options for the connection.
struct ReceiveOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Wait for senders to connect. Listens on loopback unless a host is named (0.0.0.0:PORT, [::]:PORT), which also needs --key-file.",
            valueName: "[host:]port"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Connect to a listening sender, which may start later; connect again after a break.", valueName: "host:port"
        ))
    var from: String?

    @Flag(help: "End after the first stream. After a break its sender may come back.")
    var once = false

    @Flag(help: "With --from or --once: end when the connection ends.")
    var noReconnect = false

    @Option(
        help: ArgumentHelp(
            "How long to wait for a broken stream before it counts as failed; 0: for ever. (default: 60 with --once, else 0)",
            valueName: "s"))
    var returnWithin: Int?

    @Option(
        help: ArgumentHelp(
            "The protocol: text is that of the classic OpenCV tutorial; auto follows the sender's first byte, and is binary with --from."
        ))
    var handshake = ReceivingHandshake.auto

    @Option(help: ArgumentHelp("The most senders at once; others are refused.", valueName: "n"))
    var maximumConnections = 16

    @Option(
        help: ArgumentHelp(
            "The largest received picture in bytes: the sender of a larger one is disconnected.", valueName: "n"))
    var maximumFrameBytes = TCPReceiverOptions().maximumFrameByteCount

    @OptionGroup var rate: MinimumRate

    @OptionGroup var limits: LimitOptions

    @Option(
        help: ArgumentHelp(
            "The memory for received pictures that are not consumed yet, in MiB for all senders together; one sender may use a quarter. Each sender may always have one picture here. (default: 1024, or a quarter of the machine's memory if that is less)",
            valueName: "MiB"))
    var memoryLimit: Int?

    func validate() throws {
        guard (listen == nil) != (from == nil) else {
            throw ValidationError("give one of --listen [HOST:]PORT and --from HOST:PORT")
        }
        try checkAddress(connect: from, listen: listen)
        if noReconnect, from == nil, !once {
            throw ValidationError(
                "--no-reconnect is for --from and --once: a receiver that listens serves one sender after another")
        }
        if let returnWithin {
            guard (0...86_400).contains(returnWithin) else {
                throw ValidationError("--return-within is 0 to 86400 seconds, not \(returnWithin)")
            }
            guard from != nil || once, !noReconnect else {
                throw ValidationError("--return-within is for --from and --once, without --no-reconnect")
            }
        }
        guard maximumConnections >= 1 else {
            throw ValidationError("--maximum-connections is at least 1, not \(maximumConnections)")
        }
        let frameByteCounts = TCPReceiverOptions.maximumFrameByteCountRange
        guard frameByteCounts.contains(maximumFrameBytes) else {
            throw ValidationError(
                "--maximum-frame-bytes is 1 to \(frameByteCounts.upperBound), not \(maximumFrameBytes)")
        }
        if let memoryLimit, !(1...1 << 20).contains(memoryLimit) {
            throw ValidationError("--memory-limit is 1 to \(1 << 20) MiB, not \(memoryLimit)")
        }
        try limits.check(
            AdjustableLimit.receiving,
            own: [
                .connections: "--maximum-connections", .frameBytes: "--maximum-frame-bytes",
                .minimumRate: "--minimum-rate", .memory: "--memory-limit",
            ])
    }

    /// - Parameter formats: What the codec decodes; empty = frames are taken as they come.
    private func role(taking formats: [PixelFormat]) throws(FrameStreamingError) -> TCPRole {
        var options = TCPReceiverOptions()
        options.pixelFormats = formats
        options.maximumFrameByteCount = maximumFrameBytes
        if let memoryLimit { options.memory = try MemoryBudget(total: memoryLimit << 20) }
        try limits.apply(to: &options)
        return .receiver(options)
    }

    private func options(_ security: TCPSecurity?) -> TCPOptions {
        var options = TCPOptions()
        options.security = security
        options.minimumRate = rate.bytesPerSecond
        limits.apply(to: &options)
        return options
    }

    var persistence: Persistence {
        let seconds = returnWithin ?? (once ? 60 : 0)
        return Persistence(
            once: once, connects: from != nil, reconnects: !noReconnect, patience: seconds > 0 ? .seconds(seconds) : nil
        )
    }

    func listener(
        taking formats: [PixelFormat], _ security: TCPSecurity?
    ) throws(FrameStreamingError) -> TCPListener {
        try TCPListener(
            on: listen ?? "", role: try role(taking: formats), handshake: handshake.tcp, options: options(security))
    }

    /// The command that sends a test pattern here, for the page while it has no stream.
    ///
    /// - Parameters:
    ///   - address: Where the program listens.
    ///   - credential: The options with which a sender is let in; empty = it needs none.
    func invitation(to address: String, with credential: String) -> String? {
        guard let address = try? NetworkAddress(address) else { return nil }
        let isEverywhere = address.host == "0.0.0.0" || address.host == "::"
        let target = isEverywhere ? "{host}:\(address.port)" : address.description
        // A sender speaks binary by default.
        return "frame-send --pattern --to \(target)" + (handshake == .text ? " --handshake text" : "") + credential
    }

    /// Nil if the program waits for senders.
    func connector(
        taking formats: [PixelFormat], _ security: TCPSecurity?
    ) throws(FrameStreamingError) -> TCPConnector? {
        guard let from else { return nil }
        // The connecting side speaks first, so it cannot detect the handshake: it is
        // binary, unless the user wants text.
        return try TCPConnector(
            to: from, role: try role(taking: formats), handshake: handshake == .text ? .text : .binary,
            options: options(security))
    }
}

/// The options for the page with the pictures.
struct PreviewArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Show the pictures in a browser. Listens on loopback unless a host is named, which also needs a token and HTTPS; 0 is any free port.",
            valueName: "[host:]port"))
    var preview: String?

    @OptionGroup var access: PreviewSecurity

    func check(_ security: SecurityOptions) throws {
        try access.check(preview, certificate: security.tlsCert, insecure: security.insecure)
    }

    /// Nil without `--preview`: there is neither a thread nor a port.
    func server(_ security: SecurityOptions) throws(FrameStreamingError) -> PreviewServer? {
        guard let preview else { return nil }
        var certificate: (file: String, key: String)?
        if let file = security.tlsCert, let key = security.tlsKey { certificate = (file, key) }
        return try access.open(on: preview, certificate: certificate, insecure: security.insecure, reloads: true)
    }
}

/// The options for the received pictures.
struct ConsumeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Record by the ending of the name: as Matroska or MP4, which have JPEG and video as they came with their capture times, as Y4M, MJPEG or a directory of JPEGs. Existing recordings are kept: the next recording, another sender's, and one after a change of format go to NAME-2, NAME-3. A FIFO, a device and - (standard output) take the MJPEG of one stream at a time.",
            valueName: "file.mkv|file.mp4|file.y4m|file.mjpg|dir/|-"), completion: .file())
    var record: String?

    @Flag(
        inversion: .prefixedNo,
        help: "Replace recordings of earlier runs, or refuse to begin if one exists. (default: take the next name)"
    )
    var overwrite: Bool?

    @Flag(help: "Acknowledge a picture only when it is on the disk (fdatasync), so that not even a power cut loses it.")
    var sync = false

    @Option(help: ArgumentHelp("Refuse to begin more recordings than this; 0: no limit.", valueName: "n"))
    var maximumRecordings = 10_000

    @OptionGroup var segments: SegmentOptions

    @Option(
        help: ArgumentHelp(
            "The rate in the header of a Y4M recording, such as 25 or 30000/1001: received pictures have no rate. (default: 30)",
            valueName: "n/d"))
    var recordRate: FrameRate?

    @Option(help: ArgumentHelp("End after this many frames.", valueName: "n"))
    var frames: Int?

    @Option(
        help: ArgumentHelp(
            "The pixel format to decode to. (default: bgr; for a Y4M recording the JPEG's own planes; none for another recording, and for a preview without recording)"
        ))
    var decode: DecodeArgument?

    @Option(
        help: ArgumentHelp(
            "Turn the pictures clockwise in recordings and in the preview, after their EXIF orientation was honoured; auto: only do that. JPEGs are turned without loss if their size consists of whole blocks, and else encoded again.",
            valueName: "90|180|270|auto"))
    var rotate: RotationArgument?

    @Flag(
        help:
            "Refuse pictures that decode with warnings. Without it they are shown as far as they go, as image viewers do, and counted."
    )
    var strict = false

    @Option(
        help: ArgumentHelp("Wait this long for each frame: a slow consumer, to try flow control.", valueName: "ms"))
    var consumeMs: Int?

    func validate() throws {
        if let frames, frames < 1 { throw ValidationError("--frames is at least 1, not \(frames)") }
        if let consumeMs, !(0...600_000).contains(consumeMs) {
            throw ValidationError("--consume-ms is 0 to 600000, not \(consumeMs)")
        }
        if let record, RecordingKind(path: record) == nil {
            throw ValidationError(
                "--record \(record) is nothing that can be recorded: a file ends with .mkv, .mp4, .y4m, .mjpg or .mjpeg, a "
                    + "directory of JPEGs ends with / or has no ending, and - is standard output")
        }
        if isVideo, let decode, decode != .i420 {
            throw ValidationError("a Y4M recording needs planes: leave --decode out")
        }
        if strict, decode == .some(.none) {
            throw ValidationError("--strict is for pictures that are decoded: leave --decode none out")
        }
        try segments.check(record.flatMap(RecordingKind.init))
        if let record, segments.isDated, RecordingPath.isStream(record) {
            throw ValidationError("--record \(record) goes to a reader: segments and --pre-roll need a file")
        }
        if record == nil, sync { throw ValidationError("--sync is for --record") }
        guard maximumRecordings >= 0 else {
            throw ValidationError("--maximum-recordings is at least 0, not \(maximumRecordings)")
        }
        if recordRate != nil, !isVideo {
            throw ValidationError(
                "--record-rate is for Y4M: Matroska and MP4 have the pictures' own times, and other recordings none")
        }
    }

    /// The codec for JPEGs, and for video if the program has one and the recording takes it.
    ///
    /// - Parameters:
    ///   - limits: What a picture may cost.
    ///   - previews: Whether the pictures are shown in a browser.
    func codec(_ limits: LimitOptions, previews: Bool) throws(FrameStreamingError) -> any FrameCodec {
        let turbo = limits.codec(isStrict: strict)
        let jpeg = ReceivingCodec(turbo, jpegs: jpegs(previews: previews))
        // Other recordings of what arrives take nothing but JPEGs.
        guard !recordsArriving || isFilm, let video = try VideoArguments.receiving(maximumPixels: turbo.maximumPixels)
        else {
            return jpeg
        }
        return CombinedCodec(encoding: jpeg, decoding: [jpeg, video])
    }

    /// A Y4M recording keeps the JPEG's own subsampling; nothing else needs separate planes.
    private func jpegs(previews: Bool) -> ReceivingCodec.JPEGs {
        guard decode == nil else { return .decoded }
        if !strict, recordsArriving || previews && record == nil { return .passedOn }
        return isVideo ? .decodedToTheirPlanes : .decoded
    }

    /// The formats that HELLO names to the sender; empty = any, for frames that are not decoded
    /// because the user wants that.
    ///
    /// - Parameters:
    ///   - codec: The result of ``codec(_:previews:)``.
    ///   - previews: Whether the pictures are shown in a browser.
    func pixelFormats(of codec: any FrameCodec, previews: Bool) -> [PixelFormat] {
        if isFilm, decodeSettings(of: codec, previews: previews) == nil { return FilmRecorder.pixelFormats }
        return decode == .some(.none) ? [] : codec.decodableFormats
    }

    private var isVideo: Bool { record.flatMap(RecordingKind.init) == .video }

    private var isFilm: Bool { if case .film? = record.flatMap(RecordingKind.init) { true } else { false } }

    /// Whether the pictures are recorded as they arrive.
    private var recordsArriving: Bool { record != nil && !isVideo }

    /// With --no-overwrite an existing first name is refused at the start;
    /// later recordings take free names.
    var recordingOptions: RecordingOptions {
        RecordingOptions(existing: overwrite == true ? .replace : .nextName, syncsFrames: sync)
    }

    /// Nil leaves the pictures as they arrive: by default, that is what a recording of JPEGs and the
    /// preview need, so that they have every picture, even a damaged one.
    ///
    /// - Parameters:
    ///   - codec: The result of ``codec(_:previews:)``.
    ///   - previews: Whether the pictures are shown in a browser.
    func decodeSettings(of codec: any FrameCodec, previews: Bool) -> DecodeSettings? {
        switch (decode, jpegs(previews: previews)) {
        // A viewer of the preview needs video decoded, and nobody else does.
        case (nil, .passedOn): codec.hasMemory && (previews || !isFilm) ? DecodeSettings(pixelFormat: .i420) : nil
        // A JPEG has the planes that it has, and video these.
        case (nil, .decodedToTheirPlanes), (.i420, _): DecodeSettings(pixelFormat: .i420)
        case (.bgr, _), (nil, .decoded): DecodeSettings(pixelFormat: .bgr24)
        case (.some(.none), _): nil
        }
    }

    /// The consumer's own work.
    var consumeTime: Duration { .milliseconds(consumeMs ?? 0) }
}

enum DecodeArgument: String, ExpressibleByArgument, CaseIterable {
    case bgr, i420, none
}
