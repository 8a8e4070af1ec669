package import FrameStreaming

// The objects of `--json`, one a line: Docs/JSON.md describes them, and Docs/JSON.schema.json is
// tested against the programs. A key that is always present is easier to rely on than one that is
// absent, so an unknown value is null.

/// The first line of a program that listens.
package struct ListeningEvent: Encodable, Sendable {
    let event = "listening"
    let address: String
    let port: Int

    package init(address: String, port: Int) {
        self.address = address
        self.port = port
    }
}

/// An error, which standard error has in the same words.
struct ErrorEvent: Encodable, Sendable {
    let event = "error"
    let message: String
    let code: String?
    let address: String?

    func encode(to encoder: any Encoder) throws {
        var line = encoder.container(keyedBy: LineKey.self)
        try line.encode(event, forKey: "event")
        try line.encode(message, forKey: "message")
        try line.encode(code, forKey: "code")
        try line.encode(address, forKey: "address")
    }
}

/// The first signal that asks the program to end.
struct StoppingEvent: Encodable, Sendable {
    let event = "stopping"
    let signal: String
}

/// A peer that is connected, or its source that is back.
struct PeerEvent: Encodable, Sendable {
    let event: String
    let address: String
    let stream: String?
    let handshake: String
    /// Where other programs can see the stream, which `connected` says; nil = nowhere.
    let url: String?
    /// The identity that the peer has proved, for `connected`; nil = none.
    let identity: String?

    init(_ event: String, _ peer: Peer, url: String? = nil) {
        self.event = event
        self.url = url
        address = peer.address
        stream = peer.stream
        handshake = peer.handshake.description
        identity = peer.identity
    }

    func encode(to encoder: any Encoder) throws {
        var line = encoder.container(keyedBy: LineKey.self)
        try line.encode(event, forKey: "event")
        try line.encode(address, forKey: "address")
        try line.encode(stream, forKey: "stream")
        try line.encode(handshake, forKey: "handshake")
        guard event == "connected" else { return }
        try line.encode(url, forKey: "url")
        try line.encode(identity, forKey: "identity")
    }
}

/// How a new connection is described to people: its handshake, and who the peer has proved to be.
func connectionWords(_ peer: Peer) -> String {
    let identity = peer.identity.map { ", encrypted, as \(String(printable: $0))" } ?? ""
    return "connected (\(peer.handshake) handshake\(identity))"
}

/// The file that frame-demo has saved.
package struct SavedEvent: Encodable, Sendable {
    let event = "saved"
    let path: String

    package init(path: String) { self.path = path }
}

/// The picture that frame-view has saved.
package struct SnapshotEvent: Encodable, Sendable {
    let event = "snapshot"
    let path: String

    package init(path: String) { self.path = path }
}

/// The addresses of the page with the pictures.
package struct PreviewEvent: Encodable, Sendable {
    let event = "preview"
    let url: String
    /// The numeric addresses that other machines can reach, where it listens on all.
    let others: [String]

    package init(url: String, others: [String]) {
        self.url = url
        self.others = others
    }
}

/// An event of a connection with its reason: `disconnected`, `waiting`, `stalled`, `requested`.
package struct ConnectionEvent: Encodable, Sendable {
    let event: String
    let address: String
    let reason: String?

    package init(_ event: String, _ address: String, _ reason: String? = nil) {
        self.event = event
        self.address = address
        self.reason = reason
    }

    package func encode(to encoder: any Encoder) throws {
        var line = encoder.container(keyedBy: LineKey.self)
        try line.encode(event, forKey: "event")
        try line.encode(address, forKey: "address")
        try line.encode(reason, forKey: "reason")
    }
}

/// Pictures of the source that were left out, because they are damaged.
struct DamageEvent: Encodable, Sendable {
    let event = "damaged"
    let count: Int
    let reason: String
}

/// How many lines of a kind were suppressed, because there were too many.
struct SuppressedEvent: Encodable, Sendable {
    let event = "suppressed"
    let kind: String
    let count: Int
    let seconds: Double

