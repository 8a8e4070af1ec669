import Foundation
import FrameStreamingSystem
import Glibc

/// A connection to a server of this machine that says and hears exactly what a test wants: no client library between.
///
/// Unsafe code: each call passes the pointer and the length of one and the same memory.
final class Client {
    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    let descriptor: Descriptor
    private var buffered: [UInt8] = []
    private var hasEnded = false

    /// Far more than anything takes on a machine that does nothing else.
    static let patience: Int64 = 60_000_000_000

    /// - Parameter receiveBuffer: How much the kernel keeps for a client that does not read, about.
    init(port: Int, receiveBuffer: CInt? = nil) throws {
        let raw = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard raw >= 0 else { throw Failure("no socket") }
        descriptor = Descriptor(raw)
        if var size = receiveBuffer {
            unsafe setsockopt(raw, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw Failure("not connected to \(port): \(errno)") }
    }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(descriptor.raw, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure("the server takes nothing more: \(errno)") }
            rest = rest.dropFirst(count)
        }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// A request as a browser on this machine sends it.
    func request(
        _ target: String, method: String = "GET", host: String = "127.0.0.1", _ headers: [String] = []
    ) throws {
        try send(
            (["\(method) \(target) HTTP/1.1", "Host: \(host)"] + headers + ["", ""]).joined(separator: "\r\n"))
    }

    /// Reads more. False: the server has ended.
    private func fill() throws -> Bool {
        if hasEnded { return false }
        let limit = monotonicNow() + Self.patience
        guard case .ready = try wait(for: PollEvents.input, on: descriptor.raw, until: limit, wakeUp: nil) else {
            throw Failure("nothing came; so far: \(String(decoding: buffered.prefix(2000), as: UTF8.self))")
        }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(descriptor.raw, $0.baseAddress, $0.count, 0) }
        if count <= 0 {
            hasEnded = true
            return false
        }
        buffered += chunk.prefix(count)
        return true
    }

    func take(_ count: Int) throws -> [UInt8] {
        while buffered.count < count {
            guard try fill() else { throw Failure("ended with \(buffered.count) of \(count) bytes") }
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
            guard try fill() else { throw Failure("ended within a line") }
        }
    }

    /// Everything until the server ends.
    func rest() throws -> [UInt8] {
        while try fill() {}
        defer { buffered = [] }
        return buffered
    }

    /// How many bytes have come, and were not taken: without waiting.
    var waitingBytes: Int {
        var count: CInt = 0
        _ = unsafe ioctl(descriptor.raw, UInt(FIONREAD), &count)
        return Int(count) + buffered.count
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

    /// Fields until an empty line.
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

    /// The next part of a multipart stream, whose delimiter was read: its fields and its bytes, and the delimiter behind it.
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

    /// The next that is no list of streams.
    func pictureOrEnd() throws -> Message {
        while true {
            let message = try message()
            if message.opcode != 1 { return message }
        }
    }

    /// The next list of streams that fits.
    func listing(where fits: ([[String: Any]]) -> Bool) throws -> [[String: Any]] {
        while true {
            let message = try message()
            guard message.opcode == 1 else { continue }
            let streams = try message.json()["streams"] as? [[String: Any]] ?? []
            if fits(streams) { return streams }
        }
    }

    func send(_ opcode: UInt8, _ payload: [UInt8], isLast: Bool = true) throws {
        let mask: [UInt8] = [1, 2, 3, 4]
        var bytes: [UInt8] = [(isLast ? 0x80 : 0) | opcode]
        if payload.count < 126 {
            bytes.append(0x80 | UInt8(payload.count))
        } else {
            bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        }
        try send(bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] })
    }

    func send(json: String) throws { try send(1, Array(json.utf8)) }

    func watch(_ names: String...) throws {
        let list = names.map { "\"\($0)\"" }.joined(separator: ",")
        try send(json: "{\"type\":\"watch\",\"streams\":[\(list)]}")
    }

    func acknowledge(_ header: [String: Any]) throws {
        guard let name = header["stream"] as? String, let sequence = header["sequence"] as? Int else {
            throw Failure("no name and sequence: \(header)")
        }
        try acknowledge(name, sequence)
    }

    func acknowledge(_ name: String, _ sequence: Int) throws {
        let number = (0..<8).map { UInt8(truncatingIfNeeded: sequence >> (8 * (7 - $0))) }
        try send(2, number + Array(name.utf8))
    }
}
