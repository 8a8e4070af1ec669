/// The driver's number of a session's connection, which distinguishes events of an old
/// connection from those of the new one.
struct ConnectionNumber: Hashable, Sendable {
    static let first = ConnectionNumber(value: 1)
    var value: UInt64
}

/// What is handed to a connection.
enum Outgoing<Frame: QueueableFrame>: Sendable {
    case frame(Frame, FrameInfo)
    /// A notice about the source.
    indirect case notice(SourceNotice)
    /// The answer to a request of the receiver.
    indirect case answer(RequestAnswer)
}

/// A notice about the source, for a receiver.
enum SourceNotice: Hashable, Sendable {
    case lost(String)
    case restored
}

/// How the other side ended a connection.
enum ConnectionEnd: Sendable {
    /// The receiver said goodbye.
    case goodbye(Goodbye)
    /// The connection broke.
    case broken(FrameStreamingError)
    /// This side ended the connection, because the receiver does not take the frames' format, or
    /// the connection refused what was handed to it. Nothing of that was sent.
    case refused(FrameStreamingError)
}

extension ConnectionEnd {
    /// The error of a receiver with this address; nil = it ended cleanly.
    func failure(at address: String) -> FrameStreamingError? {
        switch self {
        case .broken(let error), .refused(let error): error
        case .goodbye(let goodbye): goodbye.failure(of: "receiver", at: address)
        }
    }

    /// What this side says.
    var goodbye: Goodbye {
        guard case .refused(let error) = self else { return "" }
        return error.code == .unsupported
            ? .unsupported(error.message) : .failed("a frame could not be sent: \(error.message)")
    }

    /// How this side then closes the connection.
    func close(of number: ConnectionNumber, until limit: MonotonicTime) -> SessionClose {
        switch self {
        case .goodbye, .refused: .answering(goodbye, over: number, until: limit)
        case .broken: .abruptly(number)
        }
    }

    /// Whether a session continues over another connection after this end.
    func isAnotherAwaited(
        _ connecting: SessionConnecting, _ options: SenderOptions, _ connection: SessionConnection
    ) -> Bool {
        if options.reconnection == .never { return false }
        switch self {
        case .broken(let error):
            if connecting == .byListener { return true }
            guard error.isTransient || error.code == .closed else { return false }
            return connecting.isOwn || options.policy == .reliable && connection.hasSession
        // This receiver's formats and limits stay the same. Another receiver may take the frames,
        // unless they are invalid for any.
        case .refused(let error): return connecting == .byListener && error.code != .invalidArgument
        case .goodbye(let goodbye) where goodbye.code == .unsupported:
            return connecting == .byListener && options.reconnection == .always
        // A receiver that said goodbye is not waited for, unless it was stopped: it may be started
        // again. This needs a side that can connect again, or that listens.
        case .goodbye(let goodbye):
            return connecting.isOwn && (goodbye.code == .stopped || options.reconnection == .always)
        }
    }
}

/// An event of a session.
///
/// Rare cases are indirect: every event and action is copied a few times, and
/// the largest case decides the size.
enum SessionEvent<Frame: QueueableFrame>: Sendable {
    // MARK: The source's side

    /// The source gave a frame. Under `reliable` it is only offered while
    /// ``ReceiverSession/hasRoom``.
    case offered(Frame)
    /// The source has waited since this time for room for its frame.
    ///
    /// - Parameter deliveredBytes: The bytes that have reached the
    ///   receiver's machine; nil = not known.
    case sourceWaits(since: MonotonicTime, deliveredBytes: UInt64?)
    /// The source gave a frame that found no room before the stream was ended.
    case abandoned
    /// The source went away, or is back.
    indirect case noticed(SourceNotice)
    /// The source has turned out to be live, before its first frame is offered: options that
    /// follow it change.
    case sourceIsLive
    /// The source has ended or was stopped: frames that are queued and in flight must
    /// still arrive, then a goodbye is sent.
    indirect case finish(SourceEnd, deliveredBytes: UInt64?)
    /// The stream must end cleanly within ``SenderOptions/stopTimeout``,
    /// although the source has ended already.
    case stop
    /// The stream must end now, without a goodbye.
    case cancel

