/// What became of a picture that a program handed over: see ``FrameSender/trySend(_:replaces:)``.
public struct SendOutcome: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String { case sent, replaced, noCredit }
    private let value: Value

    private init(value: Value) { self.value = value }

    /// It goes to the receiver, at once or as the next one, and nothing was lost for it.
    public static let sent = SendOutcome(value: .sent)
    /// It waits for credit, in the place of an older picture that was let go and counted.
    public static let replaced = SendOutcome(value: .replaced)
    /// There is no credit for it, and it was not taken: offer it again, or another, or leave it.
    public static let noCredit = SendOutcome(value: .noCredit)

    /// The outcome's name.
    public var description: String { value.rawValue }
}
