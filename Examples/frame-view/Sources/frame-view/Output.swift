internal import FoundationEssentials
internal import FrameStreaming
internal import Glibc
internal import Synchronization

/// Prints lines for people, or one JSON object a line for programs,
/// with the keys of `frame-receive`.
///
/// A line stays one line, whatever a peer's text contains, and a peer that causes many lines
/// of a kind gets only a few of them.
struct Output: Sendable {
    /// The kind of a line that a peer can cause.
    enum Kind: String {
        case waiting, connected, summary, refused, window
        case sourceLost = "source lost"
        case sourceRestored = "source restored"
        case undecodable = "undecodable frame"
    }

    let json: Bool

    func listening(address: String, port: Int) {
        if json {
            object(["event": .text("listening"), "address": .text(address), "port": .number(Double(port))])
        } else {
            line("listening on \(address)")
        }
    }

    /// Prints why the sender cannot be reached.
    func waiting(_ address: String, _ reason: String) {
        guard admits(.waiting, from: nil) else { return }
        Self.write("waiting for \(address): \(reason)", to: STDERR_FILENO)
        if json { object(["event": .text("waiting"), "address": .text(address), "reason": .text(reason)]) }
    }

    func connected(_ peer: Peer) {
        guard admits(.connected, from: nil) else { return }
        guard json else { return line("\(StreamStatus.name(of: peer)) connected (\(peer.handshake) handshake)") }
        object([
            "event": .text("connected"), "address": .text(peer.address), "stream": .of(peer.stream),
            "handshake": .text(peer.handshake.description),
        ])
    }

    func source(of peer: Peer, lost reason: String?) {
        guard admits(reason == nil ? .sourceRestored : .sourceLost, from: peer) else { return }
        if let reason {
            Self.write(
                "\(StreamStatus.name(of: peer)): its source is lost: \(String(printable: reason))", to: STDERR_FILENO)
        } else if !json {
            line("\(StreamStatus.name(of: peer)): its source is back")
        }
        if json {
            object([
                "event": .text(reason == nil ? "source_restored" : "source_lost"), "address": .text(peer.address),
                "reason": .of(reason),
            ])
        }
    }

    func snapshot(_ path: String) {
        if json { object(["event": .text("snapshot"), "path": .text(path)]) } else { line("saved \(path)") }
    }

    func summary(_ receiver: FrameReceiver) {
        guard admits(.summary, from: nil) else { return }
        let (peer, figures) = (receiver.peer, receiver.statistics)
        let end = receiver.end?.description
        guard json else {
            let delay =
                figures.latency.summary.map {
                    ", delay \(tenths(milliseconds($0.p50))) ms (p99 \(tenths(milliseconds($0.p99))))"
                } ?? ""
            let reason = peer.goodbye.map { " (\(String(printable: $0.text)))" } ?? ""
            line(
                "\(StreamStatus.name(of: peer)): \(figures.frames) frames in \(tenths(seconds(figures.duration))) s: \(tenths(figures.framesPerSecond)) fps\(delay), \(figures.skipped.map { "\($0)" } ?? "unknown") dropped, ended: \(end ?? "open")\(reason)"
            )
            return
        }
        object([
            "event": .text("summary"), "scope": .text("connection"), "role": .text("receiver"),
            "peer": .text(peer.address), "stream": .of(peer.stream), "handshake": .text(peer.handshake.description),
            "frames": .number(Double(figures.frames)), "bytes": .number(Double(figures.bytes)),
            "decode_failures": .number(Double(figures.decodeFailures)),
            "decode_warnings": .number(Double(figures.decodeWarnings)),
            "skipped": figures.skipped.map { .number(Double($0)) } ?? .null,
            "seconds": .number(seconds(figures.duration)),
            "fps": .number(figures.framesPerSecond), "latency_ms": .of(figures.latency),
            "clock_error_ms": figures.clockError.map { .number(milliseconds($0)) } ?? .null,
            "stages_ms": .object([
                "capture": .of(figures.captureDelay), "wait": .of(figures.creditWait),
                "encode": .of(figures.encodeTime),
                "wire": .of(figures.wireTime), "queue": .of(figures.queueTime), "decode": .of(figures.decodeTime),
                "consume": .of(figures.consumeTime),
            ]), "end": .of(end), "goodbye": .of(peer.goodbye?.text),
            "goodbye_code": .of(peer.goodbye?.code.description),
        ])
    }

