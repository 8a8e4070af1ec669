internal import FrameStreamingSystem

/// The thread of a link, for work that must wait. It makes connections, sends what a connection did
/// not take at once, and wakes the session when its time has come.
struct LinkThread {
    /// What the thread does, for callers that may have to wake it.
    enum Activity: Hashable {
        case works
        /// It sleeps until then; nil = until it is woken.
        case sleeps(until: MonotonicTime?)
    }

    private enum Work {
        case send(BlockedSend)
        case begin(LinkConnection)
        case connect(any TransportProvider)
        /// The session's time has come or has changed.
        case look
        case stop
    }

    /// How long the thread stays without work. Starting one for every
    /// frame would cost more than the frame.
    private static let linger = Duration.seconds(1)

    private let link: ReceiverLink
    private var attempts: ConnectionAttempts
    /// When the last connection began; nil = none did since the last wait.
    private var lastStart: MonotonicTime?

    private init(_ link: ReceiverLink) {
        self.link = link
        attempts = ConnectionAttempts(
            waitsForPeers: link.provider?.waitsForPeers == true, reconnection: link.options.reconnection)
    }

    /// Starts the thread, which ``LinkState/thread`` already claims.
    /// Returns why that was impossible.
    static func start(for link: ReceiverLink) -> FrameStreamingError? {
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-link") {
                var thread = LinkThread(link)
                thread.run()
            }
            return nil
        } catch {
            let failure = failure(error)
            let (needsConnection, blocked) = link.state.update { state in
                state.thread = nil
                return (state.session.needsConnection, state.blocked.take())
            }
            // If the thread was only to look at a certain time, the next event does so.
            if needsConnection { link.handle(.gaveUpConnecting(failure)) }
            if let number = blocked?.connection.number { link.handle(.disconnected(number, .broken(failure))) }
            return failure
        }
    }

    static func failure(_ error: SystemError) -> FrameStreamingError {
        FrameStreamingError(error, remedy: "no thread could be started for the connection")
    }

    private mutating func run() {
        while true {
            switch nextWork() {
            case .send(let blocked): send(blocked.outgoing, over: blocked.connection)
            case .begin(let connection): link.begin(connection)
            case .connect(let provider): connect(provider)
            case .look: link.look()
            case .stop:
                // Callers that wait for the session's threads look again.
                return link.state.wakeAll()
            }
        }
    }

    // MARK: Finding work

    private func nextWork() -> Work {
        let wakeAt = link.state.withLock { state in
            let wakeAt = state.threadWakeAt
            state.thread = .sleeps(until: wakeAt)
            return wakeAt
        }
        let limit = wakeAt ?? MonotonicTime.now.advanced(by: Self.linger)
        let work: Work? = link.state.wait(until: limit.nanoseconds) { state in
            guard let work = Self.work(state, link.provider) else {
                guard state.threadWakeAt != wakeAt else { return nil }
                state.thread = .works
                return .look
            }
            return claim(work, &state)
        }
        return work
            ?? link.state.update { state in
                // Work may have arrived since.
                if let work = Self.work(state, link.provider) { return claim(work, &state) }
                return claim(wakeAt == nil && state.threadWakeAt == nil ? .stop : .look, &state)
            }
    }

    private func claim(_ work: Work, _ state: inout LinkState) -> Work {
        state.thread = .works
        switch work {
        case .send: state.blocked = nil
        case .stop: state.thread = nil
        case .begin, .connect, .look: break
        }
        return work
    }

    private static func work(_ state: LinkState, _ provider: (any TransportProvider)?) -> Work? {
        if state.session.phase.hasEnded { return .stop }
        if let blocked = state.blocked, !blocked.connection.isPolled { return .send(blocked) }
        guard state.session.needsConnection else { return nil }
        if let next = state.next { return .begin(next) }
        return provider.map { .connect($0) }
    }

    // MARK: Doing it

    /// Sends what the connection did not take at once.
    private func send(_ outgoing: Outgoing<SharedEncoding>, over connection: LinkConnection) {
        guard let message = outgoing.message else { return }
        do throws(FrameStreamingError) {
            try connection.transport.send(message, until: .after(link.options.sendTimeout))
            link.handle(.sent(connection.number))
        } catch {
            link.handle(link.failure(error, of: outgoing, over: connection))
        }
    }

    private mutating func connect(_ provider: any TransportProvider) {
        if let start = lastStart.take(), let wait = attempts.lost(since: start, at: .now) {
            let breakage = link.state.withLock { $0.session.breakage }
            return sleep(wait, for: breakage ?? FrameStreamingError(.connectionLost, "the receiver left"), provider)
        }
        let start = MonotonicTime.now
        do throws(FrameStreamingError) {
            let transport = try provider.nextTransport(until: .after(ConnectionAttempts.longest))
            lastStart = .now
            link.begin(link.numbered(transport))
        } catch {
            switch attempts.failed(error, since: start, at: .now) {
            case .again: break
            case .never: link.handle(.gaveUpConnecting(error))
            case .after(let wait):
                link.handle(.failedToConnect(error))
                sleep(wait, for: error, provider)
            }
        }
    }

    /// Reports the wait with its reason, and waits, at most until the
    /// session needs no connection any more.
    private func sleep(_ wait: Duration, for reason: FrameStreamingError, _ provider: any TransportProvider) {
        link.options.onEvent?(.waiting(address: provider.address, error: reason, retryAfter: wait))
        let _: Bool? = link.state.wait(until: Deadline.after(wait).nanoseconds) {
            $0.session.needsConnection ? nil : true
        }
    }
}
