internal import FrameStreamingSystem

/// Takes pictures from a source, encodes them when a receiver has credit, and sends them: one
/// source to any number of receivers, each with a queue and a window of its own.
///
/// ```swift
/// var source = try TestPatternSource(width: 640, height: 480)
/// let transport = try TCPTransport.connect(to: "receiver:5600", role: .sender)
/// let sender = try FrameSender(
///     codec: JPEGCodec(), transport: transport, options: SenderOptions(for: source))
/// try sender.run(&source)
/// ```
///
/// `run(_:)` blocks the calling thread; everything else may be called from any thread meanwhile.
public final class FrameSender: Sendable {
    let encoders: EncoderPool
    let options: SenderOptions
    let control = Monitor(SenderControl())
    let poller = AcknowledgementPoller()
    let idle = IdleLinks()

    /// A sender over one connection.
    ///
    /// - Parameters:
    ///   - codec: Encodes pictures, except those in its ``FrameCodec/encodedFormats`` and JPEGs.
    ///   - transport: A connection whose peer receives. The sender owns it from here.
    ///   - options: Policy, window, quality.
    /// - Throws: `invalidArgument` for invalid options.
    public convenience init(
        codec: any FrameCodec, transport: any Transport, options: SenderOptions = SenderOptions()
    ) throws(FrameStreamingError) {
        try self.init(codec: codec, transports: [transport], options: options)
    }

    /// A sender over several connections: a picture is encoded once for all of them.
    ///
    /// - Parameters:
    ///   - codec: Encodes pictures, except those in its ``FrameCodec/encodedFormats`` and JPEGs.
    ///   - transports: Connections whose peers receive. The sender owns them from here.
    ///   - options: Policy, window, quality: the same for all; `add(_:policy:window:)` gives one
    ///     its own.
    /// - Throws: `invalidArgument` for invalid options.
    public convenience init(
        codec: any FrameCodec, transports: [any Transport], options: SenderOptions = SenderOptions()
    ) throws(FrameStreamingError) {
        guard !transports.isEmpty else {
            throw FrameStreamingError(.invalidArgument, "a sender needs at least one connection")
        }
        try self.init(codec: codec, options: options)
        for transport in transports { try add(transport) }
    }

    /// A sender that makes its connection itself, and another one after a break: the receiver may
    /// be started later, and restarted.
    ///
    /// - Parameters:
    ///   - codec: Encodes pictures, except those in its ``FrameCodec/encodedFormats`` and JPEGs.
    ///   - provider: Makes the connections, one after another.
    ///   - options: Policy, window, quality, ``SenderOptions/reconnection``.
    /// - Throws: `invalidArgument` for invalid options.
    public convenience init(
        codec: any FrameCodec, provider: any TransportProvider, options: SenderOptions = SenderOptions()
    ) throws(FrameStreamingError) {
        try self.init(codec: codec, options: options)
        try add(provider)
    }

    /// A sender without a connection so far: see `add(_:policy:window:)` and
    /// ``SenderOptions/waitsForReceivers``.
    ///
    /// - Parameters:
    ///   - codec: Encodes pictures, except those in its ``FrameCodec/encodedFormats`` and JPEGs.
    ///   - options: Policy, window, quality.
    /// - Throws: `invalidArgument` for invalid options.
    public init(codec: any FrameCodec, options: SenderOptions) throws(FrameStreamingError) {
        try options.encode.check()
        // Invalid options are refused here, before a connection is added.
        _ = try FlowControl(options)
        try Self.checkBitRate(options, codec)
        if let fallback = options.fallbackCodec, fallback.hasMemory || !codec.hasMemory {
            throw FrameStreamingError(
                .invalidArgument, "a fallback goes with a codec with memory, such as H.264, and has none, as JPEG")
        }
        self.options = options
        encoders = EncoderPool(
            codec: codec, fallback: options.fallbackCodec, count: options.encoders, settings: options.encode,
            passesOnJPEG: options.passesOnJPEG, passesOnAll: options.isRelay, poller: poller)
    }

    private static func checkBitRate(_ options: SenderOptions, _ codec: any FrameCodec) throws(FrameStreamingError) {
        guard options.bitRate != nil else { return }
        guard codec.hasMemory else {
            throw FrameStreamingError(
                .invalidArgument,
                "a bit rate is for codecs with memory, such as H.264: adapt this codec's quality to the link instead")
        }
        guard options.adaptiveQuality == nil else {
            throw FrameStreamingError(
                .invalidArgument,
                "an adaptive quality and a bit rate both choose the size of frames: set one of them")
        }
    }

    deinit {
        for link in control.withLock({ $0.links }) { link.cancel() }
        encoders.stop()
    }

    // MARK: Sending

    /// Sends the pictures of `source` until it ends, every receiver has left, or
    /// ``stop(_:)`` or ``cancel()`` is called.
    ///
    /// Returns when the receivers have acknowledged everything. A sender runs once. It takes no
    /// frame before the first receiver is connected.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task calls the async
    /// form, `try await sender.run(&source)`.
    ///
    /// - Throws: The source's error, after the frames before it were delivered; the error that
    ///   ended the last connection; `cancelled` after ``cancel()``; `invalidArgument` for a second
    ///   run, and for a sender without a receiver that does not wait for one
    ///   (``SenderOptions/waitsForReceivers``). ``summary`` has the figures in these cases as well.
    @available(
        *, noasync, message: "it blocks one of the few threads of all tasks: use 'try await sender.run(&source)'"
    )
    @discardableResult
    public func run(_ source: inout some FrameSource) throws(FrameStreamingError) -> SenderSummary {
        guard options.waitsForReceivers || !control.withLock({ $0.links.isEmpty }) else {
            throw FrameStreamingError(
                .invalidArgument,
                "the sender has no receiver: add one before it runs, or set waitsForReceivers in its options")
        }
        try beginRun("make another for another source")
        var failure: FrameStreamingError?
        do throws(FrameStreamingError) {
            try senderRun.pull(&source)
        } catch {
            failure = error
        }
        return try endRun(failure, source.goodbye ?? .complete("end of stream"))
    }

