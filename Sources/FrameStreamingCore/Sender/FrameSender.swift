internal import FrameStreamingSystem

/// Takes pictures from a source, encodes them when a receiver has credit, and sends them: one source to any number of
/// connections, each with a slot and a window of its own.
///
/// ```swift
/// var source = try TestPatternSource(width: 640, height: 480)
/// let transport = try TCPTransport.connect(to: "receiver:5600", role: .sender)
/// let sender = try FrameSender(codec: JPEGCodec(), transport: transport, options: SenderOptions(for: source))
/// try sender.run(&source)
/// ```
///
/// ``run(_:)`` blocks the calling thread; everything else may be called from any thread meanwhile.
public final class FrameSender<Codec: FrameCodec>: Sendable {
    private let encoders: EncoderThreads
    private let options: SenderOptions
    private let control = Monitor(SenderControl())

    /// Ended connections that a summary names one by one.
    private static var mostNamed: Int { 64 }

    /// A sender over one connection.
    ///
    /// - Parameters:
    ///   - codec: Encodes the pictures that are not compressed; those that are pass untouched.
    ///   - transport: A connection whose peer receives. The sender owns it from here.
    ///   - options: Policy, window, quality.
    /// - Throws: `invalidArgument` for options that cannot be.
    public convenience init(
        codec: Codec, transport: any Transport, options: SenderOptions = SenderOptions()
    ) throws(FrameStreamingError) {
        try self.init(codec: codec, transports: [transport], options: options)
    }

    /// A sender over several connections: a picture is encoded once for all of them.
    ///
    /// - Parameters:
    ///   - codec: Encodes the pictures that are not compressed; those that are pass untouched.
    ///   - transports: Connections whose peers receive. The sender owns them from here.
    ///   - options: Policy, window, quality: the same for all; `add(_:policy:window:)` gives one its own.
    /// - Throws: `invalidArgument` for options that cannot be.
    public convenience init(
        codec: Codec, transports: [any Transport], options: SenderOptions = SenderOptions()
    ) throws(FrameStreamingError) {
        guard !transports.isEmpty else {
            throw FrameStreamingError(.invalidArgument, "a sender needs at least one connection")
        }
        try self.init(codec: codec, options: options)
        for transport in transports { try add(transport) }
    }

    /// A sender that makes its connection itself, and another when it breaks: the receiver may be started later, and again.
    ///
    /// - Parameters:
    ///   - codec: Encodes the pictures that are not compressed; those that are pass untouched.
    ///   - connector: Makes the connections, one after another.
    ///   - options: Policy, window, quality, ``SenderOptions/reconnection``.
    /// - Throws: `invalidArgument` for options that cannot be.
    public convenience init(
        codec: Codec, connector: any Connector, options: SenderOptions = SenderOptions()
    ) throws(FrameStreamingError) {
        try self.init(codec: codec, options: options)
        try add(connector)
    }

    /// A sender without a connection so far: see `add(_:policy:window:)` and ``SenderOptions/waitsForReceivers``.
    ///
    /// - Parameters:
    ///   - codec: Encodes the pictures that are not compressed; those that are pass untouched.
    ///   - options: Policy, window, quality.
    /// - Throws: `invalidArgument` for options that cannot be.
    public init(codec: Codec, options: SenderOptions) throws(FrameStreamingError) {
        try Self.check(options.encode)
        // What cannot be is said here, also where no connection is added yet.
        _ = try FlowControl(options)
        self.options = options
        encoders = EncoderThreads(codec: codec, count: options.encoders, settings: options.encode)
    }

    deinit {
        for outlet in control.withLock({ $0.outlets }) { outlet.cancel() }
        encoders.stop()
    }

    // MARK: Receivers

    /// Sends to one more receiver, from any thread, also in mid-stream: it gets the pictures that come from now on.
    ///
    /// A receiver of a session that is under way already and lost its connection goes on with it: under `reliable` it gets what it
    /// has not acknowledged.
    ///
    /// - Parameters:
    ///   - transport: A connection whose peer receives. The sender owns it from here.
    ///   - policy: Another than that of the options.
    ///   - window: Another than that of the options.
    /// - Throws: `invalidArgument`; `closed` when the sender has ended.
    public func add(
        _ transport: any Transport, policy: DeliveryPolicy? = nil, window: SendWindow? = nil
    ) throws(FrameStreamingError) {
        _ = try outlet(for: transport, policy, window)
    }

