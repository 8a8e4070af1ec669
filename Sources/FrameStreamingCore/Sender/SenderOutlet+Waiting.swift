internal import FrameStreamingSystem

/// What an outlet waits for: room in its connection, and the time that its flow control has named. An outlet that waits for neither has no
/// thread of its own, unless it makes its connections itself.
extension SenderOutlet {
    /// How long a thread that nothing needs any more waits for the next need: to start one for every frame costs more.
    private static var lingering: Duration { .seconds(1) }

    /// What the thread that waits has to do.
    private enum Turn {
        case tick
        case finish(Outgoing, Live)
        /// The time has changed.
        case again
        case stop
    }

    // MARK: Room, on the thread that listens to the receivers

    /// There may be room in the connection: sends what waits for that. Returns when to look again, nil where nothing waits.
    ///
    /// A connection that takes no byte for as long as ``SenderOptions/sendTimeout`` is lost.
    func takeRoom(_ live: Live) -> MonotonicTime? {
        let wasBlocked = state.withLock { state in
            guard state.isBlocked, state.live === live else { return false }
            state.isBlocked = false
            return true
        }
        guard wasBlocked else { return nil }
        push()
        let since = state.withLock { $0.isBlocked && $0.live === live ? $0.blockedSince : nil }
        return since.flatMap { patience(with: live, since: $0) }
    }

    /// Whether something waits for room in this connection.
    func isBlocked(_ live: Live) -> Bool { state.withLock { $0.isBlocked && $0.live === live } }

    /// By when the connection must have taken something; where that has passed it is lost, and this is nil.
    private func patience(with live: Live, since: MonotonicTime) -> MonotonicTime? {
        let due = since.advanced(by: options.sendTimeout)
        if due > .now { return due }
        let bytes = (live.transport as? any DeliveryProgress)?.deliveredBytes
        let moves = state.withLock { state in
            defer { state.deliveredWhenBlocked = bytes }
            guard let bytes, bytes != state.deliveredWhenBlocked else { return false }
            // What moves counts, however slow it is.
            state.blockedSince = .now
            return true
        }
        if moves { return MonotonicTime.now.advanced(by: options.sendTimeout) }
        lose(live, .timedOut("room to send for \(options.sendTimeout)"))
        return nil
    }

    // MARK: A thread

    /// Starts a thread that waits for the flow control's time. Where there is none the next acknowledgement does.
    func startWaiting() {
        do throws(SystemError) {
            _ = try SystemThread(name: "frame-send") { self.wait(in: nil) }
        } catch {
            state.update { state in
                state.isWaiting = false
                state.wakesAt = state.flow.wakeAt
            }
        }
    }

    /// Has a thread of the outlet's own write what there is no room for, where nobody else can wait for that.
    func finishAlone() {
        if connector != nil { return state.wakeAll() }
        let starts = state.update { state in
            defer { state.isWaiting = true }
            return !state.isWaiting
        }
        if starts { startWaiting() }
    }

    /// Waits for the flow control's time, and for room in a connection that nobody else can watch.
    ///
    /// - Parameter live: Until this connection is over; nil = for whatever connection there is, and no longer than something needs it.
    func wait(in live: Live?) {
        while true {
            let wakeAt = state.withLock { state in
                state.wakesAt = state.flow.wakeAt
                return state.wakesAt
            }
            let deadline = wakeAt ?? (live == nil ? MonotonicTime.now.advanced(by: Self.lingering) : nil)
            let found: Turn? = state.wait(until: deadline?.nanoseconds) { state in turn(&state, live, wakeAt) }
            switch found ?? (wakeAt == nil ? .stop : .tick) {
            case .tick: _ = try? decide(.tick)
            case .again: continue
            case .finish(let message, let live): finish(message, live)
            case .stop: if live != nil || state.update({ stopWaiting(&$0) }) { return }
            }
        }
    }

    private func turn(_ state: inout State, _ live: Live?, _ wakeAt: MonotonicTime?) -> Turn? {
        guard state.end == nil, let current = state.live, live == nil || current === live else { return .stop }
        if state.isBlocked, !state.isSending, !current.isWatched, let message = state.unfinished.take() {
            state.isSending = true
            return .finish(message, current)
        }
        return state.flow.wakeAt == wakeAt ? nil : .again
    }

    /// False: something needs the thread after all.
    private func stopWaiting(_ state: inout State) -> Bool {
        if state.end == nil, let live = state.live, state.flow.wakeAt != nil || state.isBlocked && !live.isWatched {
            return false
        }
        state.isWaiting = false
        state.wakesAt = nil
        return true
    }

    /// Sends as long as it takes, while something moves.
    private func finish(_ message: Outgoing, _ live: Live) {
        var failure: FrameStreamingError?
        let progress = live.transport as? any DeliveryProgress
        var watch = StallWatch(since: .now, bytes: progress?.deliveredBytes, patience: options.sendTimeout)
        while true {
            do throws(FrameStreamingError) {
                // The connection remembers the part that went, and goes on with the rest.
                try live.transport.send(message.message, until: .after(options.sendTimeout))
                break
            } catch {
                failure = error
            }
            guard failure?.code == .timedOut, state.withLock({ $0.end == nil }) else { break }
            let now = StallWatch.Progress(time: MonotonicTime(nanoseconds: .min), bytes: progress?.deliveredBytes)
            if case .givenUp = watch.look(now, at: .now) { break }
            failure = nil
        }
        state.update { state in
            state.isSending = false
            guard state.live === live else { return }
            state.isBlocked = false
            state.blockedSince = nil
        }
        if let failure { lose(live, failure) } else { push() }
    }
}