    init(_ kind: LineKind, _ count: Int, seconds: Double) {
        self.kind = kind.rawValue
        self.count = count
        self.seconds = seconds
    }
}

/// Percentiles in milliseconds.
package struct Percentiles: Encodable, Sendable {
    let p50: Double
    let p95: Double
    let p99: Double
    let max: Double

    init?(_ summary: DurationSummary?) {
        guard let summary else { return nil }
        p50 = milliseconds(summary.p50)
        p95 = milliseconds(summary.p95)
        p99 = milliseconds(summary.p99)
        max = milliseconds(summary.max)
    }
}

/// Whose figures they are: those of a stream's last second, of a connection that has ended, or of all.
package enum Scope: String, Encodable, Sendable { case stream, connection, total }

/// The figures of a receiver: of a second (`progress`), of a connection, or in total.
package struct ReceiverEventLine: Encodable, Sendable {
    let event: String
    let role = "receiver"
    let scope: Scope
    let peer: String?
    let stream: String?
    let handshake: String?
    let frames: Int
    let bytes: Int
    let format: PixelFormat?
    let decodeFailures: Int
    let decodeWarnings: Int
    let skipped: Int?
    let droppedAtEnd: Int
    let limits: LimitCounts
    let seconds: Double
    let fps: Double
    let latency: Percentiles?
    let clockError: Double?
    let stages: [StageTime]
    let end: String?
    let goodbye: Goodbye?

    package init(
        _ event: String, scope: Scope, _ statistics: ReceiverStatistics, peer: Peer?, end: StreamEnd?,
        seconds: Double? = nil
    ) {
        self.event = event
        self.scope = scope
        self.peer = peer?.address
        stream = peer?.stream
        handshake = peer?.handshake.description
        frames = statistics.frames
        bytes = statistics.bytes
        format = statistics.format
        decodeFailures = statistics.decodeFailures
        decodeWarnings = statistics.decodeWarnings
        skipped = statistics.skipped
        droppedAtEnd = statistics.droppedAtEnd
        limits = statistics.limits
        self.seconds = seconds ?? span(of: statistics.duration)
        fps = seconds.map { Double(statistics.frames) / $0 } ?? statistics.framesPerSecond
        latency = Percentiles(statistics.latency.summary)
        clockError = statistics.clockError.map(milliseconds)
        stages = statistics.stages
        self.end = end?.description
        goodbye = peer?.goodbye
    }

    package func encode(to encoder: any Encoder) throws {
        var line = encoder.container(keyedBy: LineKey.self)
        try line.encode(event, forKey: "event")
        try line.encode(role, forKey: "role")
        try line.encode(scope, forKey: "scope")
        try line.encode(peer, forKey: "peer")
        try line.encode(stream, forKey: "stream")
        try line.encode(handshake, forKey: "handshake")
        try line.encode(frames, forKey: "frames")
        try line.encode(bytes, forKey: "bytes")
        try line.encode(format?.fourcc, forKey: "format")
        try line.encode(decodeFailures, forKey: "decode_failures")
        try line.encode(decodeWarnings, forKey: "decode_warnings")
        try line.encode(skipped, forKey: "skipped")
        try line.encode(droppedAtEnd, forKey: "dropped_at_end")
        try line.encode(limits)
        try line.encode(seconds, forKey: "seconds")
        try line.encode(fps, forKey: "fps")
        try line.encode(latency, forKey: "latency_ms")
        try line.encode(clockError, forKey: "clock_error_ms")
        try line.encode(stages)
        try line.encode(end, forKey: "end")
        try line.encode(goodbye?.text, forKey: "goodbye")
        try line.encode(goodbye?.code.description, forKey: "goodbye_code")
    }
}

