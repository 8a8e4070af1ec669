internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A connection that speaks the binary protocol, after the handshake.
final class BinaryConnection: WatchedConnection {
    private let role: TCPRole
    private let channel: Channel
    private let writer: MessageWriter
    private let state = ConnectionState()
    private let incoming: IncomingMessages
    private let outgoing: OutgoingMessages
    private let clockExchange: ClockExchange
    private let session: SessionUse?
    private let issued: IssuedSession?
    /// Receiver: the memory of its frames.
    let account: FrameMemoryAccount?
    let holdBacks: HoldBacks?

    /// - Parameters:
    ///   - session: Receiver: the session whose frames it consumes.
    ///   - issued: Sender that listens: its receiver's session.
    init(
        _ channel: Channel, _ writer: MessageWriter, role: TCPRole, peer: Hello, input: InputBuffer,
        clock: ClockMeasurement, options: TCPOptions, session: SessionUse? = nil, issued: IssuedSession? = nil
    ) {
        self.role = role
        self.channel = channel
        self.writer = writer
        self.session = session
        self.issued = issued
        let account: FrameMemoryAccount? =
            role.isSender
            ? nil
            : FrameMemoryAccount(role.receiving.memory, maximumFrameByteCount: role.receiving.maximumFrameByteCount)
        self.account = account
        let holdBacks = role.isSender ? nil : HoldBacks()
        self.holdBacks = holdBacks
        clockExchange = ClockExchange(clock, writer, state)
        let sent = Monitor(SentFrames())
        let reader = BinaryReader(
            channel, writer, input: input, role: role, options: options, holdBacks: holdBacks,
            admission: account.map { [state] account in
                FrameAdmission(
                    account: account, channel: channel, writer: writer, state: state, holdBacks: holdBacks)
            })
        incoming = IncomingMessages(
            role: role, reader: reader, channel: channel, writer: writer, state: state, clockExchange: clockExchange,
            silence: SilenceWatch(
                channel, writer, state, sent: sent, answerTimeout: options.answerTimeout,
                isExpectedToAnswer: role.isSender),
            sent: sent, issued: issued)
        outgoing = OutgoingMessages(
            role: role, peer: peer, channel, writer, state, clockExchange, sent: sent, session: session,
            account: account)
        session?.onReturn { [channel, state] in
            Self.sever(channel, state)
            account?.wake()
        }
    }

    var goodbye: Goodbye? { state.look { $0.goodbye } }
    var clock: ClockFilter.Estimate? { clockExchange.estimate }
    var roundTrip: Int64? { clockExchange.roundTrip }
    var deliveredBytes: UInt64? { channel.deliveredBytes }
    var frameMemory: Int? { account?.share }

    func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
        try outgoing.send(message, until: deadline)
    }

    func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
        try state.reading(until: deadline) { (turn: borrowing ReadingTurn) throws(FrameStreamingError) in
            try incoming.next(turn, until: deadline)
        }
    }

    /// Nil for a receiver: reading frames would keep a thread that looks after many connections too
    /// long.
    var watched: Descriptor? { role.isSender ? channel.socket : nil }

    func receiveArrived(into messages: inout [Message]) throws(FrameStreamingError) -> WatchedNeeds? {
        try state.readingArrived(into: &messages) {
            (turn: borrowing ReadingTurn, messages: inout [Message]) throws(FrameStreamingError) in
            try incoming.takeArrived(turn, into: &messages)
        }
    }

    // MARK: Ending

    func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
        defer { close() }
        if state.look({ $0.goodbye == nil }) {
            state.change { $0.hasSaidGoodbye = true }
            // A reader that waits for memory must drop the frames in front of the peer's answer.
            account?.wake()
            try writer.send(.goodbye, until: deadline) { MessageWriter.Outgoing(Bye(goodbye).marshal()) }
            try state.await(until: deadline, for: "the peer's answer to a goodbye", { $0.hasEnded }) {
                (turn: borrowing ReadingTurn) throws(FrameStreamingError) in
                try incoming.next(turn, until: deadline)
            }
        }
        if state.look({ $0.goodbye != nil }) {
            state.change { $0.hasSaidGoodbye = true }
            let answer = goodbyeAnswer
            try writer.send(.goodbye, until: deadline) { MessageWriter.Outgoing(answer) }
        }
        channel.shutdownWriting()
        state.drain(channel, writer, until: deadline)
    }

    private var goodbyeAnswer: [UInt8] {
        ByeAcknowledgement(consumedThrough: state.look { $0.acknowledged }).marshal()
    }

    /// Ends the connection because its session has come back on another one. Frames that have
    /// arrived are still delivered.
    private static func sever(_ channel: Channel, _ state: ConnectionState) {
        state.change { state in
            guard state.failure == nil, !state.hasEnded, !state.isClosed else { return }
            state.failure = FrameStreamingError(
                .endedWithoutGoodbye,
                "the sender has connected again: frames that had arrived were delivered, and the stream goes on in the new connection",
                subject: channel.address)
        }
        channel.close()
    }

    func close() {
        if state.look({ $0.goodbye != nil && !$0.hasSaidGoodbye && !$0.isClosed }) {
            // The peer waits for an answer. It gets one if the socket takes it now.
            state.change { $0.hasSaidGoodbye = true }
            do { try writer.enqueue(MessageWriter.Outgoing(goodbyeAnswer)) } catch {}
        }
        channel.close()
        state.change { $0.isClosed = true }
        writer.close()
        account?.wake()
        issued?.end()
        session?.end(goodbye: state.look { $0.goodbye != nil })
    }
}