    // MARK: The encoders' side

    /// A frame that ``SessionAction/encode(_:ticket:_:)`` asked for is encoded.
    ///
    /// - Parameter result: What an encoder with memory made of it for this receiver.
    indirect case encoded(ticket: UInt64, FrameEncoding, as: Frame? = nil)

    // MARK: The connection's side

    /// A connection was made.
    indirect case connected(ConnectionNumber, Peer)
    /// An attempt to connect failed, and another follows.
    indirect case failedToConnect(FrameStreamingError)
    /// No connection will be made any more.
    indirect case gaveUpConnecting(FrameStreamingError)
    /// The connection has taken what ``SessionAction/send(_:over:waits:)`` handed to it.
    case sent(ConnectionNumber)
    /// The connection does not take this without waiting. Part of it may have been sent.
    indirect case blocked(ConnectionNumber, Outgoing<Frame>)
    /// The connection does not carry this: see ``FrameStreamingError/refusesMessage``.
    indirect case refused(ConnectionNumber, Outgoing<Frame>, FrameStreamingError)
    /// The receiver acknowledged a frame.
    case acknowledged(ConnectionNumber, Acknowledgement, roundTrip: Int64?, clock: ClockFilter.Estimate?)
    /// The receiver asked for something.
    ///
    /// - Parameter isShared: Other receivers get the same encodings.
    case requested(ConnectionNumber, ReceiverRequest, isShared: Bool = false)
    /// The other side ended the connection.
    indirect case disconnected(ConnectionNumber, ConnectionEnd)
    /// The goodbye that ``SessionAction/close(_:)`` demanded has ended, or failed.
    indirect case saidGoodbye(ConnectionNumber, FrameStreamingError?)

    // MARK: Time

    /// ``ReceiverSession/wakeAt`` has come.
    case tick(deliveredBytes: UInt64?)
}

/// Why the source's side ends the stream.
struct SourceEnd: Hashable, Sendable {
    /// The goodbye for the receiver.
    var goodbye: Goodbye
    /// When this side was stopped before the source's end; nil = the source ended.
    var stopped: MonotonicTime?
}

/// An action that the driver of a session must perform.
enum SessionAction<Frame: QueueableFrame>: Sendable {
    /// Have this frame encoded, and report it with this ticket.
    case encode(Frame, ticket: UInt64, EncodingOrder)
    /// Hand this to the connection and report the result: without
    /// waiting, or on a thread that may wait.
    case send(Outgoing<Frame>, over: ConnectionNumber, waits: Bool)
    /// Wake the source's thread, which may be waiting for room in
    /// the queue or for the session's end.
    case wakeSource
    /// End a connection.
    indirect case close(SessionClose)
    /// Report to the user.
    indirect case report(SessionReport)
}

/// How a connection must be closed.
enum SessionClose: Hashable, Sendable {
    /// With a goodbye, which ``SessionEvent/saidGoodbye(_:_:)`` answers.
    case saying(Goodbye, over: ConnectionNumber, until: MonotonicTime)
    /// With the answer to the receiver's goodbye. If the receiver sent none, with this goodbye, and
    /// without waiting for its answer.
    case answering(Goodbye, over: ConnectionNumber, until: MonotonicTime)
    /// At once.
    case abruptly(ConnectionNumber)
}

/// A report about a session for the user.
enum SessionReport: Sendable {
    case connected(ConnectionNumber)
    /// Another connection will be made; nil = the receiver said goodbye.
    case disconnected(FrameStreamingError?)
    case acknowledged(Acknowledgement, after: Int64)
    case requested(ReceiverRequest)
    /// The receiver asked for something that is impossible, for this reason.
    case refused(ReceiverRequest, FrameStreamingError)
    /// The receiver has made no progress for the first duration. It is given up
    /// after the second one; nil = never.
    case stalled(Duration, givesUpAfter: Duration?)
    /// The frames are encoded with other settings from now on.
    case chose(quality: Int, scale: PictureScale)
    /// - Parameter byItself: Whether this side did not ask for it.
    case ended(StreamEnd, FrameStreamingError?, byItself: Bool)
}
