package import ArgumentParser
package import FrameStreaming

/// The option for limits on what a peer may cost this program.
package struct LimitOptions: ParsableArguments, Sendable {
    @Option(
        name: .customLong("limit"),
        help: ArgumentHelp(
            "Change a limit on what a peer may cost: handshakes, handshake-time (s), message-time (s), connections-per-address; of a side that receives also pixels, scans, decode-failures, byte-rate (bytes/s), idle-time (s). 0 is no limit where that is allowed. May be repeated. (defaults: Docs/Limits.md)",
            valueName: "name=n"))
    package var changes: [String] = []

    package init() {}

    /// Refuses a limit that the program does not have, and a value out of range.
    ///
    /// - Parameters:
    ///   - offered: The limits that the program has.
    ///   - own: Limits that have an option of their own in the program.
    package func check(_ offered: [AdjustableLimit], own: [PeerLimit: String] = [:]) throws {
        var seen: Set<PeerLimit> = []
        for change in changes {
            let parts = change.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let known = offered.map(\.name).joined(separator: ", ")
            guard let limit = AdjustableLimit.named(String(parts[0])) else {
                throw ValidationError("--limit \(change): there is no limit of that name, but \(known)")
            }
            if let option = own[limit.limit] {
                throw ValidationError("--limit \(change): \(limit.name) has an option of its own, \(option)")
            }
            guard offered.contains(where: { $0.limit == limit.limit }) else {
                throw ValidationError("--limit \(change): this program has no limit \(limit.name), but \(known)")
            }
            guard parts.count == 2, let value = Int(parts[1]), limit.allows(value) else {
                throw ValidationError("--limit \(limit.name) is \(limit.words), not \(parts.dropFirst().first ?? "")")
            }
            guard seen.insert(limit.limit).inserted else {
                throw ValidationError("--limit \(limit.name) is given twice")
            }
        }
    }

    /// The value that the user gave a limit; nil = the default counts.
    package subscript(limit: PeerLimit) -> Int? {
        for change in changes {
            let parts = change.split(separator: "=", maxSplits: 1)
            if parts.count == 2, AdjustableLimit.named(String(parts[0]))?.limit == limit { return Int(parts[1]) }
        }
        return nil
    }

    /// Sets the limits of connections and of a listener.
    package func apply(to options: inout TCPOptions) {
        if let seconds = self[.handshakeTime] { options.handshakeTimeout = .seconds(seconds) }
        if let seconds = self[.messageTime] { options.standstillTimeout = .seconds(seconds) }
        if let count = self[.handshakes] { options.maximumHandshakes = count }
        if let count = self[.connectionsPerAddress] { options.maximumConnectionsPerAddress = count > 0 ? count : nil }
    }

    /// Sets the limits of a connection that receives.
    package func apply(to options: inout TCPReceiverOptions) throws(FrameStreamingError) {
        if let count = self[.frameBytes] { options.maximumFrameByteCount = count }
        if let rate = self[.byteRate] { options.maximumByteRate = rate }
        if let megabytes = self[.memory] { options.memory = try MemoryBudget(total: megabytes << 20) }
    }

    /// The limits of a receiver.
    package var receiver: ReceiverLimits {
        var limits = ReceiverLimits()
        if let count = self[.decodeFailures] { limits.maximumDecodeFailures = count }
        if let seconds = self[.idleTime], seconds > 0 { limits.idleTimeout = .seconds(seconds) }
        return limits
    }

    /// A codec with these limits.
    package func codec(isStrict: Bool = false) -> JPEGCodec {
        let usual = JPEGCodec()
        return JPEGCodec(
            strictness: isStrict ? .strict : .tolerant, maximumPixels: self[.pixels] ?? usual.maximumPixels,
            maximumScans: self[.scans] ?? usual.maximumScans)
    }
}

/// A limit that a program's user can change.
package struct AdjustableLimit: Sendable {
    package let limit: PeerLimit
    private let range: ClosedRange<Int>
    private let unit: String
    /// Whether 0 stands for no limit, where it is below the range.
    private let canBeOff: Bool

    private init(_ limit: PeerLimit, _ range: ClosedRange<Int>, _ unit: String = "", canBeOff: Bool = false) {
        self.limit = limit
        self.range = range
        self.unit = unit
        self.canBeOff = canBeOff
    }

    /// The name on the command line: `handshake-time` and the like.
    package var name: String { limit.rawValue.replacing("_", with: "-") }

    func allows(_ value: Int) -> Bool { range.contains(value) || canBeOff && value == 0 }

    /// The permitted values.
    var words: String {
        "\(range.lowerBound) to \(range.upperBound)\(unit.isEmpty ? "" : " \(unit)")\(canBeOff ? ", or 0 for none" : "")"
    }

    private static let all = [
        AdjustableLimit(.frameBytes, TCPReceiverOptions.maximumFrameByteCountRange, "bytes"),
        AdjustableLimit(.pixels, 1...JPEGCodec.maximumSide * JPEGCodec.maximumSide),
        AdjustableLimit(.scans, 1...1_000_000),
        AdjustableLimit(.connections, 1...1_000_000),
        AdjustableLimit(.connectionsPerAddress, 1...1_000_000, canBeOff: true),
        AdjustableLimit(.handshakes, 1...10_000),
        AdjustableLimit(.handshakeTime, 1...600, "seconds"),
        AdjustableLimit(.idleTime, 1...86_400, "seconds", canBeOff: true),
        AdjustableLimit(.messageTime, 1...3_600, "seconds"),
        AdjustableLimit(.minimumRate, 0...1_000_000_000, "bytes a second"),
        AdjustableLimit(.byteRate, 32_000...1_000_000_000_000, "bytes a second", canBeOff: true),
        AdjustableLimit(.memory, 1...1 << 20, "MiB"),
        AdjustableLimit(.decodeFailures, 1...1_000_000_000, canBeOff: true),
    ]

    static func named(_ name: String) -> AdjustableLimit? { all.first { $0.name == name } }

    private static func list(_ limits: [PeerLimit]) -> [AdjustableLimit] {
        all.filter { limits.contains($0.limit) }
    }

    /// Those of each program that speaks TCP.
    package static let connecting = list([.handshakes, .handshakeTime, .messageTime, .connectionsPerAddress])
    /// Those of a program that receives.
    package static let receiving =
        connecting + list([.pixels, .scans, .decodeFailures, .byteRate, .idleTime])
    /// Those of a program that receives and has no other options for them.
    package static let viewing = receiving + list([.frameBytes, .memory])
}
