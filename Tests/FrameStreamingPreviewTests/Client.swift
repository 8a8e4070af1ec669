import Foundation
import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTCP
import FrameStreamingTLS
import Glibc
import RawSockets

/// A connection to a server on this machine that sends and receives exactly the bytes of a test,
/// without a client library.
final class Client {
    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private let peer: RawPeer
    private var buffered: [UInt8] = []
    private var hasEnded = false

    /// Nil for a plain connection.
    private let secured: (any SecuredStream)?
    private let limit = Deadline.after(.seconds(60))

    /// - Parameters:
    ///   - receiveBuffer: The approximate size of the kernel's receive buffer.
    ///   - security: Encrypts the connection.
    init(port: Int, receiveBuffer: CInt? = nil, security: TLSSecurity? = nil) throws {
        peer = try RawPeer(port: port, patience: 60)
        if var size = receiveBuffer {
            // The value and its length are a local's, which lives through the call.
            unsafe setsockopt(peer.socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        }
        secured = try security?.begin(
            Descriptor(peer.socket, owned: false), host: "localhost", address: "localhost:\(port)")
        while let step = try secured?.continueHandshake(), step != .complete {
            try wait(for: step == .wantsInput ? PollEvents.input : PollEvents.output)
        }
    }

    private func wait(for events: Int16) throws {
        guard
            case .ready = try FrameStreamingSystem.wait(
                for: events, on: peer.socket, until: limit.nanoseconds, wakeUp: nil)
        else { throw Failure("the server is silent") }
    }

    func send(_ bytes: [UInt8]) {
        guard let secured else { return peer.send(bytes) }
        var done = 0
        do {
            while done < bytes.count {
                // The bytes of UInt8 are initialised.
                if let count = try secured.send(unsafe bytes.span.bytes.extracting(droppingFirst: done)) {
                    done += count
                } else {
                    try wait(for: PollEvents.output)
                }
            }
            while try !secured.flush() { try wait(for: PollEvents.output) }
        } catch {
            hasEnded = true
        }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func endWriting() { peer.shutdownWriting() }

    /// A request as a browser on this machine sends it.
    func request(
        _ target: String, method: String = "GET", host: String = "127.0.0.1", _ headers: [String] = []
    ) {
        send(
            (["\(method) \(target) HTTP/1.1", "Host: \(host)"] + headers + ["", ""]).joined(separator: "\r\n"))
    }

    /// Reads more; false: the server has ended, or sends nothing any more.
    private func fill() -> Bool {
        if hasEnded { return false }
        let more = receiveOnce()
        hasEnded = more.isEmpty
        buffered += more
        return !hasEnded
    }

    private func receiveOnce() -> [UInt8] {
        guard let secured else { return peer.receiveOnce(65_536) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        do {
            while true {
                var span = bytes.mutableSpan
                var room = unsafe span.mutableBytes
                if let count = try secured.receive(into: &room, at: 0) { return Array(bytes[..<count]) }
                try wait(for: PollEvents.input)
            }
        } catch {
            return []
        }
    }

    func take(_ count: Int) throws -> [UInt8] {
        while buffered.count < count {
            guard fill() else { throw Failure("ended, or silent, with \(buffered.count) of \(count) bytes") }
        }
        defer { buffered.removeFirst(count) }
        return Array(buffered.prefix(count))
    }

    /// A line without its end.
    func line() throws -> String {
        while true {
            if let end = buffered.firstIndex(of: 10) {
                let line = buffered[..<end]
                guard line.last == 13 else { throw Failure("a line ends with CR LF") }
                let text = String(decoding: line.dropLast(), as: UTF8.self)
                buffered.removeFirst(end + 1)
                return text
            }
            guard fill() else {
                throw Failure(
                    "ended, or silent, within a line: \(String(decoding: buffered.prefix(500), as: UTF8.self))")
            }
        }
    }

    /// Everything until the server ends.
    func rest() throws -> [UInt8] {
        while fill() {}
        defer { buffered = [] }
        return buffered
    }

    // MARK: HTTP

    struct Head {
        let status: Int
        /// Names in lower case.
        let fields: [String: String]
        subscript(name: String) -> String? { fields[name] }
    }

    struct Answer {
        let head: Head
        let body: [UInt8]
        var status: Int { head.status }
        var text: String { String(decoding: body, as: UTF8.self) }
        subscript(name: String) -> String? { head[name] }
    }

    /// Reads fields until an empty line.
    func fields() throws -> [String: String] {
        var fields: [String: String] = [:]
        while case let line = try line(), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { throw Failure("no field: \(line)") }
            fields[line[..<colon].lowercased()] = line[colon...].dropFirst().trimmingCharacters(in: .whitespaces)
        }
        return fields
    }

    func head() throws -> Head {
        let status = try line().split(separator: " ")
        guard status.count >= 2, status[0] == "HTTP/1.1", let code = Int(status[1]) else {
            throw Failure("no status line: \(status)")
        }
        return Head(status: code, fields: try fields())
    }

    func answer(hasBody: Bool = true) throws -> Answer {
        let head = try head()
        guard hasBody, head.status != 304 else { return Answer(head: head, body: []) }
        guard let length = head["content-length"].flatMap({ Int($0) }) else { throw Failure("no length: \(head)") }
        return Answer(head: head, body: try take(length))
    }

    /// Reads the next part of a multipart stream, whose delimiter was read: its fields, its bytes,
    /// and the delimiter behind it.
    func part(boundary: String) throws -> (fields: [String: String], bytes: [UInt8]) {
        let fields = try fields()
        guard let length = fields["content-length"].flatMap({ Int($0) }) else { throw Failure("no length: \(fields)") }
        let bytes = try take(length)
        guard try line() == "", try line() == "--\(boundary)" else { throw Failure("no delimiter behind a part") }
        return (fields, bytes)
    }

    // MARK: WebSocket

    static let upgrade = [
        "Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]

    struct Message {
        let opcode: UInt8
        let payload: [UInt8]

        func json() throws -> [String: Any] {
            guard let object = try JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any] else {
                throw Failure("no object: \(String(decoding: payload, as: UTF8.self))")
            }
            return object
        }

        /// Of a binary message.
        func picture() throws -> (header: [String: Any], jpeg: [UInt8]) {
            guard opcode == 2, payload.count >= 4 else { throw Failure("no picture: opcode \(opcode)") }
            let count = payload.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            let header = Data(payload.dropFirst(4).prefix(count))
            guard let object = try JSONSerialization.jsonObject(with: header) as? [String: Any] else {
                throw Failure("no header")
            }
            return (object, Array(payload.dropFirst(4 + count)))
        }

        /// Of a CLOSE.
        var closeCode: Int? { opcode == 8 && payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil }
    }

    func message() throws -> Message {
        let start = try take(2)
        guard start[0] & 0x80 != 0, start[1] & 0x80 == 0 else { throw Failure("a server's frame is whole and plain") }
        var length = Int(start[1])
        if length == 126 { length = try take(2).reduce(0) { $0 << 8 | Int($1) } }
        if length == 127 { length = try take(8).reduce(0) { $0 << 8 | Int($1) } }
        return Message(opcode: start[0] & 0x0F, payload: try take(length))
    }

    /// The next message that is not a list of streams.
    func pictureOrEnd() throws -> Message {
        while true {
            let message = try message()
            if message.opcode != 1 { return message }
        }
    }

    /// The next list of streams that satisfies a condition.
    func listing(where fits: ([[String: Any]]) -> Bool) throws -> [[String: Any]] {
        while true {
            let message = try message()
            guard message.opcode == 1 else { continue }
            let streams = try message.json()["streams"] as? [[String: Any]] ?? []
            if fits(streams) { return streams }
        }
    }

    func send(_ opcode: UInt8, _ payload: [UInt8], isLast: Bool = true) {
        let mask: [UInt8] = [1, 2, 3, 4]
        var bytes: [UInt8] = [(isLast ? 0x80 : 0) | opcode]
        if payload.count < 126 {
            bytes.append(0x80 | UInt8(payload.count))
        } else {
            bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        }
        send(bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] })
    }

    func send(json: String) { send(1, Array(json.utf8)) }

    func watch(_ names: String...) {
        let list = names.map { "\"\($0)\"" }.joined(separator: ",")
        send(json: "{\"type\":\"watch\",\"streams\":[\(list)]}")
    }

    func acknowledge(_ header: [String: Any]) throws {
        guard let name = header["stream"] as? String, let sequence = header["sequence"] as? Int else {
            throw Failure("no name and sequence: \(header)")
        }
        acknowledge(name, sequence)
    }

    func acknowledge(_ name: String, _ sequence: Int) {
        let number = (0..<8).map { UInt8(truncatingIfNeeded: sequence >> (8 * (7 - $0))) }
        send(2, number + Array(name.utf8))
    }
}