/// The figures of a sender: of a second (`progress`), of a connection, or in total.
package struct SenderEventLine: Encodable, Sendable {
    let event: String
    let scope: Scope
    let peer: Peer?
    let statistics: SenderStatistics
    let seconds: Double
    let fps: Double
    let end: StreamEnd?
    /// Receivers that have asked for no more pictures.
    let paused: Int
    /// The bits a second at which frames aim; nil = as many as their quality needs.
    let targetBitRate: Int?
    /// How often receivers reached a limit.
    let limits: LimitCounts

    package init(
        _ event: String, scope: Scope, _ statistics: SenderStatistics, peer: Peer?, end: StreamEnd?, paused: Int = 0,
        targetBitRate: Int? = nil, limits: LimitCounts = LimitCounts(), seconds: Double? = nil
    ) {
        self.event = event
        self.scope = scope
        self.peer = peer
        self.statistics = statistics
        self.seconds = seconds ?? span(of: statistics.duration)
        fps = seconds.map { Double(statistics.acknowledged) / $0 } ?? statistics.framesPerSecond
        self.end = end
        self.paused = paused
        self.targetBitRate = targetBitRate
        self.limits = limits
    }

    package func encode(to encoder: any Encoder) throws {
        var line = encoder.container(keyedBy: LineKey.self)
        try line.encode(event, forKey: "event")
        try line.encode("sender", forKey: "role")
        try line.encode(scope, forKey: "scope")
        try line.encode(peer?.address, forKey: "peer")
        try line.encode(peer?.stream, forKey: "stream")
        try line.encode(peer?.handshake.description, forKey: "handshake")
        try line.encode(statistics.produced, forKey: "produced")
        try line.encode(statistics.decodeWarnings, forKey: "decode_warnings")
        try line.encode(statistics.sent, forKey: "sent")
        try line.encode(statistics.resent, forKey: "resent")
        try line.encode(statistics.acknowledged, forKey: "acknowledged")
        var dropped = line.nestedContainer(keyedBy: LineKey.self, forKey: "dropped")
        try dropped.encode(statistics.dropped.replaced, forKey: "replaced")
        try dropped.encode(statistics.dropped.deadline, forKey: "deadline")
        try dropped.encode(statistics.dropped.rate, forKey: "rate")
        try dropped.encode(statistics.dropped.disconnected, forKey: "disconnected")
        try line.encode(statistics.failed, forKey: "failed")
        try line.encode(statistics.lost, forKey: "lost")
        try line.encode(statistics.bytes, forKey: "bytes")
        try line.encode(statistics.format?.fourcc, forKey: "format")
        try line.encode(targetBitRate, forKey: "target_bits_per_second")
        try line.encode(paused, forKey: "paused")
        try line.encode(limits)
        try line.encode(seconds, forKey: "seconds")
        try line.encode(fps, forKey: "fps")
        try line.encode(Percentiles(statistics.ackTime.summary), forKey: "ack_ms")
        try line.encode(statistics.clockError.map(milliseconds), forKey: "clock_error_ms")
        try line.encode(statistics.stages)
        try line.encode(end?.description, forKey: "end")
        try line.encode(peer?.goodbye?.text, forKey: "goodbye")
        try line.encode(peer?.goodbye?.code.description, forKey: "goodbye_code")
    }
}

/// Seconds, where the name of that function is taken.
private func span(of duration: Duration) -> Double { seconds(duration) }

/// A JSON key with any name.
struct LineKey: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    let intValue: Int? = nil

    init(stringLiteral value: String) { stringValue = value }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension KeyedEncodingContainer<LineKey> {
    /// `"limits": {"frame_bytes": 0, ...}`, each limit's count.
    fileprivate mutating func encode(_ limits: LimitCounts) throws {
        var object = nestedContainer(keyedBy: LineKey.self, forKey: "limits")
        for limit in PeerLimit.allCases {
            try object.encode(limits[limit], forKey: LineKey(stringValue: limit.rawValue))
        }
    }

    /// `"stages_ms": {"capture": {"p50": ...}, ...}`, null where a stage is not known.
    fileprivate mutating func encode(_ stages: [StageTime]) throws {
        var object = nestedContainer(keyedBy: LineKey.self, forKey: "stages_ms")
        for stage in stages {
            try object.encode(Percentiles(stage.time.summary), forKey: LineKey(stringValue: stage.name))
        }
    }
}
