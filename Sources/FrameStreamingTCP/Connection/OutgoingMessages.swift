internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The sending half of a binary connection: it checks frames, acknowledgements, news of the source
/// and requests, and writes them.
struct OutgoingMessages: Sendable {
    let role: TCPRole
    let peer: Hello
    let channel: Channel
    let writer: MessageWriter
    let state: ConnectionState
    let clockExchange: ClockExchange
    let sent: Monitor<SentFrames>
    /// Receiver: the session whose frames it consumes.
    let session: SessionUse?
    /// Receiver: the memory of its frames.
    let account: FrameMemoryAccount?
    private let packingPool = FramePool(capacity: 2)

    /// Queued acknowledgements beyond this end the connection. The kernel holds some ten thousand
    /// before the first is queued, so the sender reads none.
    static let mostAcknowledgements = 1024

    init(
        role: TCPRole, peer: Hello, _ channel: Channel, _ writer: MessageWriter, _ state: ConnectionState,
        _ clockExchange: ClockExchange, sent: Monitor<SentFrames>, session: SessionUse?, account: FrameMemoryAccount?
    ) {
        self.role = role
        self.peer = peer
        self.channel = channel
        self.writer = writer
        self.state = state
        self.clockExchange = clockExchange
        self.sent = sent
        self.session = session
        self.account = account
    }

    func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
        switch message {
        case .frame(let frame, let info): try send(frame, info, until: deadline)
        case .acknowledgement(let acknowledgement): try send(acknowledgement)
        case .sourceLost(let text):
            try needRole(.sender, "report on the source")
            try writer.send(.sourceLost(text), until: deadline) {
                MessageWriter.Outgoing(WireMessage.sourceLost(text).marshal())
            }
        case .sourceRestored:
            try needRole(.sender, "report on the source")
            try writer.send(.sourceRestored, until: deadline) {
                MessageWriter.Outgoing(WireMessage.sourceRestored.marshal())
            }
        case .request(let request):
            try check(request)
            try writer.send(.request(request), until: deadline) {
                MessageWriter.Outgoing(WireRequest(request).marshal())
            }
        case .requestAnswer(let answer):
            try needRole(.sender, "answer requests")
            try writer.send(.requestAnswer(answer), until: deadline) {
                MessageWriter.Outgoing(WireRequestAnswer(answer).marshal())
            }
        }
    }

    private func send(_ frame: Frame, _ info: FrameInfo, until deadline: Deadline) throws(FrameStreamingError) {
        try check(frame, info)
        sent.withLock { $0.begin(info.sequence, byteCount: frame.byteCount) }
        clockExchange.askBeforeSending()
        try writer.send(.frame(info.sequence), until: deadline) { () throws(FrameStreamingError) in
            try outgoing(frame, info)
        }
        sent.withLock { $0.end(info.sequence) }
    }

    private func outgoing(_ frame: Frame, _ info: FrameInfo) throws(FrameStreamingError) -> MessageWriter.Outgoing {
        let (packed, byteCount) = try tightlyPacked(frame, from: packingPool)
        var info = info
        info.sendTime = info.sendTime ?? .now
        return MessageWriter.Outgoing(
            FrameHeader(packed, info).marshal(metadata: packed.metadata, imageBytes: byteCount), image: packed,
            imageBytes: byteCount)
    }

    private func send(_ acknowledgement: Acknowledgement) throws(FrameStreamingError) {
        try needRole(.receiver, "acknowledge")
        // Noted whether or not the sender learns of it: the frame was consumed, and must not come
        // again.
        session?.consumed(acknowledgement.sequence)
        account?.consumed(through: acknowledgement.sequence)
        // Before the acknowledgement: the frame that it permits would delay the answer.
        clockExchange.askBeforeSending()
        try write(acknowledgement)
        state.change { $0.acknowledged = max($0.acknowledged, acknowledgement.sequence) }
    }

    /// Writes or queues the acknowledgement. It is never dropped: a sender that misses one would
    /// have to end the connection.
    private func write(_ acknowledgement: Acknowledgement) throws(FrameStreamingError) {
        let outgoing = MessageWriter.Outgoing(acknowledgement.marshal())
        if try writer.enqueue(outgoing, limit: Self.mostAcknowledgements) { return }
        let error = FrameStreamingError(
            .connectionLost, "the sender goes on sending frames, and reads no acknowledgements: it hangs",
            subject: channel.address)
        writer.fail(error)
        throw error
    }

    // MARK: Checks

    /// Everything for which a frame is refused is checked before anything of it is counted or
    /// written.
    private func check(_ frame: Frame, _ info: FrameInfo) throws(FrameStreamingError) {
        try needRole(.sender, "send frames")
        let last = sent.withLock { $0.last }
        guard info.sequence == last + 1 else {
            throw FrameStreamingError(
                .invalidArgument, "frame \(info.sequence) cannot follow frame \(last): frames are numbered without gaps"
            )
        }
        try frame.checkMetadata()
        guard peer.pixelFormats.isEmpty || peer.pixelFormats.contains(frame.format.pixelFormat) else {
            throw .unsuited(frame.format.pixelFormat, toTaking: peer.pixelFormats, at: channel.address)
        }
        let byteCount = tightByteCount(frame)
        guard byteCount <= peer.maximumFrameByteCount else {
            throw FrameStreamingError(
                .limitExceeded,
                "the frame has \(byteCount) bytes, and the peer takes at most \(peer.maximumFrameByteCount): \(FrameStreamingError.raiseLimit)",
                subject: channel.address)
        }
    }

    private func check(_ request: ReceiverRequest) throws(FrameStreamingError) {
        try needRole(.receiver, "make requests")
        if case .quality(let quality) = request, !(1...100).contains(quality) {
            throw FrameStreamingError(.invalidArgument, "JPEG quality must be 1 to 100, not \(quality)")
        }
        guard peer.takesRequests else {
            throw FrameStreamingError(
                .unsupported, "this sender takes no requests: update it, or change its own settings",
                subject: channel.address)
        }
    }

    private func needRole(_ needed: TCPRole, _ what: String) throws(FrameStreamingError) {
        guard role.isSender == needed.isSender else {
            throw FrameStreamingError(.invalidArgument, "the \(role) of a connection cannot \(what)")
        }
    }
}