    /// Prints a line on standard error, unless there were too many of its kind.
    func complain(_ words: String, _ kind: Kind, from peer: Peer?) {
        if admits(kind, from: peer) { Self.write(words, to: STDERR_FILENO) }
    }

    /// Prints how many lines were suppressed, for each kind that has suppressed lines for ten
    /// seconds; at the end for every kind.
    func suppressed(isLast: Bool = false) {
        for left in Self.limiter.withLock({ $0.takeSuppressed(at: .now, isLast: isLast) }) {
            let seconds = left.duration.components.seconds + 1
            Self.write("\(left.kind.rawValue): ... and \(left.count) more like it in \(seconds) s", to: STDERR_FILENO)
            guard json else { continue }
            object([
                "event": .text("suppressed"), "kind": .text(left.kind.rawValue), "count": .number(Double(left.count)),
                "seconds": .number(Double(seconds)),
            ])
        }
    }

    private func admits(_ kind: Kind, from peer: Peer?) -> Bool {
        suppressed()
        return Self.limiter.withLock { $0.admit(kind, from: peer?.address, at: .now) }
    }

    private static let limiter = Mutex(
        LogLimiter<Kind> { _ in
            (LogRate(burst: 10, interval: .seconds(1)), LogRate(burst: 100, interval: .milliseconds(100)))
        })

    private func line(_ words: String) { Self.write(words, to: STDOUT_FILENO) }

    /// Prints an object with the time of its line.
    private func object(_ members: [String: JSON]) {
        var value = members
        value["time"] = .text(Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return }
        // Characters outside ASCII are inside strings, where they may be escaped.
        let line = String(decoding: data, as: UTF8.self).unicodeScalars.map { scalar in
            if scalar.value < 0x7F { return String(Character(scalar)) }
            return String(Character(scalar)).utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        }
        Self.write(line.joined(), to: STDOUT_FILENO)
    }

    /// One writer at a time: the window's thread and those of the connections.
    private static let writing = Mutex(())
    /// The longest line: JSON with every character of a goodbye escaped is shorter.
    private static let longestLine = 16_000

    fileprivate static func write(_ line: String, to descriptor: CInt) {
        writing.withLock { _ in
            var rest = Array((String(printable: line, limit: longestLine) + "\n").utf8)[...]
            while !rest.isEmpty {
                // The pointer and the count are of the same buffer.
                let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
                // The output has no reader any more, or the disk is
                // full: the window stays nevertheless.
                if count < 0, errno != EINTR { return }
                rest = rest.dropFirst(max(0, count))
            }
        }
    }
}

/// Prints an error on standard error, for the files that are shared with the other examples.
func printError(_ words: String) { Output.write("Error: \(words)", to: STDERR_FILENO) }

/// Says that the window closes, and how it closes at once.
///
/// - Parameter signal: SIGINT, which the user may repeat by hand, or SIGTERM.
func announceStop(by signal: CInt) {
    if signal == SIGINT { Output.write("stopping; once more to quit now", to: STDERR_FILENO) }
}

/// A value of a line.
private enum JSON: Encodable {
    case null, text(String), number(Double), object([String: JSON])

    static func of(_ text: String?) -> JSON { text.map { .text($0) } ?? .null }

    static func of(_ times: DurationHistogram) -> JSON {
        guard let summary = times.summary else { return .null }
        return .object([
            "p50": .number(milliseconds(summary.p50)), "p95": .number(milliseconds(summary.p95)),
            "p99": .number(milliseconds(summary.p99)), "max": .number(milliseconds(summary.max)),
        ])
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .text(let text): try value.encode(text)
        // Counts are printed as whole numbers.
        case .number(let number):
            if let count = Int(exactly: number) { try value.encode(count) } else { try value.encode(number) }
        case .object(let members): try value.encode(members)
        }
    }
}
