/// A message over an established connection, in either direction.
@nonexhaustive
public enum Message: Sendable {
    /// A picture, from the sender.
    case frame(Frame, FrameInfo)
    /// The outcome of a picture and the credit, from the receiver.
    case acknowledgement(Acknowledgement)
    /// The sender's source went away and may come back; the text says why.
    case sourceLost(reason: String)
    /// The sender's source is back.
    case sourceRestored
    /// A request of the receiver to the sender.
    case request(ReceiverRequest)
    /// What the sender says to a request, one answer for each, in their order. Only over a
    /// connection with ``Peer/Abilities/requestAnswers``.
    case requestAnswer(RequestAnswer)
}

/// A sender's word on a request of its receiver.
public struct RequestAnswer: Hashable, Sendable {
    /// What was asked for.
    public var request: ReceiverRequest
    /// Why the sender cannot comply, in words for a person; nil = it does. The peer chose them:
    /// print them through `String(printable:)`.
    public var refusal: String?

    /// The answer to a request; `refusal` nil = the sender complies.
    public init(_ request: ReceiverRequest, refusal: String? = nil) {
        self.request = request
        self.refusal = refusal
    }
}

/// A request of a receiver to its sender. The sender need not comply.
@nonexhaustive
public enum ReceiverRequest: Hashable, Sendable {
    /// Send no more frames until ``resume``. Frames in flight still arrive.
    case pause
    /// Send frames again.
    case resume
    /// Encode with this quality from the next picture on, 1 (smallest) to 100 (best).
    case quality(Int)
    /// Have the next frame that is encoded stand alone: for a recording that begins with it. Frames
    /// of codecs without memory do in any case.
    case keyFrame
}

/// The information that a connection sends with a picture.
public struct FrameInfo: Hashable, Sendable {
    /// The frame's number on this connection, from 1, without gaps.
    public var sequence: UInt64
    /// Pictures that the sender took from its source and dropped since the frame before.
    public var skipped: UInt32
    /// How long encoding took; nil = not known or not encoded here.
    public var encodeTime: Duration? {
        get { encodeNanoseconds.map { .nanoseconds($0) } }
        set { encodeNanoseconds = newValue?.wholeNanoseconds }
    }
    /// How long the frame waited for credit; nil = not known.
    public var creditWait: Duration? {
        get { creditWaitNanoseconds.map { .nanoseconds($0) } }
        set { creditWaitNanoseconds = newValue?.wholeNanoseconds }
    }
    // Stored as they are sent: arithmetic with durations has 128 bits.
    package var encodeNanoseconds: Int64?
    package var creditWaitNanoseconds: Int64?
    /// When it was handed to the connection, on the sender's CLOCK_MONOTONIC; nil = not known.
    public var sendTime: MonotonicTime?
    /// When its last byte had arrived, on the receiver's CLOCK_MONOTONIC. Set by
    /// the receiving transport, not sent.
    public var arrivalTime: MonotonicTime?

    /// Makes the information with a frame's number, and all else unknown.
    public init(sequence: UInt64, skipped: UInt32 = 0) {
        self.sequence = sequence
        self.skipped = skipped
    }
}

/// The receiver's acknowledgement of one frame. Each frame gets one, in order, when
/// the consumer has finished with it.
public struct Acknowledgement: Hashable, Sendable {
    /// The outcome of a frame.
    @nonexhaustive
    public enum Outcome: String, Sendable, CustomStringConvertible {
        /// The consumer has finished with it.
        case consumed
        /// The consumer asked for a newer frame.
        case skipped
        /// It did not decode. The stream goes on.
        case undecodable
        /// The receiver refused it: it is too large, or in a format that the receiver
        /// does not take. The stream goes on.
        case refused

        /// The outcome's name.
        public var description: String { rawValue }
    }

    /// The frame's number on this connection.
    public var sequence: UInt64
    /// The highest frame number that the receiver accepts: absolute, never falling.
    public var creditThrough: UInt64
    /// The outcome of the frame.
    public var outcome: Outcome
    /// The highest frame number that had arrived when this was sent.
    public var receivedThrough: UInt64
    /// When the frame had arrived, on the receiver's CLOCK_MONOTONIC; nil = not known.
    public var arrivalTime: MonotonicTime?
    /// When it was consumed, on the receiver's CLOCK_MONOTONIC; nil = not known.
    public var consumedTime: MonotonicTime?
    /// How long it waited there for the consumer to ask for it; nil = not known.
    public var queueTime: Duration? {
        get { queueNanoseconds.map { .nanoseconds($0) } }
        set { queueNanoseconds = newValue?.wholeNanoseconds }
    }
    /// How long decoding took; nil = not known, or not decoded.
    public var decodeTime: Duration? {
        get { decodeNanoseconds.map { .nanoseconds($0) } }
        set { decodeNanoseconds = newValue?.wholeNanoseconds }
    }
    // Stored as they are sent: arithmetic with durations has 128 bits.
    package var queueNanoseconds: Int64?
    package var decodeNanoseconds: Int64?
    /// How many frames the receiver holds and has not consumed.
    public var queueDepth: UInt32
    /// How many frames of this connection were not consumed so far:
    /// skipped, undecodable or refused.
    public var unconsumed: UInt64

    /// Makes an acknowledgement with the returned credit.
    public init(sequence: UInt64, creditThrough: UInt64, outcome: Outcome = .consumed) {
        self.sequence = sequence
        self.creditThrough = creditThrough
        self.outcome = outcome
        receivedThrough = sequence
        queueDepth = 0
        unconsumed = 0
    }
}
