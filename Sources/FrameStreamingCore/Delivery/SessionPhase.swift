/// The phase of a session. It only goes forward, except that a break leads from
/// `streaming` back to `connecting`.
enum SessionPhase: Sendable {
    /// There is no connection: the first, or the next after a break, is being made or waited for.
    /// Frames queue up as the policy allows.
    case connecting
    /// There is a connection, and the source has not ended.
    case streaming
    /// The source has ended, and frames that are queued and in flight are waited for: over the
    /// present connection, or under `reliable` over the next one.
    indirect case draining(Draining)
    /// A goodbye is in progress. No more frames are sent.
    indirect case closing(Closing)
    /// Nothing is sent or received any more.
    case ended(StreamEnd)

    /// The state of a session while it is drained.
    struct Draining: Sendable {
        let end: SourceEnd
        /// Until when frames that are queued and in flight are waited for.
        var limit: MonotonicTime?
        /// Watches whether the receiver makes progress.
        private var watch: StallMonitor
        private var nextLook: MonotonicTime

        private static var lookInterval: Duration { .milliseconds(50) }

        init(_ end: SourceEnd, limit: MonotonicTime?, watch: StallMonitor, at now: MonotonicTime) {
            self.end = end
            self.limit = limit
            self.watch = watch
            nextLook = now.advanced(by: Self.lookInterval)
        }

        /// When something must be checked without an event.
        var wakeAt: MonotonicTime { min(nextLook, limit ?? nextLook) }

        /// Checks the receiver; nil = it is not time for that.
        mutating func look(
            _ progress: StallMonitor.Progress, mayRest: Bool, at now: MonotonicTime
        ) -> StallMonitor.Verdict? {
            guard nextLook <= now else { return nil }
            nextLook = now.advanced(by: Self.lookInterval)
            return watch.look(progress, mayRest: mayRest, at: now)
        }
    }

    /// The state of a session during a goodbye.
    struct Closing: Sendable {
        /// How the session ends, whether or not the goodbye succeeds; nil = with `goodEnd`, if the
        /// goodbye succeeds or nothing is missing.
        let outcome: StreamEnd?
        /// How it ends if `outcome` is nil.
        let goodEnd: StreamEnd
    }

    /// A stop after the source's end shortens the wait.
    mutating func limitDraining(to limit: MonotonicTime) {
        guard case .draining(var draining) = self, draining.limit == nil else { return }
        draining.limit = limit
        self = .draining(draining)
    }

    /// Whether the phase is consistent with the rest of the session.
    func agrees(with connection: SessionConnection?, _ frames: FramePipeline<some QueueableFrame>) -> Bool {
        switch self {
        case .connecting: connection == nil && frames.inFlight.isEmpty
        case .streaming: connection != nil
        case .draining: connection != nil || frames.inFlight.isEmpty
        case .closing(let closing): connection != nil && (closing.outcome == nil || frames.queue.isEmpty)
        case .ended: connection == nil && frames.isDrained
        }
    }

    /// Whether frames are sent, or will be once there is a connection: no goodbye is in progress.
    @inline(__always)
    var isOpen: Bool {
        switch self {
        case .connecting, .streaming, .draining: true
        case .closing, .ended: false
        }
    }

    /// Whether frames of the source are taken; false after its end.
    @inline(__always)
    var takesFrames: Bool { isOpen && !isDraining }

    @inline(__always)
    var isDraining: Bool { if case .draining = self { true } else { false } }
    var isClosing: Bool { if case .closing = self { true } else { false } }
    @inline(__always)
    var hasEnded: Bool { if case .ended = self { true } else { false } }

    /// How the session ends; nil while that is undecided.
    var streamEnd: StreamEnd? {
        switch self {
        case .connecting, .streaming, .draining: nil
        case .closing(let closing): closing.outcome
        case .ended(let end): end
        }
    }
}

/// The present connection of a session, with all that depends on it.
struct SessionConnection: Sendable {
    /// Which thread is in the transport's `send`, if any.
    enum Turn: Hashable, Sendable {
        /// No thread.
        case free
        /// A thread that does not wait.
        case trying
        /// A thread that waits until the connection takes what it did not take at once.
        case waiting
    }

    let number: ConnectionNumber
    /// The receiver's address.
    let address: String
    var turn = Turn.free
    /// Whether the receiver has paused the stream.
    var isPaused = false
    /// Notices about the source that must be sent before the next frame.
    private(set) var notices: [SourceNotice] = []
    /// The answers to the receiver's requests, which go before the next frame.
    private(set) var answers: [RequestAnswer] = []
    /// The name of a clean end of this connection.
    let goodEnd: StreamEnd
    /// Whether the receiver can be recognised when it connects again.
    let hasSession: Bool
    /// What the receiver takes; empty = any.
    let pixelFormats: [PixelFormat]
    /// The receiver understands answers to its requests.
    private let answersRequests: Bool

    private static var mostNotices: Int { 16 }
    /// A receiver that waits for each answer has one request under
    /// way. More than these are a flood.
    private static var mostAnswers: Int { 64 }

    /// - Parameter notice: A notice about the source that the receiver needs from the start.
    init(_ number: ConnectionNumber, _ peer: Peer, telling notice: SourceNotice?) {
        self.number = number
        address = peer.address
        notices = notice.map { [$0] } ?? []
        goodEnd = .good(peer)
        hasSession = peer.session != 0
        pixelFormats = peer.pixelFormats
        answersRequests = peer.abilities.contains(.requestAnswers)
    }

    mutating func note(_ notice: SourceNotice) {
        notices.append(notice)
        // The source comes and goes while the receiver takes nothing: the oldest pair is outdated.
        if notices.count > Self.mostNotices { notices.removeFirst(2) }
    }

    mutating func takeNotice() -> SourceNotice? { notices.isEmpty ? nil : notices.removeFirst() }

    /// - Throws: `protocolViolation` for a receiver that keeps asking and reads no answer.
    mutating func answer(_ answer: RequestAnswer) throws(FrameStreamingError) {
        guard answersRequests else { return }
        guard answers.count < Self.mostAnswers else {
            throw FrameStreamingError(
                .protocolViolation, "the receiver made \(answers.count) requests and takes no answer")
        }
        answers.append(answer)
    }

    mutating func takeAnswer() -> RequestAnswer? { answers.isEmpty ? nil : answers.removeFirst() }
}

/// Which side makes the connections of a session after the first.
enum SessionConnecting: Hashable, Sendable {
    /// This side connects to its receiver.
    case byThisSide
    /// A listener of this side, which accepts any next receiver. Whatever one
    /// receiver did, the next one is served.
    case byListener
    /// The receiver, which is recognised by its session.
    ///
    /// - Parameter isIncoming: Whether it also made the first one, so that its absence is normal.
    case byReceiver(isIncoming: Bool)

    var isOwn: Bool { if case .byReceiver = self { false } else { true } }

    /// Whether receivers connect to this side by themselves.
    var isIncoming: Bool { self == .byListener || self == .byReceiver(isIncoming: true) }
}
