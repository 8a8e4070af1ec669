/// What became of a picture that a program handed over: see ``FrameSender/trySend(_:replaces:)``.
public enum SendOutcome: String, Sendable, CustomStringConvertible {
    /// It goes to the receiver, at once or as the next one, and nothing was lost for it.
    case sent
    /// It waits for credit, in the place of an older picture that was let go and counted.
    case replaced
    /// There is no credit for it, and it was not taken: offer it again, or another, or leave it.
    case noCredit

    /// The outcome's name.
    public var description: String { rawValue }
}
