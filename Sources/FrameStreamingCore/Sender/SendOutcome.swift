/// What happened to a frame that a program handed over: see ``FrameSender/trySend(_:mayQueue:)``.
///
/// With several receivers it is the best outcome at any of them, in the order of the cases.
public enum SendOutcome: Hashable, Sendable, CustomStringConvertible {
    /// The receiver has credit, and the frame is sent now.
    case sent
    /// The sender has taken the frame, which waits for credit. Under `latest`, `replacing` says
    /// that an older frame that waited was dropped for it, and counted.
    case queued(replacing: Bool)
    /// The frame was not taken: there is neither credit nor room for it. Offer it again, or a newer
    /// one.
    case noCredit
    /// The frame was not taken: there is no receiver, or every one has left.
    case noReceiver
    /// The frame was not taken: the sender was stopped or cancelled, or has ended.
    case ended

    /// The outcome's name.
    public var description: String {
        switch self {
        case .sent: "sent"
        case .queued(replacing: false): "queued"
        case .queued(replacing: true): "queued, replacing"
        case .noCredit: "no credit"
        case .noReceiver: "no receiver"
        case .ended: "ended"
        }
    }

    /// The smaller, the better.
    private var rank: Int {
        switch self {
        case .sent: 0
        case .queued(replacing: false): 1
        case .queued(replacing: true): 2
        case .noCredit: 3
        case .noReceiver: 4
        case .ended: 5
        }
    }

    /// The better one of two receivers' outcomes.
    func better(_ other: SendOutcome) -> SendOutcome { rank <= other.rank ? self : other }
}
