internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A connection that speaks the binary protocol, after the handshake.
final class BinaryConnection: WatchedConnection {
    let channel: Channel
    let writer: MessageWriter
    let life = ConnectionState()
    let reader: BinaryReader
    let role: TCPRole
    let peer: Hello
    let session: SessionUse?
    /// Sender that listens: its receiver's session.
    let issued: IssuedSession?
    /// Receiver: the memory of its frames.
    let account: FrameMemoryAccount?
    let packingPool = FramePool(capacity: 2)
    let numbers = Monitor(Numbers())

    let watch: Monitor<ClockMeasurement>
    /// Nil where the kernel does not count what comes: the socket is not TCP.
    let silence: Monitor<SilenceDetector>?

    struct Numbers {
        var lastSent: UInt64 = 0
        var lastReceived: UInt64 = 0
        var lastCounted: UInt64 = 0
        /// Bytes of each frame that was sent and not acknowledged, oldest first.
        var underWay: [Int] = []
    }

    /// Queued PONGs beyond this are dropped: a peer that asks faster than it reads gets no queue here.
    static let mostPongs = 16

    /// Queued acknowledgements beyond this end the connection: the kernel holds some ten thousand before the first is queued, so
    /// the sender reads none.
    static let mostAcknowledgements = 1024

    init(
        _ channel: Channel, _ writer: MessageWriter, role: TCPRole, peer: Hello, input: InputBuffer,
        clock: ClockMeasurement,
        options: TCPOptions, session: SessionUse? = nil, issued: IssuedSession? = nil
    ) {
        self.channel = channel
        self.writer = writer
        self.role = role
        self.peer = peer
        self.session = session
        self.issued = issued
        watch = Monitor(clock)
        silence =
            channel.receivedBytes == nil
            ? nil
            : Monitor(
                SilenceDetector(
                    patience: options.answerTimeout, isExpectedToAnswer: role == .sender, at: monotonicNow()))
        // Frames that the consumer holds, one on its way, and one in the consumer's hands.
        let pool =
            options.pool
            ?? FramePool(
                capacity: Int(clamping: min(options.creditAhead, 62)) + 2, keptBytes: options.maximumFrameBytes)
        let account: FrameMemoryAccount? =
            role == .receiver
            ? FrameMemoryAccount(options.memory, maximumFrameBytes: options.maximumFrameBytes) : nil
        self.account = account
        var admission: FrameAdmission?
        if let account {
            admission = FrameAdmission(account: account, channel: channel, writer: writer, life: life)
        }
        reader = BinaryReader(
            channel, writer, input: input, pool: pool, options: options, admission: admission)
        session?.onReturn { [channel, life] in
            Self.sever(channel, life)
            account?.wake()
        }
    }

    var goodbye: Goodbye? { life.look { $0.goodbye } }
    var deliveredBytes: UInt64? { channel.deliveredBytes }
    var frameMemory: Int? { account?.share }

    // MARK: Ending

    func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
        defer { close() }
        if life.look({ $0.goodbye == nil }) {
            life.change { $0.hasSaidFarewell = true }
            // The answer is behind frames that nobody takes any more.
            account?.wake()
            try writer.send(.goodbye, until: deadline) { MessageWriter.Outgoing(Bye(goodbye).marshal()) }
            try life.await(until: deadline, for: "the peer's answer to a goodbye", { $0.hasEnded }) {
                () throws(FrameStreamingError) in
                try self.next(until: deadline)
            }
        }
        if life.look({ $0.goodbye != nil }) {
            life.change { $0.hasSaidFarewell = true }
            let answer = farewell
            try writer.send(.goodbye, until: deadline) { MessageWriter.Outgoing(answer) }
        }
        channel.shutdownWriting()
        life.drain(channel, writer, until: deadline)
    }

    private var farewell: [UInt8] {
        ByeAcknowledgement(consumedThrough: life.look { $0.acknowledged }).marshal()
    }

    /// The session has come back on another connection: nothing more gets in here. What has arrived is still the consumer's.
    private static func sever(_ channel: Channel, _ life: ConnectionState) {
        life.change { state in
            guard state.failure == nil, !state.hasEnded, !state.isClosed else { return }
            state.failure = FrameStreamingError(
                .endedWithoutGoodbye,
                "the sender has connected again: what came here before was delivered, and the stream goes on there",
                subject: channel.address)
        }
        channel.close()
    }

    func close() {
        if life.look({ $0.goodbye != nil && !$0.hasSaidFarewell && !$0.isClosed }) {
            // Best effort: the peer waits for it.
            life.change { $0.hasSaidFarewell = true }
            do { try writer.enqueue(MessageWriter.Outgoing(farewell)) } catch {}
        }
        channel.close()
        life.change { $0.isClosed = true }
        writer.close()
        account?.wake()
        issued?.end()
        session?.end(goodbye: life.look { $0.goodbye != nil })
    }
}
