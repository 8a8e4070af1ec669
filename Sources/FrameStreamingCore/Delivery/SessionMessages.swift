/// One connection of a session, as its driver numbers them. So events of an old connection are
/// distinguished from those of the new one.
struct ConnectionNumber: Hashable, Sendable {
    static let first = ConnectionNumber(value: 1)
    var value: UInt64
}

/// What is handed to a connection.
enum Outgoing<Frame: QueueableFrame>: Sendable {
    case frame(Frame, FrameInfo)
    /// What the receiver is told of the source.
    indirect case notice(SourceNotice)
    /// What it says to a request of the receiver.
    indirect case answer(RequestAnswer)
}

/// What a receiver is told of the source.
enum SourceNotice: Hashable, Sendable {
    case lost(String)
    case restored
}

/// How a connection came to an end by the other side.
enum ConnectionEnd: Sendable {
    /// The receiver said goodbye.
    case goodbye(Goodbye)
    /// The connection broke.
    case broken(FrameStreamingError)
    /// The receiver takes no frames in the format that they have, so this side ends it.
    case unsuited(FrameStreamingError)
}

extension ConnectionEnd {
    /// What went wrong, at a receiver with this address; nil = it said goodbye in good order.
    func failure(at address: String) -> FrameStreamingError? {
        switch self {
        case .broken(let error), .unsuited(let error): error
        case .goodbye(let goodbye): goodbye.failure(of: "receiver", at: address)
        }
    }

    /// What this side says.
    var goodbye: Goodbye {
        if case .unsuited(let error) = self { .unsupported(error.message) } else { "" }
    }

    /// How this side ends the connection then.
    func close(of number: ConnectionNumber, until limit: MonotonicTime) -> SessionClose {
        switch self {
        case .goodbye, .unsuited: .answering(goodbye, over: number, until: limit)
        case .broken: .abruptly(number)
        }
    }

    /// Whether a session goes on over another connection after this one.
    func isAnotherAwaited(
        _ connecting: SessionConnecting, _ options: SenderOptions, _ connection: SessionConnection
    ) -> Bool {
        if options.reconnection == .never { return false }
        switch self {
        case .broken(let error):
            if connecting == .byListener { return true }
            guard error.isTransient || error.code == .closed else { return false }
            return connecting.isOwn || options.policy == .reliable && connection.hasSession
        // It is the same the next time, but another receiver may take what this one does not.
        case .unsuited: return connecting == .byListener
        case .goodbye(let goodbye) where goodbye.code == .unsupported:
            return connecting == .byListener && options.reconnection == .always
        // It said that it leaves, so nobody waits for it. Where this side can connect again, or
        // listens, one that was stopped is as one whose connection broke: the next may be the same,
        // started again.
        case .goodbye(let goodbye):
            return connecting.isOwn && (goodbye.code == .stopped || options.reconnection == .always)
        }
    }
}

/// What happened to a session.
///
/// What is rare is indirect: every event and every action is copied a few times, and the largest
/// case decides how much that is.
enum SessionEvent<Frame: QueueableFrame>: Sendable {
    // MARK: The source's side

    /// The source gave a frame. Under `reliable` it is only offered while
    /// ``ReceiverSession/hasRoom``.
    case offered(Frame)
    /// The source holds a frame for which there is no room, since then.
    ///
    /// - Parameter deliveredBytes: What has reached the receiver's machine; nil = not known.
    case sourceWaits(since: MonotonicTime, deliveredBytes: UInt64?)
    /// The source gave a frame that found no room before the stream was ended.
    case abandoned
    /// The source went away, or is back.
    indirect case noticed(SourceNotice)
    /// The source has ended, or was stopped: what is queued and in flight is to arrive, and then a
    /// goodbye is said.
    indirect case finish(SourceEnd, deliveredBytes: UInt64?)
    /// Everything is to end in good order within ``SenderOptions/stopPatience``, although the
    /// source has ended already.
    case stop
    /// Everything is to end now, without a goodbye.
    case cancel

