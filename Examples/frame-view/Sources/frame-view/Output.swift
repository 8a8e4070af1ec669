internal import FoundationEssentials
internal import FrameStreaming
internal import Glibc
internal import Synchronization

/// What is printed: lines for people, or an object a line for programs, with the keys that `frame-receive` has.
struct Output: Sendable {
    let json: Bool

    func listening(address: String, port: Int) {
        if json {
            object(["event": .text("listening"), "port": .number(Double(port))])
        } else {
            line("listening on \(address)")
        }
    }

    /// Nobody is there to connect to.
    func waiting(_ address: String, _ reason: String) {
        complain("waiting for \(address): \(reason)")
        if json { object(["event": .text("waiting"), "address": .text(address), "reason": .text(reason)]) }
    }

    func connected(_ peer: Peer) {
        guard json else { return line("\(StreamStatus.name(of: peer)) connected (\(peer.handshake) handshake)") }
        object([
            "event": .text("connected"), "peer": .text(peer.address), "stream": .of(peer.stream),
            "handshake": .text(peer.handshake.description),
        ])
    }

    func source(lost reason: String?) {
        if let reason {
            complain("the sender's source is lost: \(reason)")
        } else if !json {
            line("the sender's source is back")
        }
        if json { object(["event": .text(reason == nil ? "source_restored" : "source_lost"), "reason": .of(reason)]) }
    }

    func snapshot(_ path: String) {
        if json { object(["event": .text("snapshot"), "path": .text(path)]) } else { line("saved \(path)") }
    }

    func summary(_ receiver: FrameReceiver<ViewingCodec>) {
        let (peer, figures) = (receiver.peer, receiver.statistics)
        let end = receiver.end?.description
        guard json else {
            let delay = figures.latency.summary.map { ", delay \(tenths($0.p50)) ms (p99 \(tenths($0.p99)))" } ?? ""
            let reason = peer.goodbye.map { " (\(StreamStatus.printable($0.text)))" } ?? ""
            line(
                "\(StreamStatus.name(of: peer)): \(figures.frames) frames in \(tenths(figures.seconds)) s: \(tenths(figures.framesPerSecond)) fps\(delay), \(figures.skipped.map { "\($0)" } ?? "unknown") dropped, ended: \(end ?? "open")\(reason)"
            )
            return
        }
        object([
            "event": .text("summary"), "scope": .text("connection"), "role": .text("receiver"),
            "peer": .text(peer.address), "stream": .of(peer.stream), "handshake": .text(peer.handshake.description),
            "frames": .number(Double(figures.frames)), "bytes": .number(Double(figures.bytes)),
            "decode_failures": .number(Double(figures.decodeFailures)),
            "skipped": figures.skipped.map { .number(Double($0)) } ?? .null, "seconds": .number(figures.seconds),
            "fps": .number(figures.framesPerSecond), "latency_ms": .of(figures.latency),
            "clock_error_ms": figures.clockError.map { .number($0) } ?? .null,
            "stages_ms": .object([
                "capture": .of(figures.captureTime), "wait": .of(figures.creditWait), "encode": .of(figures.encodeTime),
                "wire": .of(figures.wireTime), "queue": .of(figures.queueTime), "decode": .of(figures.decodeTime),
                "consume": .of(figures.consumeTime),
            ]), "end": .of(end), "goodbye": .of(peer.goodbye?.text),
            "goodbye_code": .of(peer.goodbye?.code.description),
        ])
    }

    /// A line on standard error.
    func complain(_ words: String) { Self.write("\(StreamStatus.printable(words))\n", to: STDERR_FILENO) }

    private func line(_ words: String) { Self.write("\(words)\n", to: STDOUT_FILENO) }

    private func object(_ value: [String: JSON]) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return }
        line(String(decoding: data, as: UTF8.self))
    }

    /// One writer at a time: the window's thread and those of the connections.
    private static let writing = Mutex(())

    private static func write(_ text: String, to descriptor: CInt) {
        writing.withLock { _ in
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                // The pointer and the count are of one and the same buffer.
                let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
                // Nobody reads any more, or the disk is full: the window stays all the same.
                if count < 0, errno != EINTR { return }
                rest = rest.dropFirst(max(0, count))
            }
        }
    }
}

/// A value of a line.
private enum JSON: Encodable {
    case null, text(String), number(Double), object([String: JSON])

    static func of(_ text: String?) -> JSON { text.map { .text($0) } ?? .null }

    static func of(_ times: DurationHistogram) -> JSON {
        guard let summary = times.summary else { return .null }
        return .object([
            "p50": .number(summary.p50), "p95": .number(summary.p95), "p99": .number(summary.p99),
            "max": .number(summary.max),
        ])
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .text(let text): try value.encode(text)
        // Counts as whole numbers.
        case .number(let number):
            if let count = Int(exactly: number) { try value.encode(count) } else { try value.encode(number) }
        case .object(let members): try value.encode(members)
        }
    }
}
