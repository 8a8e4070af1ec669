/// What happens to pictures that are made faster than they can be sent.
public struct DeliveryPolicy: Hashable, Sendable, CustomStringConvertible {
    enum Value: Hashable { case latest, reliable, deadline(Duration) }
    let value: Value

    var isDeadline: Bool { if case .deadline = value { true } else { false } }

    private init(value: Value) { self.value = value }

    /// A newer picture replaces an unsent one, which is counted: pictures are
    /// fresh at any rate. For live sources.
    public static let latest = DeliveryPolicy(value: .latest)
    /// The source waits for the slowest receiver, and every picture arrives. For files.
    /// ``SenderOptions/stallTimeout`` limits the wait for a stalled receiver.
    public static let reliable = DeliveryPolicy(value: .reliable)
    /// Pictures arrive in order. A picture that is older than this when credit arrives is dropped
    /// and counted: short pauses of the link lose nothing, and long ones do not add up. The age
    /// counts from the capture, or else from when the source gave the picture. At most 64 pictures
    /// wait; beyond that the oldest is replaced.
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
