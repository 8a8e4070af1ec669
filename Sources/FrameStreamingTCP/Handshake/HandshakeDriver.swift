internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Runs the handshake on a connected socket, under one deadline, and makes a TCPTransport of it.
struct HandshakeDriver: Sendable {
    let role: TCPRole
    let handshake: Handshake
    let options: TCPOptions
    /// Receiver: what it consumed of each session; nil for a handshake without sessions.
    let sessions: SessionMemory?
    /// Sender that listens and has no session of its own: the sessions of its receivers.
    let issued: IssuedSessions?

    /// - Throws: `invalidArgument` for invalid options, for `automatic` if the peer does not speak
    ///   first, and for `memory`.
    init(
        role: TCPRole, handshake: Handshake, options: TCPOptions, listens: Bool
    ) throws(FrameStreamingError) {
        guard handshake != .automatic || (listens && !role.isSender) else {
            throw FrameStreamingError(
                .invalidArgument,
                "only a receiver that listens can tell the handshake from the first byte: choose binary or text")
        }
        guard handshake != .memory else {
            throw FrameStreamingError(
                .invalidArgument, "no TCP connection is in memory: choose the binary or the text handshake")
        }
        self.role = try role.validated()
        self.handshake = handshake
        self.options = try options.validated()
        try options.security?.connections.check(isSender: role.isSender, stream: options.stream, listens: listens)
        sessions =
            !role.isSender && handshake.hasSessions
            ? SessionMemory(last: role.session, before: role.receiving.consumed) : nil
        issued = role.isSender && listens && handshake.hasSessions && role.session == 0 ? IssuedSessions() : nil
    }

    /// Makes room to remember `connections` sessions: as many streams can break at once.
    func remember(connections: Int) {
        sessions?.remember(atLeast: connections)
        issued?.remember(atLeast: connections)
    }

    /// Runs the handshake of the side that connects, which speaks first. With text there is nothing
    /// to do but to encrypt the connection.
    ///
    /// - Parameter host: The host that the channel is connected to, as the user named it.
    func connect(
        _ channel: Channel, host: String = "", until deadline: Deadline
    ) throws(FrameStreamingError) -> TCPTransport {
        try prepare(channel)
        let limit = deadline.earlier(.after(options.handshakeTimeout))
        let secured = try secure(channel, host: host, until: limit)
        let writer = MessageWriter(channel, options.progressLimits)
        if handshake == .text { return text(channel, writer, InputBuffer(), secured, listens: false) }
        var use = try sessions.flatMap { sessions throws(FrameStreamingError) in
            try sessions.claim(sessions.last, until: deadline)
        }
        var hello = hello
        if let use {
            hello.session = use.session
            hello.lastConsumed = use.base
        }
        let handshake = BinaryHandshake.connecting(hello)
        var first: [UInt8] = []
        do throws(FrameStreamingError) {
            let (agreement, input, start) = try run(
                handshake, opening: handshake.opening(), channel, writer, InputBuffer(), noting: &first, until: limit)
            if let sessions, agreement.session != use?.session ?? 0 {
                use?.end()
                use = try sessions.claim(agreement.session, from: agreement.resumedFrom, until: limit)
            }
            return binary(channel, writer, input, agreement, use, secured, since: start)
        } catch {
            if let foreign = foreign(error, &first, channel, writer, until: limit, listens: false) { throw foreign }
            switch error.code {
            case .timedOut:
                throw FrameStreamingError(
                    .timedOut, "no answer to HELLO: check that the peer speaks the binary handshake, not text",
                    subject: channel.address, limit: .handshakeTime)
            case .endedWithoutGoodbye, .connectionLost:
                throw FrameStreamingError(
                    .connectionFailed,
                    "the peer closed the connection instead of answering HELLO: check that it speaks the binary handshake, "
                        + "or it is busy with another sender, or has ended",
                    subject: channel.address, errno: error.errno)
            default: throw error
            }
        }
    }

    /// Runs the handshake of the side that was connected to.
    ///
    /// - Parameter admit: Called with a sender's session, or 0, once the peer has introduced itself and
    ///   fits. What it throws turns the peer away.
    func accept(
        _ channel: Channel, until deadline: Deadline,
        admit: @escaping (UInt64) throws(FrameStreamingError) -> Void = { _ throws(FrameStreamingError) in }
    ) throws(FrameStreamingError) -> TCPTransport {
        try accept(try open(channel, until: deadline), admit: admit)
    }