    // MARK: The encoders' side

    /// A frame that ``SessionAction/encode(_:ticket:)`` asked for is encoded.
    indirect case encoded(ticket: UInt64, FrameEncoding)

    // MARK: The connection's side

    /// There is a connection.
    indirect case connected(ConnectionNumber, Peer)
    /// An attempt to connect failed, and another follows.
    indirect case failedToConnect(FrameStreamingError)
    /// There will be no connection any more.
    indirect case gaveUpConnecting(FrameStreamingError)
    /// What ``SessionAction/send(_:over:waits:)`` asked for is with the connection.
    case sent(ConnectionNumber)
    /// The connection does not take it without waiting. Part of it may be gone.
    indirect case blocked(ConnectionNumber, Outgoing<Frame>)
    /// The receiver's word on a frame.
    case acknowledged(ConnectionNumber, Acknowledgement, roundTrip: Int64?, clock: ClockFilter.Estimate?)
    /// The receiver asked for something.
    ///
    /// - Parameter isShared: Other receivers get the same encodings.
    case requested(ConnectionNumber, ReceiverRequest, isShared: Bool = false)
    /// The connection came to an end by the other side.
    indirect case disconnected(ConnectionNumber, ConnectionEnd)
    /// What ``SessionAction/close(_:)`` asked for as a goodbye is done, or failed.
    indirect case saidGoodbye(ConnectionNumber, FrameStreamingError?)

    // MARK: Time

    /// ``ReceiverSession/wakeAt`` has come.
    case tick(deliveredBytes: UInt64?)
}

/// Why the source's side ends the stream.
struct SourceEnd: Hashable, Sendable {
    /// What the receiver is told.
    var goodbye: Goodbye
    /// When this side was stopped, before the source's end; nil = the source came to its end.
    var stopped: MonotonicTime?
}

/// What the driver of a session has to do.
enum SessionAction<Frame: QueueableFrame>: Sendable {
    /// Have this frame encoded, and say so with this ticket.
    case encode(Frame, ticket: UInt64)
    /// Hand this to the connection and say what became of it: without waiting, or on a thread that
    /// may wait.
    case send(Outgoing<Frame>, over: ConnectionNumber, waits: Bool)
    /// The source's thread may be waiting for what happened: for room in the queue, or the
    /// session's end.
    case wakeSource
    /// End a connection.
    indirect case close(SessionClose)
    /// Tell the user.
    indirect case report(SessionReport)
}

/// How a connection is to be ended.
enum SessionClose: Hashable, Sendable {
    /// With a goodbye, which ``SessionEvent/saidGoodbye(_:_:)`` answers.
    case saying(Goodbye, over: ConnectionNumber, until: MonotonicTime)
    /// With the answer to the receiver's goodbye, or, where it has said none, with this one; nobody
    /// waits for that.
    case answering(Goodbye, over: ConnectionNumber, until: MonotonicTime)
    /// At once.
    case abruptly(ConnectionNumber)
}

/// What a user is told of a session.
enum SessionReport: Sendable {
    case connected(ConnectionNumber)
    /// Another connection will be made; nil = the receiver said goodbye.
    case disconnected(FrameStreamingError?)
    case acknowledged(Acknowledgement, after: Int64)
    case requested(ReceiverRequest)
    /// The receiver asked for something that is impossible, for this reason.
    case refused(ReceiverRequest, FrameStreamingError)
    /// The receiver has made no progress for so long, and is given up after so much more; nil =
    /// never.
    case stalled(Duration, givesUpAfter: Duration?)
    /// The frames are encoded otherwise from now on.
    case chose(quality: Int, scale: PictureScale)
    /// - Parameter byItself: This side did not ask for it.
    case ended(StreamEnd, FrameStreamingError?, byItself: Bool)
}