    /// As `add(_:policy:window:)`, and returns when that connection has ended: what a listener does with each.
    ///
    /// - Throws: `invalidArgument`; `closed` when the sender has ended. How the connection ended is in the ``summary``.
    public func serve(
        _ transport: any Transport, policy: DeliveryPolicy? = nil, window: SendWindow? = nil
    ) throws(FrameStreamingError) {
        let (outlet, number) = try outlet(for: transport, policy, window)
        outlet.waitUntilOver(number)
    }

    private func outlet(
        for transport: any Transport, _ policy: DeliveryPolicy?, _ window: SendWindow?
    ) throws(FrameStreamingError) -> (SenderOutlet, number: Int) {
        for outlet in control.withLock({ $0.outlets }) {
            if let number = outlet.adopt(transport) { return (outlet, number) }
        }
        do throws(FrameStreamingError) {
            let (flow, options) = try settle(policy, window)
            let outlet = try SenderOutlet(
                transport: transport, flow: flow, encoders: encoders, options: options, onQuality: onQuality,
                onChange: onChange)
            try append(outlet)
            return (outlet, 1)
        } catch {
            transport.close()
            throw error
        }
    }

    /// Sends to one more receiver, from any thread, also in mid-stream, over connections that are made as they are needed.
    ///
    /// - Parameters:
    ///   - connector: Makes the connections, one after another.
    ///   - policy: Another than that of the options.
    ///   - window: Another than that of the options.
    /// - Throws: `invalidArgument`; `closed` when the sender has ended.
    public func add(
        _ connector: any Connector, policy: DeliveryPolicy? = nil, window: SendWindow? = nil
    ) throws(FrameStreamingError) {
        let (flow, options) = try settle(policy, window)
        try append(
            try SenderOutlet(
                connector: connector, flow: flow, encoders: encoders, options: options, onQuality: onQuality,
                onChange: onChange))
    }

    private func settle(
        _ policy: DeliveryPolicy?, _ window: SendWindow?
    ) throws(FrameStreamingError) -> (FlowControl, SenderOptions) {
        var options = options
        if let policy {
            options.policy = policy
            options.window = .standard(for: policy)
        }
        if let window { options.window = window }
        return (try FlowControl(options), options)
    }

    private func append(_ outlet: SenderOutlet) throws(FrameStreamingError) {
        let refusal: FrameStreamingError? = control.update { control in
            guard !control.hasEnded, !control.isCancelled else {
                return FrameStreamingError(.closed, "the sender has ended: make another")
            }
            if options.adaptiveQuality != nil, control.outlets.contains(where: \.isOpen) {
                return FrameStreamingError(
                    .unsupported,
                    "adaptive quality is for one receiver, and there is one already: give each a sender of its own, or a fixed quality"
                )
            }
            control.outlets.append(outlet)
            control.version += 1
            control.retire(beyond: Self.mostNamed)
            return nil
        }
        guard let refusal else { return }
        outlet.cancel()
        throw refusal
    }

    /// Several receivers share one encoding: what one of them would like is not what the others get.
    private var onQuality: @Sendable (Int) -> Void {
        { [weak self] quality in
            guard let self, options.adaptiveQuality == nil, control.withLock({ $0.outlets.count(where: \.isOpen) }) == 1
            else {
                return
            }
            encoders.change { $0.quality = min(max(quality, 1), 100) }
        }
    }

    private var onChange: @Sendable () -> Void {
        { [weak control] in control?.update { $0.version += 1 } }
    }

    // MARK: Sending

    /// Sends what `source` gives until it ends, every receiver has left, or ``stop()`` or ``cancel()`` is called.
    ///
    /// Returns when the receivers have had everything and said so. A sender runs once. Pictures are not taken before the first
    /// receiver is connected.
    ///
    /// - Throws: What the source threw, after the frames before it were delivered; what broke, when that ended the last
    ///   connection; `cancelled` after ``cancel()``. ``summary`` has the figures then too.
    @discardableResult
    public func run(_ source: inout some FrameSource) throws(FrameStreamingError) -> SenderSummary {
        try beginRun("make another for another source")
        var failure: FrameStreamingError?
        do throws(FrameStreamingError) {
            try pull(&source)
        } catch {
            failure = error
        }
        return try endRun(failure)
    }

