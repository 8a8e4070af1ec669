import FrameStreaming

/// What lies between a sender and a receiver: nothing, or a cable of its own between two
/// network namespaces, thin or long.
///
/// The rate is the kernel's (`tc tbf` on the sender's end of a veth pair), the delay
/// a program's (``DelayProxy``), for kernels without netem. Where there are no
/// namespaces the program does both.
final class Link {
    /// The two ends of the cable, as `Benchmarks/run` made them.
    struct Namespaces {
        let sender: String
        let receiver: String
        static let senderAddress = "10.77.0.1"
        static let receiverAddress = "10.77.0.2"
        static let device = "fs0"
    }

    /// How fast and how far. Nothing set: this machine's loopback.
    struct Shape {
        var bitsPerSecond: Int?
        var roundTrip = Duration.zero
        /// The rates to come, each with the time since the stream's start.
        var steps: [(after: Duration, bitsPerSecond: Int)] = []

        static let loopback = Shape()
        var isLoopback: Bool { bitsPerSecond == nil && roundTrip == .zero }
    }

    private let shape: Shape
    private let namespaces: Namespaces?
    private let programs: String
    private var proxy: Child?

    init(_ shape: Shape, namespaces: Namespaces?, programs: String) throws {
        self.shape = shape
        self.namespaces = shape.isLoopback ? nil : namespaces
        self.programs = programs
        if let rate = shape.bitsPerSecond, self.namespaces != nil { try limit(to: rate) }
    }

    /// Goes in front of a command that runs at the sender's end.
    var atSender: [String] { namespaces.map { ["ip", "netns", "exec", $0.sender] } ?? [] }
    var atReceiver: [String] { namespaces.map { ["ip", "netns", "exec", $0.receiver] } ?? [] }
    var senderAddress: String { namespaces == nil ? "127.0.0.1" : Namespaces.senderAddress }
    var receiverAddress: String { namespaces == nil ? "127.0.0.1" : Namespaces.receiverAddress }

    /// The address to connect to in order to reach a listener: its own, or
    /// that of the program with the delay.
    func way(to address: String, port: Int) throws -> String {
        let limitsItself = namespaces == nil && shape.bitsPerSecond != nil
        guard shape.roundTrip > .zero || limitsItself else { return "\(address):\(port)" }
        let oneWay = shape.roundTrip / 2
        // What a link of this rate has under way in this time, and as much again as one frame.
        let rate = Double(shape.bitsPerSecond ?? 1_000_000_000)
        let room = Int(rate / 8 * seconds(oneWay)) + 65_536
        let proxy = try Child(
            atReceiver + [
                "\(programs)/DelayProxy", receiverAddress, address, "\(port)", "\(Int(seconds(oneWay) * 1e6))",
                limitsItself ? "\(Int(rate))" : "0", "\(room)",
            ], hasInput: true)
        let own = try proxy.figures(with: "port", within: 10_000)
        self.proxy = proxy
        return "\(receiverAddress):\(Int(own["port"] ?? 0))"
    }

    func limit(to bitsPerSecond: Int) throws {
        guard namespaces != nil else {
            proxy?.say("\(bitsPerSecond)")
            return
        }
        // A bucket of 2 ms, for the kernel's timers; the queue before it
        // is limited by what TCP puts there.
        let burst = max(bitsPerSecond / 8 / 500, 6000)
        _ = try Child(
            atSender + [
                "tc", "qdisc", "replace", "dev", Namespaces.device, "root", "tbf", "rate", "\(bitsPerSecond)bit",
                "burst", "\(burst)", "limit", "1000000",
            ]
        ).finish()
    }

    /// The cable as it was.
    func restore() {
        proxy = nil
        guard namespaces != nil, shape.bitsPerSecond != nil else { return }
        _ = try? Child(atSender + ["tc", "qdisc", "del", "dev", Namespaces.device, "root"]).finish()
    }
}
