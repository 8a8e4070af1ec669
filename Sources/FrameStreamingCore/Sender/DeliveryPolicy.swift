/// What happens to pictures that come faster than they can be sent.
public struct DeliveryPolicy: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String { case latest, reliable }
    private let value: Value

    private init(value: Value) { self.value = value }

    /// An unsent picture is replaced by a newer one, and counted: fresh pictures at any rate. For live sources.
    public static let latest = DeliveryPolicy(value: .latest)
    /// The source waits, and every picture arrives. For files.
    public static let reliable = DeliveryPolicy(value: .reliable)

    /// The policy of a name.
    public init?(name: String) {
        guard let value = Value(rawValue: name.lowercased()) else { return nil }
        self.value = value
    }

    /// The policy's name.
    public var description: String { value.rawValue }
}