    /// Prepares a channel for the handshake of the side that was connected to, and encrypts it.
    func open(_ channel: Channel, until deadline: Deadline) throws(FrameStreamingError) -> IncomingHandshake {
        try prepare(channel)
        let limit = deadline.earlier(.after(options.handshakeTimeout))
        let secured = try secure(channel, host: nil, until: limit)
        return IncomingHandshake(
            channel: channel, writer: MessageWriter(channel, options.progressLimits), secured: secured, limit: limit)
    }

    /// Runs the handshake on a channel that is prepared, and of which some bytes may have been read.
    ///
    /// - Parameters:
    ///   - stream: Returns the stream's name for the answer; nil = the options' one. What it throws
    ///     turns the peer away.
    ///   - admit: As for ``accept(_:until:admit:)``.
    func accept(
        _ incoming: IncomingHandshake, stream: ((Hello) throws(FrameStreamingError) -> String)? = nil,
        admit: @escaping (UInt64) throws(FrameStreamingError) -> Void
    ) throws(FrameStreamingError) -> TCPTransport {
        let (channel, writer, secured, limit) = (incoming.channel, incoming.writer, incoming.secured, incoming.limit)
        if handshake == .text {
            try checkText(secured, at: channel.address)
            try admit(0)
            return text(channel, writer, InputBuffer(), secured, listens: true)
        }
        var first = incoming.first
        do throws(FrameStreamingError) {
            var input = incoming.input
            if input.isEmpty { try fill(&input, channel, writer, noting: &first, until: limit) }
            if handshake == .automatic, let byte = input.first, byte < 0x80 {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "o") else {
                    throw .violation("the first byte is \(byte), which begins neither handshake")
                }
                try checkText(secured, at: channel.address)
                try admit(0)
                return text(channel, writer, input, secured, listens: true)
            }
            var use: SessionUse?
            let handshake = BinaryHandshake.accepting(
                hello, from: secured, session: issued?.session, admit: admit, stream: stream
            ) {
                [sessions] session throws(FrameStreamingError) in
                use = try sessions?.claim(session, until: limit)
                return use?.base ?? 0
            }
            let (agreement, rest, start) = try run(
                handshake, opening: [], channel, writer, input, noting: &first, until: limit)
            if role.isSender, rest.isEmpty { try channel.waitForSignOfLife(until: limit) }
            return binary(
                channel, writer, rest, agreement, use, secured, issued?.hold(agreement.session), since: start)
        } catch {
            throw explain(error, &first, incoming)
        }
    }

    /// The error for whoever waits for a peer, by what the peer sent first.
    func explain(
        _ error: FrameStreamingError, _ first: inout [UInt8], _ incoming: IncomingHandshake
    ) -> FrameStreamingError {
        let (channel, limit) = (incoming.channel, incoming.limit)
        if let foreign = foreign(error, &first, channel, incoming.writer, until: limit, listens: true) {
            return foreign
        }
        if error.code == .endedWithoutGoodbye, first.isEmpty {
            return FrameStreamingError(
                .endedWithoutGoodbye,
                "the peer connected and left before its first byte: a port scanner does that, or a program that checks whether the port is open",
                subject: channel.address)
        }
        guard error.code == .timedOut else { return error.about(error.subject ?? channel.address) }
        return FrameStreamingError(
            .timedOut, "the peer connected, and did not complete a handshake in time", subject: channel.address,
            limit: .handshakeTime)
    }

    /// How long to wait for the rest of bytes that look like another protocol's.
    static let curiosity = Duration.milliseconds(250)

    /// The error that names the protocol of a peer that does not speak this one; nil if it is not
    /// known.
    ///
    /// - Parameter first: The first bytes of the peer. More are read if they may tell something.
    private func foreign(
        _ error: FrameStreamingError, _ first: inout [UInt8], _ channel: Channel, _ writer: MessageWriter,
        until deadline: Deadline, listens: Bool
    ) -> FrameStreamingError? {
        guard [.protocolViolation, .endedWithoutGoodbye, .limitExceeded].contains(error.code) else { return nil }
        let limit = deadline.earlier(.after(Self.curiosity))
        while error.code != .endedWithoutGoodbye, ForeignProtocol.find(in: first) == .undecided {
            var more = InputBuffer()
            do throws(FrameStreamingError) {
                try fill(&more, channel, writer, noting: &first, until: limit)
            } catch {
                break
            }
        }
        guard case .found(let foreign) = ForeignProtocol.find(in: first, isAll: true) else { return nil }
        if foreign == .tls, listens { answerTLS(channel, writer, until: limit) }
        return foreign.error(isSender: role.isSender, listens: listens, at: channel.address)
    }

    /// Answers a peer that began with TLS by plain bytes, from which it learns that this side does not
    /// encrypt. A connection that only ends could be one that broke, and it would try for ever.
    private func answerTLS(_ channel: Channel, _ writer: MessageWriter, until limit: Deadline) {
        let answer = Reject(.unspecified, "this port is not encrypted").marshal()
        try? writer.send(.goodbye, until: limit) { MessageWriter.Outgoing(answer) }
        channel.dismiss(until: limit)
    }

    /// The REJECT of a listener that has no room; empty for the text handshake, which has none.
    func refusal(_ words: String) -> [UInt8] { handshake.hasRejections ? Reject(.busy, words).marshal() : [] }

    /// A handshake that turns the peer away, for a listener that has no room.
    ///
    /// A sender that is back, and whose earlier connection takes the room, ends that connection.
    /// The sender's next attempt finds room.
    ///
    /// - Parameter anyRole: Whether peers of both roles connect here, as to a relay.
    func refusing(_ words: String, _ secured: SecuredPeer?, anyRole: Bool = false) -> BinaryHandshake {
        var stream: ((Hello) throws(FrameStreamingError) -> String)?
        if anyRole {
            stream = { (hello) throws(FrameStreamingError) in
                throw noRoom(words, nil, for: hello.role == TCPRole.sender.wireCode ? hello.session : 0)
            }
        }
        return BinaryHandshake.accepting(hello, from: secured, stream: stream) {
            (session) throws(FrameStreamingError) in throw noRoom(words, nil, for: session)
        }
    }

    /// The error for a peer that has no room. It ends the session's own earlier connection, if that
    /// is still open.
    func noRoom(_ words: String, _ limit: PeerLimit?, for session: UInt64) -> FrameStreamingError {
        guard let sessions, sessions.sever(session) else { return FrameStreamingError(.busy, words, limit: limit) }
        return FrameStreamingError(
            .busy, "the stream's earlier connection was still open, and is closed now: try again in a moment",
            limit: limit)
    }

    func prepare(_ channel: Channel) throws(FrameStreamingError) {
        let socket = try channel.stream().socket
        do throws(SystemError) { try socket.prepare(options, unsentLowWater: role.sending.unsentLowWater) } catch {
            throw channel.lost(.socket(error))
        }
    }

    private var hello: Hello {
        var hello = Hello(
            role: role.wireCode, maximumFrameByteCount: UInt32(role.receiving.maximumFrameByteCount), bootID: bootID,
            stream: options.stream)
        hello.session = role.session
        hello.realtimeOffset = realtimeOffset()
        hello.takesRequests = role.isSender
        hello.answersRequests = role.isSender
        hello.pixelFormats = role.pixelFormats
        if !role.isSender {
            hello.creditThrough = initialCredit
            hello.waitsForStream = role.receiving.waitsForStream
        }
        return hello
    }

    /// Receiver: the credit before any frame is known: as many frames as a connection may hold if
    /// each has a quarter of the largest size. Larger frames have to wait for memory.
    private var initialCredit: UInt64 {
        let receiving = role.receiving
        let fitting = max(1, receiving.memory.connection / max(1, receiving.maximumFrameByteCount / 4))
        return min(receiving.creditAhead, UInt64(fitting))
    }

    /// Returns what was agreed, the bytes that were read beyond the handshake, and when this side
    /// began to write its last message of it.
    private func run(
        _ start: BinaryHandshake, opening: [UInt8], _ channel: Channel, _ writer: MessageWriter, _ input: InputBuffer,
        noting first: inout [UInt8], until deadline: Deadline
    ) throws(FrameStreamingError) -> (BinaryHandshake.Agreement, InputBuffer, Int64) {
        var handshake = start
        var input = input
        var written = monotonicNow()
        if !opening.isEmpty { try say(opening, writer, until: deadline) }
        while true {
            switch handshake.take(from: &input) {
            case nil: try fill(&input, channel, writer, noting: &first, until: deadline)
            case .established(let agreement, let reply):
                if !reply.isEmpty {
                    written = monotonicNow()
                    try say(reply, writer, until: deadline)
                }
                return (agreement, input, written)
            case .failed(let error, let reply):
                if !reply.isEmpty { try? say(reply, writer, until: deadline) }
                throw error.about(channel.address)
            }
        }
    }

    private func say(_ bytes: [UInt8], _ writer: MessageWriter, until deadline: Deadline) throws(FrameStreamingError) {
        try writer.send(.goodbye, until: deadline) { MessageWriter.Outgoing(bytes) }
    }

    /// Reads into an empty buffer.
    ///
    /// - Parameter first: Collects the first bytes of the peer.
    func fill(
        _ input: inout InputBuffer, _ channel: Channel, _ writer: MessageWriter, noting first: inout [UInt8],
        until deadline: Deadline
    ) throws(FrameStreamingError) {
        let count = try input.fill { bytes throws(FrameStreamingError) in
            try channel.read(into: &bytes, until: deadline.nanoseconds, driving: writer)
        }
        guard count > 0 else { throw .ended(channel.address) }
        let missing = ForeignProtocol.longest - first.count
        if missing > 0 { first += input.bytes(0..<min(count, missing)) }
    }

    private func binary(
        _ channel: Channel, _ writer: MessageWriter, _ input: InputBuffer, _ agreement: BinaryHandshake.Agreement,
        _ session: SessionUse?, _ secured: SecuredPeer?, _ issued: IssuedSession? = nil, since start: Int64
    ) -> TCPTransport {
        var peer = Peer(
            address: channel.address, handshake: .binary, initialCredit: agreement.creditThrough,
            creditAhead: role.isSender ? agreement.creditThrough : role.receiving.creditAhead)
        peer.identity = secured?.identity
        peer.stream = agreement.stream
        peer.session = agreement.session
        peer.resumedFrom = agreement.resumedFrom
        if role.isSender { peer.pixelFormats = agreement.peer.pixelFormats }
        // A receiver that does not know the answers passes over them.
        let takesRequests = role.isSender || agreement.peer.takesRequests
        if !takesRequests { peer.abilities.remove(.requests) }
        if role.isSender || takesRequests && agreement.peer.answersRequests { peer.abilities.insert(.requestAnswers) }
        return TCPTransport(
            BinaryConnection(
                channel, writer, role: role, peer: agreement.peer, input: input,
                clock: ClockMeasurement(clock(of: agreement.peer), measuresRoundTrip: role.isSender, start: start),
                options: options, session: session, issued: issued),
            peer)
    }

    /// The largest difference between the clock offsets that two programs on one machine report, in
    /// nanoseconds.
    private static let sameOffset: UInt64 = 1_000_000

    /// Which clock the peer may read.
    ///
    /// The boot id alone does not show it. Time namespaces of one machine have the same boot id and
    /// different offsets of their monotonic clocks from the calendar. So have nearly all virtual
    /// machines that were cloned while they ran.
    private func clock(of peer: Hello) -> ClockMeasurement.Clock {
        guard peer.bootID.contains(where: { $0 != 0 }), peer.bootID == bootID else { return .another }
        if options.believesBootID { return .ours }
        let (difference, overflow) = peer.realtimeOffset.subtractingReportingOverflow(realtimeOffset())
        return !overflow && difference.magnitude <= Self.sameOffset ? .claimed : .another
    }

    private func text(
        _ channel: Channel, _ writer: MessageWriter, _ input: InputBuffer, _ secured: SecuredPeer?, listens: Bool
    ) -> TCPTransport {
        var peer = Peer(address: channel.address, handshake: .text, initialCredit: 1, creditAhead: 1)
        peer.identity = secured?.identity
        if role.isSender { peer.pixelFormats = [.jpeg] }
        let connection: any Connection =
            role.isSender
            ? TextSenderConnection(channel, writer, input: input, options: options, listens: listens)
            : TextReceiverConnection(
                channel, writer, input: input, receiving: role.receiving, options: options, listens: listens)
        return TCPTransport(connection, peer)
    }
}