    /// Hands over a picture without waiting, in place of ``run(_:)``, for programs that have a loop of their own. ``finish()`` ends it.
    ///
    /// - Parameters:
    ///   - frame: The picture.
    ///   - replaces: Whether it may wait for credit where there is none. Under `latest` it takes the place of an older one that waits.
    /// - Returns: The best that became of it, where there are several receivers: each has its own credit.
    public func trySend(_ frame: Frame, replaces: Bool = true) -> SendOutcome {
        let picture = Picture(frame, offered: .now)
        let outcomes = control.withLock { $0.isStopping || $0.isCancelled ? [] : $0.outlets }
            .map { $0.tryOffer(picture, replaces: replaces) }
        return [SendOutcome.sent, .replaced].first(where: outcomes.contains) ?? .noCredit
    }

    /// Whether a picture handed over now would go at once, to one receiver at least.
    public var hasCredit: Bool { control.withLock { $0.outlets }.contains { $0.hasCredit } }

    /// Ends what ``trySend(_:replaces:)`` began: waits until the receivers have had what is under way and says goodbye, as the end of
    /// ``run(_:)`` does.
    ///
    /// - Throws: What broke, when that ended the last connection; `cancelled` after ``cancel()``.
    @discardableResult
    public func finish() throws(FrameStreamingError) -> SenderSummary {
        try beginRun("it has ended, or its run ends it")
        return try endRun(nil)
    }

    private func beginRun(_ remedy: String) throws(FrameStreamingError) {
        let isFirst = control.withLock { control in
            defer { control.isRunning = true }
            return !control.isRunning
        }
        guard isFirst else { throw FrameStreamingError(.busy, "a sender runs once: \(remedy)") }
    }

    private func endRun(_ failure: FrameStreamingError?) throws(FrameStreamingError) -> SenderSummary {
        end(failure)
        if control.withLock({ $0.isCancelled }) { throw .cancelled("the sender") }
        if let failure { throw failure }
        let summary = summary
        if let broken = summary.connections.first?.failure, summary.connections.allSatisfy({ $0.failure != nil }) {
            throw broken
        }
        return summary
    }

    /// Ends in good order, from any thread: no more pictures are taken, those under way are waited for as long as
    /// ``SenderOptions/stopPatience`` allows, and ``run(_:)`` returns.
    public func stop() { control.update { $0.isStopping = true } }

    /// Ends at once, from any thread: ``run(_:)`` throws `cancelled` within 100 ms (and the source's own slice of 50 ms).
    public func cancel() {
        let outlets = control.update { control in
            control.isCancelled = true
            return control.outlets
        }
        for outlet in outlets { outlet.cancel() }
    }

    /// How pictures are encoded now.
    public var encodeSettings: EncodeSettings { encoders.settings }

    /// Encodes otherwise from the next picture on, from any thread: `try sender.updateEncodeSettings { $0.quality = 40 }`.
    ///
    /// - Throws: `invalidArgument` for a quality outside 1...100; the settings stay as they were.
    public func updateEncodeSettings(_ change: (inout EncodeSettings) -> Void) throws(FrameStreamingError) {
        var settings = encodeSettings
        change(&settings)
        try Self.check(settings)
        encoders.change { $0 = settings }
    }

    private static func check(_ settings: EncodeSettings) throws(FrameStreamingError) {
        guard (1...100).contains(settings.quality) else {
            throw FrameStreamingError(
                .invalidArgument, "a quality of \(settings.quality) cannot be: 1 (smallest) to 100 (best)")
        }
    }

    /// The figures so far, connection by connection.
    public var summary: SenderSummary {
        let (outlets, retired) = control.withLock { ($0.outlets, $0.retired) }
        return SenderSummary(connections: outlets.map(\.summary), retired: retired)
    }

    /// For a line per second: what happened since the last call of this.
    public func takeInterval() -> SenderStatistics {
        var result = SenderStatistics()
        for outlet in control.withLock({ $0.outlets }) { result.merge(outlet.takeInterval()) }
        return result
    }

    // MARK: The run

    /// How long a wait lasts at most before a stop or cancel is looked for.
    private static var slice: Duration { .milliseconds(50) }