    /// Hands over a frame without waiting, instead of `run(_:)`, for
    /// programs with a loop of their own.
    ///
    /// `finish(_:)` ends it. Any thread may call.
    ///
    /// - Parameters:
    ///   - frame: The frame.
    ///   - mayQueue: Whether the frame may wait if there is no credit. Under `latest` it then
    ///     replaces an older frame that waits. False: it is sent at once, or not taken.
    /// - Returns: What happened to the frame. With several receivers, each with its own credit, it
    ///   is the best outcome.
    /// - Throws: `invalidArgument` for metadata of more than ``Frame/maximumMetadataByteCount``
    ///   bytes: the frame was not taken.
    @discardableResult
    public func trySend(_ frame: Frame, mayQueue: Bool = true) throws(FrameStreamingError) -> SendOutcome {
        let links: [ReceiverLink]? = control.withLock { control in
            control.order.ends || control.phase == .ending ? nil : control.links
        }
        guard let links else { return .ended }
        let encoding = try encoders.prepare(frame)
        return links.reduce(.noReceiver) { $0.better($1.tryOffer(encoding, mayQueue: mayQueue)) }
    }

    /// Whether a picture that is handed over now would be sent at once, to at least one receiver.
    public var hasCredit: Bool { control.withLock { $0.links }.contains { $0.hasCredit } }

    /// Ends a stream of ``trySend(_:mayQueue:)``: waits until the receivers have acknowledged the
    /// frames in flight, and says goodbye, as at the end of `run(_:)`.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task calls the async
    /// form, `try await sender.finish()`.
    ///
    /// - Parameter goodbye: The goodbye for the receivers: ``Goodbye/failed(_:)`` if this side
    ///   could not go on.
    /// - Throws: The error that ended the last connection; `cancelled` after ``cancel()``;
    ///   `invalidArgument` if the sender runs or has ended.
    @available(*, noasync, message: "it blocks one of the few threads of all tasks: use 'try await sender.finish()'")
    @discardableResult
    public func finish(
        _ goodbye: Goodbye = .complete("end of stream")
    ) throws(FrameStreamingError) -> SenderSummary {
        try beginRun("it has ended, or its run ends it")
        return try endRun(nil, goodbye)
    }

    private var senderRun: SenderRun {
        SenderRun(control: control, encoders: encoders, poller: poller, idle: idle, options: options)
    }

    private func beginRun(_ remedy: String) throws(FrameStreamingError) {
        guard control.withLock({ $0.phase.begin() }) else {
            throw FrameStreamingError(.invalidArgument, "a sender runs once: \(remedy)")
        }
    }

    private func endRun(
        _ failure: FrameStreamingError?, _ goodbye: Goodbye
    ) throws(FrameStreamingError) -> SenderSummary {
        senderRun.end(failure, goodbye)
        if control.withLock({ $0.order.isCancelled }) { throw .cancelled("the sender") }
        if let failure { throw failure }
        let summary = summary
        if let broken = summary.receivers.first?.failure, summary.receivers.allSatisfy({ $0.failure != nil }) {
            throw broken
        }
        return summary
    }

    /// Ends the stream cleanly, from any thread: no more frames are taken, the frames in flight are
    /// waited for as long as ``SenderOptions/stopTimeout`` allows, and `run(_:)` returns.
    ///
    /// - Parameter goodbye: The goodbye for the receivers; the first one counts.
    public func stop(_ goodbye: Goodbye = .stopped("sender stopped")) {
        control.update { $0.order.stop(at: .now, goodbye) }
    }

    /// Ends at once, from any thread: `run(_:)` throws `cancelled` within 100 ms (and
    /// the source's own slice of 50 ms).
    public func cancel() {
        let links = control.update { control in
            control.order = .cancel
            return control.links
        }
        for link in links { link.cancel() }
    }

    /// The present settings for encoding.
    public var encodeSettings: EncodeSettings { encoders.settings }

    /// Changes the settings for encoding from the next picture on, from any thread: `try
    /// sender.updateEncodeSettings { $0.quality = 40 }`.
    ///
    /// - Throws: `invalidArgument` for a quality outside 1...100; the settings stay as they were.
    public func updateEncodeSettings(_ change: (inout EncodeSettings) -> Void) throws(FrameStreamingError) {
        var settings = encodeSettings
        change(&settings)
        try settings.check()
        encoders.change { $0 = settings }
    }

    /// The policy of the receivers that have none of their own: that of the options, unless the
    /// source has turned out to be live (`SenderOptions.init(for:window:encode:)`).
    public var policy: DeliveryPolicy {
        let live = control.withLock { $0.sourceIsLive } ? options.forLiveSource : nil
        return (live ?? options).policy
    }

    /// The figures so far, connection by connection.
    public var summary: SenderSummary {
        let (links, retired) = control.withLock { ($0.links, $0.retired) }
        return SenderSummary(receivers: links.map(\.summary), retired: retired)
    }

    /// Returns the figures since the last call, for a line per second.
    public func takeInterval() -> SenderStatistics {
        var (links, result) = control.withLock { control in
            defer { control.retiredInterval = SenderStatistics() }
            return (control.links, control.retiredInterval)
        }
        for link in links { result.merge(link.takeInterval()) }
        return result
    }
}
