/// What happens to pictures that come faster than they can be sent.
public struct DeliveryPolicy: Hashable, Sendable, CustomStringConvertible {
    enum Value: Hashable { case latest, reliable, deadline(Duration) }
    let value: Value

    var isDeadline: Bool { if case .deadline = value { true } else { false } }

    private init(value: Value) { self.value = value }

    /// An unsent picture is replaced by a newer one, and counted: fresh pictures at any rate. For live sources.
    public static let latest = DeliveryPolicy(value: .latest)
    /// The source waits, for the slowest of several receivers, and every picture arrives. For files. How long for one that stands still:
    /// ``SenderOptions/stallTimeout``.
    public static let reliable = DeliveryPolicy(value: .reliable)
    /// In order, and a picture that is older than this when credit comes is dropped and counted: short pauses of the link lose
    /// nothing, long ones do not add up. Its age counts from the capture, or from the source's giving it where the capture time
    /// is not known. At most 64 pictures wait; beyond, the oldest is replaced.
    ///
    /// - Parameter age: More than zero; anything else counts as 1 ns.
    public static func deadline(age: Duration) -> DeliveryPolicy {
        DeliveryPolicy(value: .deadline(max(age, .nanoseconds(1))))
    }

    /// The policy of a name: `latest`, `reliable`, `deadline:200` (milliseconds).
    public init?(name: String) {
        switch name.lowercased() {
        case "latest": value = .latest
        case "reliable": value = .reliable
        case let other:
            guard other.hasPrefix("deadline:"), let milliseconds = Int(other.dropFirst("deadline:".count)),
                (1...3_600_000).contains(milliseconds)
            else { return nil }
            value = .deadline(.milliseconds(milliseconds))
        }
    }

    /// The policy's name, as ``init(name:)`` takes it.
    public var description: String {
        switch value {
        case .latest: "latest"
        case .reliable: "reliable"
        case .deadline(let age): "deadline:\(age.wholeNanoseconds / 1_000_000)"
        }
    }
}