    private var isEnding: Bool { control.withLock { $0.isStopping || $0.isCancelled } }

    /// Those that are there, waiting for one where there is none and one may come. Nil: it is over.
    ///
    /// - Parameter isFirst: Nothing was taken from the source yet: that begins when the first receiver is connected.
    private func receivers(isFirst: Bool, waits: Bool) -> Receivers? {
        let found: Receivers?? = control.wait(until: nil) { control in
            if control.isStopping || control.isCancelled { return .some(nil) }
            let open = control.outlets.filter { $0.isOpen }
            if !open.isEmpty {
                if isFirst, !open.contains(where: { $0.hasConnected }) { return .none }
                return .some(Receivers(outlets: open, version: control.version))
            }
            guard options.waitsForReceivers else { return .some(nil) }
            return waits ? .none : .some(Receivers(outlets: [], version: control.version))
        }
        return found ?? nil
    }

    private func pull(_ source: inout some FrameSource) throws(FrameStreamingError) {
        var current: Receivers?
        while !isEnding {
            // Looked up when something has changed, and not for every picture.
            if current == nil || current?.version != control.withLock({ $0.version }) {
                // A file waits for those who are to see it. A camera does not: its driver would go on with old pictures in its buffers.
                guard let next = receivers(isFirst: current == nil, waits: current == nil || !source.isLive) else {
                    return
                }
                current = next
            }
            let outlets = current?.outlets ?? []
            let event: SourceEvent?
            do throws(FrameStreamingError) {
                event = try source.next(until: .after(Self.slice))
            } catch {
                if error.code == .timedOut { continue }
                throw error
            }
            switch event {
            case .frame(let frame): offer(Picture(frame, offered: .now), to: outlets)
            case .lost(let reason): for outlet in outlets { outlet.notify(.sourceLost(reason.description)) }
            case .restored: for outlet in outlets { outlet.notify(.sourceRestored) }
            case nil: return
            }
        }
    }

    /// Each connection takes the picture; the slowest reliable one is waited for, when the others have it.
    private func offer(_ picture: Picture, to outlets: [SenderOutlet]) {
        for outlet in outlets where !outlet.isReliable { _ = outlet.offer(picture, until: .never) }
        for outlet in outlets where outlet.isReliable {
            while !outlet.offer(picture, until: .after(Self.slice)) {
                if isEnding {
                    // Taken from the source and never to be sent: it is counted where the connection's end counts its kind.
                    outlet.abandon()
                    break
                }
            }
        }
    }

    private func end(_ failure: FrameStreamingError?) {
        let (isStopped, outlets) = control.update { control in
            control.hasEnded = true
            return (control.isStopping, control.outlets)
        }
        let reason = failure.map { "source failed: \($0)" } ?? (isStopped ? "sender stopped" : "end of stream")
        // Side by side: who is slow, or no longer there, keeps nobody else from the goodbye.
        let threads = outlets.dropFirst().map { outlet in
            try? SystemThread(name: "frame-goodbye") { self.end(outlet, reason, isStopped: isStopped) }
        }
        if let first = outlets.first { end(first, reason, isStopped: isStopped) }
        for (outlet, thread) in zip(outlets.dropFirst(), threads) {
            if let thread { thread.join() } else { end(outlet, reason, isStopped: isStopped) }
        }
        encoders.stop()
    }

    private func end(_ outlet: SenderOutlet, _ reason: String, isStopped: Bool) {
        drain(outlet)
        if !control.withLock({ $0.isCancelled }) {
            outlet.finish(reason, isStopped: isStopped, until: .after(options.finishTimeout))
        }
        outlet.join()
    }

    /// Waits for what is under way, in slices, so that a stop shortens the wait and a cancel ends it.
    private func drain(_ outlet: SenderOutlet) {
        let start = MonotonicTime.now
        var stopLimit: Deadline?
        while !control.withLock({ $0.isCancelled }) {
            if stopLimit == nil, control.withLock({ $0.isStopping }) { stopLimit = .after(options.stopPatience) }
            if let stopLimit, stopLimit.hasPassed { return }
            if outlet.drain(until: .after(Self.slice)) { return }
            if outlet.hasStalled(since: start, for: options.drainTimeout) { return }
        }
    }
}
