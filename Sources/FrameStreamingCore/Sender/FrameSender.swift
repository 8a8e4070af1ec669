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
    private let outlets: [SenderOutlet<Codec>]
    private let options: SenderOptions
    private let control = Monitor(Control())

    private struct Control {
        var isStopping = false
        var isCancelled = false
        var isRunning = false
    }

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
    ///   - options: Policy, window, quality: the same for all.
    /// - Throws: `invalidArgument` for options that cannot be.
    public init(
        codec: Codec, transports: [any Transport], options: SenderOptions = SenderOptions()
    ) throws(FrameStreamingError) {
        guard !transports.isEmpty else {
            throw FrameStreamingError(.invalidArgument, "a sender needs at least one connection")
        }
        try Self.check(options.encode)
        self.options = options
        var outlets: [SenderOutlet<Codec>] = []
        for transport in transports {
            let flow = try FlowControl(policy: options.policy, window: options.window)
            outlets.append(
                try SenderOutlet(transport: transport, codec: codec, flow: flow, options: options))
        }
        self.outlets = outlets
    }

    deinit {
        for outlet in outlets { outlet.cancel() }
    }

    /// Sends what `source` gives until it ends, every receiver has left, or ``stop()`` or ``cancel()`` is called.
    ///
    /// Returns when the receivers have had everything and said so. A sender runs once.
    ///
    /// - Throws: What the source threw, after the frames before it were delivered; what broke, when that ended the last
    ///   connection; `cancelled` after ``cancel()``. ``summary`` has the figures then too.
    @discardableResult
    public func run(_ source: inout some FrameSource) throws(FrameStreamingError) -> SenderSummary {
        let isFirst = control.withLock { control in
            defer { control.isRunning = true }
            return !control.isRunning
        }
        guard isFirst else {
            throw FrameStreamingError(.busy, "a sender runs once: make another for another source")
        }
        var failure: FrameStreamingError?
        do throws(FrameStreamingError) {
            try pull(&source)
        } catch {
            failure = error
        }
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
        control.update { $0.isCancelled = true }
        for outlet in outlets { outlet.cancel() }
    }

    /// How pictures are encoded now.
    public var encodeSettings: EncodeSettings { outlets[0].settings }

    /// Encodes otherwise from the next picture on, from any thread: `try sender.updateEncodeSettings { $0.quality = 40 }`.
    ///
    /// - Throws: `invalidArgument` for a quality outside 1...100; the settings stay as they were.
    public func updateEncodeSettings(_ change: (inout EncodeSettings) -> Void) throws(FrameStreamingError) {
        var settings = encodeSettings
        change(&settings)
        try Self.check(settings)
        for outlet in outlets { outlet.change(settings) }
    }

    private static func check(_ settings: EncodeSettings) throws(FrameStreamingError) {
        guard (1...100).contains(settings.quality) else {
            throw FrameStreamingError(
                .invalidArgument, "a quality of \(settings.quality) cannot be: 1 (smallest) to 100 (best)")
        }
    }

    /// The figures so far, connection by connection.
    public var summary: SenderSummary { SenderSummary(connections: outlets.map(\.summary)) }

    /// For a line per second: what happened since the last call of this.
    public func takeInterval() -> SenderStatistics {
        var result = SenderStatistics()
        for outlet in outlets { result.merge(outlet.takeInterval()) }
        return result
    }

    // MARK: The run

    /// How long a wait lasts at most before a stop or cancel is looked for.
    private static var slice: Duration { .milliseconds(50) }

    private var isEnding: Bool { control.withLock { $0.isStopping || $0.isCancelled } }

    private func pull(_ source: inout some FrameSource) throws(FrameStreamingError) {
        while !isEnding, outlets.contains(where: { $0.isOpen }) {
            let event: SourceEvent?
            do throws(FrameStreamingError) {
                event = try source.next(until: .after(Self.slice))
            } catch {
                if error.code == .timedOut { continue }
                throw error
            }
            switch event {
            case .frame(let frame): offer(Picture(frame, offered: .now))
            case .lost(let reason): for outlet in outlets { outlet.notify(.sourceLost(reason.description)) }
            case .restored: for outlet in outlets { outlet.notify(.sourceRestored) }
            case nil: return
            }
        }
    }

    /// Each connection takes the picture; the slowest reliable one is waited for.
    private func offer(_ picture: Picture) {
        for outlet in outlets {
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
        let isStopped = control.withLock { $0.isStopping }
        let reason = failure.map { "source failed: \($0)" } ?? (isStopped ? "sender stopped" : "end of stream")
        for outlet in outlets {
            if control.withLock({ $0.isCancelled }) { break }
            drain(outlet)
        }
        for outlet in outlets where !control.withLock({ $0.isCancelled }) {
            outlet.finish(reason, isStopped: isStopped, until: .after(options.finishTimeout))
        }
        for outlet in outlets { outlet.join() }
    }

    /// Waits for what is under way, in slices, so that a stop shortens the wait and a cancel ends it.
    private func drain(_ outlet: SenderOutlet<Codec>) {
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
