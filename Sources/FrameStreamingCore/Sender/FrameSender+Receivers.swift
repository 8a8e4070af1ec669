internal import FrameStreamingSystem

/// The receivers of a sender, which may be added at any time.
extension FrameSender {
    /// How many ended connections a summary lists one by one.
    private static var mostNamed: Int { 64 }

    /// Sends to one more receiver, from any thread, also in mid-stream:
    /// it gets the pictures from now on.
    ///
    /// A receiver that lost its connection continues its session: under `reliable` it gets the
    /// frames that it has not acknowledged.
    ///
    /// - Parameters:
    ///   - transport: A connection whose peer receives. The sender owns it from here.
    ///   - policy: The policy for this receiver; nil = that of the options.
    ///   - window: The window for this receiver; nil = that of the options.
    /// - Throws: `invalidArgument`; `closed` when the sender has ended.
    public func add(
        _ transport: any Transport, policy: DeliveryPolicy? = nil, window: SendWindow? = nil
    ) throws(FrameStreamingError) {
        _ = try link(for: transport, isIncoming: false, policy, window)
    }

    /// Works like `add(_:policy:window:)`, and returns when that connection has
    /// ended, for the body of a listener.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task calls the async
    /// form, `try await sender.serve(transport)`, or `add(_:policy:window:)`, which does not wait.
    ///
    /// - Throws: `invalidArgument`; `closed` when the sender has ended. How the
    ///   connection ended is in the ``summary``.
    @available(
        *, noasync,
        message: "it blocks one of the few threads of all tasks: use 'try await sender.serve(transport)', or 'add'"
    )
    public func serve(
        _ transport: any Transport, policy: DeliveryPolicy? = nil, window: SendWindow? = nil
    ) throws(FrameStreamingError) {
        let (link, number) = try link(for: transport, isIncoming: true, policy, window)
        link.waitUntilOver(number)
    }

    /// Works like `serve(_:policy:window:)`, but returns at once: for a listener that notices by
    /// itself when a connection has ended.
    package func take(_ transport: any Transport) throws(FrameStreamingError) {
        _ = try link(for: transport, isIncoming: true, nil, nil)
    }

    private func link(
        for transport: any Transport, isIncoming: Bool, _ policy: DeliveryPolicy?, _ window: SendWindow?
    ) throws(FrameStreamingError) -> (ReceiverLink, ConnectionNumber) {
        let peer = transport.peer
        for link in peer.session == 0 ? [] : control.withLock({ $0.links }) {
            if let number = link.adopt(transport, of: peer) { return (link, number) }
        }
        do throws(FrameStreamingError) {
            let link = try ReceiverLink(
                transport: transport, isIncoming: isIncoming, options: options(policy, window), surroundings)
            try append(link)
            return (link, .first)
        } catch {
            transport.close()
            throw error
        }
    }

    /// Sends to one more receiver, from any thread, also in mid-stream, over
    /// connections that `provider` makes.
    ///
    /// - Parameters:
    ///   - provider: Makes the connections, one after another.
    ///   - policy: The policy for this receiver; nil = that of the options.
    ///   - window: The window for this receiver; nil = that of the options.
    /// - Throws: `invalidArgument`; `closed` when the sender has ended.
    public func add(
        _ provider: any TransportProvider, policy: DeliveryPolicy? = nil, window: SendWindow? = nil
    ) throws(FrameStreamingError) {
        try append(try ReceiverLink(provider: provider, options: options(policy, window), surroundings))
    }

    /// The sender's options with the policy and window of one link.
    private func options(_ policy: DeliveryPolicy?, _ window: SendWindow?) -> SenderOptions {
        var options = options
        if let policy {
            options.policy = policy
            options.window = .standard(for: policy)
        }
        if let window { options.window = window }
        return options
    }

    /// The parts that a link shares with the others.
    private var surroundings: ReceiverLink.Surroundings {
        ReceiverLink.Surroundings(
            encoders: encoders, poller: poller, idle: idle, onQuality: onQuality, sharesEncodings: sharesEncodings,
            onChange: onChange, onDemand: onDemand)
    }

    private func append(_ link: ReceiverLink) throws(FrameStreamingError) {
        let refusal: FrameStreamingError? = control.update { control in
            guard control.phase != .ending, !control.order.isCancelled else {
                return FrameStreamingError(.closed, "the sender has ended: make another")
            }
            if options.adaptiveQuality != nil, control.links.contains(where: \.isOpen) {
                return FrameStreamingError(
                    .unsupported,
                    "adaptive quality is for one receiver, and there is one already: give each a sender of its own, or a fixed quality"
                )
            }
            if options.bitRate == .automatic, control.links.contains(where: \.isOpen) {
                return FrameStreamingError(
                    .unsupported,
                    "a bit rate that follows the link is for one receiver, and there is one already: give each a sender of its own, or a fixed bit rate"
                )
            }
            control.links.append(link)
            control.version += 1
            control.retire(beyond: Self.mostNamed)
            return nil
        }
        guard let refusal else {
            if control.withLock({ $0.sourceIsLive }) { link.handle(.sourceIsLive) }
            return
        }
        link.cancel()
        throw refusal
    }

    /// Several receivers share one encoding, so the wish of one of them does not change it.
    private var sharesEncodings: @Sendable () -> Bool {
        { [weak control] in control.map { $0.withLock { $0.links.count(where: \.isOpen) > 1 } } ?? false }
    }

    private var onQuality: @Sendable (Int) -> Void {
        { [weak self] quality in
            guard let self, options.adaptiveQuality == nil else { return }
            encoders.change { $0.quality = min(max(quality, 1), 100) }
        }
    }

    private var onDemand: (@Sendable () -> Void)? {
        guard options.isRelay else { return nil }
        return { [weak control] in
            guard let control, control.withLock({ $0.awaitsDemand }) else { return }
            control.wakeAll()
        }
    }

    /// Waits until a frame would be sent at once to at least one receiver, or the sender ends; false
    /// if neither is so by the deadline.
    func waitForDemand(until deadline: Deadline) -> Bool {
        let isWanted: Bool? = control.wait(until: deadline.nanoseconds) { control in
            control.awaitsDemand = true
            return control.order.ends || control.links.contains { $0.hasCredit } ? true : nil
        }
        control.withLock { $0.awaitsDemand = false }
        return isWanted == true
    }

    /// Notes that the source has a frame, and keeps it until a receiver has credit. So a window that is
    /// too small for a long way is noticed.
    func noteFrameWaits() { for link in control.withLock({ $0.links }) { link.noteWaiting() } }

    /// Whether a receiver needs a frame that stands alone.
    var awaitsKeyFrame: Bool { control.withLock { $0.links }.contains { $0.awaitsKeyFrame } }

    /// The receivers that have not left: those that came here, and those to which this side connects.
    var openReceivers: (incoming: Int, outgoing: Int) {
        let open = control.withLock { $0.links }.filter(\.isOpen)
        let outgoing = open.count { $0.provider != nil }
        return (open.count - outgoing, outgoing)
    }

    private var onChange: @Sendable () -> Void {
        { [weak control] in
            control?.update { control in
                control.version += 1
                // The receivers that are connected at the end stay in the summary.
                if control.phase != .ending { control.retire(beyond: Self.mostNamed) }
            }
        }
    }
}
