import ArgumentParser
import FrameStreaming
import FrameStreamingPreview
import Glibc
import Synchronization

/// A process that shows a picture again and again, as a receiver with a
/// preview does, without the receiving.
struct PreviewShow: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
    @Option var jpeg: String
    @Option var viewers: Int
    @Option var seconds: Double
    @Option var fps = 30.0

    func run() throws {
        let picture = try pictureOfFile(jpeg)
        var options = PreviewOptions()
        options.maximumViewers = max(viewers, 1)
        let server = try PreviewServer(on: "0", codec: JPEGCodec(), options: options)
        let stream = server.stream(named: "picture")
        printFigures(["port": Double(server.port)])
        let clock = SystemClock()
        /// Shows pictures at the rate. Returns how many.
        func show(seconds: Double) -> Int {
            let start = MonotonicTime.now
            var shown = 0
            while Double(shown) / fps < seconds {
                clock.sleep(until: start.advanced(by: .nanoseconds(Int64(Double(shown) / fps * 1e9))))
                stream.show(picture, localCaptureTime: .now, skipped: 0, clockError: .zero)
                shown += 1
            }
            return shown
        }
        // What the process does by itself, which is to be awake 30 times a second: in a
        // receiver that is receiving's affair.
        let alone = OwnUsage()
        let before = viewers == 0 ? 1 : show(seconds: seconds / 2)
        let aloneSeconds = (alone.figures["cpuSeconds"] ?? .nan) / Double(before)
        printFigures(["ready": 1])
        while stream.viewers < viewers { clock.sleep(until: .now.advanced(by: .milliseconds(5))) }
        let usage = OwnUsage()
        var shown = 0
        if viewers == 0 {
            // As fast as it goes: one is too little to be measured.
            for _ in 0..<200_000 {
                stream.show(picture, localCaptureTime: .now, skipped: 0, clockError: .zero)
                shown += 1
            }
        } else {
            shown = show(seconds: seconds)
        }
        var figures = usage.figures
        figures["shown"] = Double(shown)
        figures["cpuSecondsAlone"] = viewers == 0 ? 0 : aloneSeconds * Double(shown)
        printFigures(figures)
        server.close()
    }
}

/// Viewers in a process of their own, a thread each: pages at the WebSocket that acknowledge
/// each picture, or readers of `.mjpg`.
struct PreviewWatch: ParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)
    @Option var port: Int
    @Option var viewers: Int
    @Flag var multipart = false

    func run() throws {
        let pictures = Atomic(0)
        var threads: [pthread_t] = []
        let (port, multipart) = (port, multipart)
        for _ in 0..<viewers {
            threads.append(
                try startThread {
                    guard let viewer = RawViewer(port: port) else { return }
                    let count = multipart ? viewer.readParts() : viewer.watch()
                    pictures.add(count, ordering: .relaxed)
                })
        }
        for thread in threads { pthread_join(thread, nil) }
        printFigures(["pictures": Double(pictures.load(ordering: .relaxed))])
    }
}

/// The simplest viewer: it reads pictures and acknowledges them.
private final class RawViewer {
    private let socket: CInt
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)
    private var begin = 0
    private var end = 0

    init?(port: Int) {
        socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let raw = socket
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { return nil }
        var on: CInt = 1
        setsockopt(socket, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
    }

    deinit { close(socket) }

    private func send(_ bytes: [UInt8]) { _ = Glibc.send(socket, bytes, bytes.count, CInt(MSG_NOSIGNAL)) }

    /// False: the server has ended.
    private func fill() -> Bool {
        if begin > 0 {
            buffer.withUnsafeMutableBytes { bytes in
                bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[begin..<end]))
            }
            (begin, end) = (0, end - begin)
        }
        let free = buffer.count - end
        let count = buffer.withUnsafeMutableBytes { recv(socket, $0.baseAddress.map { $0 + end }, free, 0) }
        guard count > 0 else { return false }
        end += count
        return true
    }

    private func has(_ count: Int) -> Bool {
        while end - begin < count { guard fill() else { return false } }
        return true
    }

    /// A line without its end; nil at the server's end.
    private func line() -> String? {
        var looked = 0
        while true {
            if let index = buffer[(begin + looked)..<end].firstIndex(of: 10) {
                defer { begin = index + 1 }
                return String(decoding: buffer[begin..<index], as: UTF8.self).trimmingSuffix("\r")
            }
            looked = end - begin
            guard fill() else { return nil }
        }
    }

    private func skipHead() { while let line = line(), !line.isEmpty {} }

    /// Reads parts until the server ends. Returns how many.
    func readParts() -> Int {
        send(Array("GET /streams/picture.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        skipHead()
        var count = 0
        var length = 0
        while let line = line() {
            if line.hasPrefix("Content-Length: ") { length = Int(line.dropFirst(16)) ?? 0 }
            guard line.isEmpty, length > 0 else { continue }
            guard has(length) else { break }
            begin += length
            length = 0
            count += 1
        }
        return count
    }

    /// Takes pictures until the server ends, and acknowledges each. Returns how many.
    func watch() -> Int {
        let head = [
            "GET /api/live HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
        ]
        send(Array(head.joined(separator: "\r\n").utf8))
        skipHead()
        let watch = Array(#"{"type":"watch","streams":["picture"]}"#.utf8)
        send([0x81, 0x80 | UInt8(watch.count), 0, 0, 0, 0] + watch)
        var count = 0
        while has(2) {
            let opcode = buffer[begin] & 0x0F
            let short = Int(buffer[begin + 1] & 0x7F)
            let digits = short == 127 ? 8 : short == 126 ? 2 : 0
            guard has(2 + digits) else { break }
            let length =
                digits == 0 ? short : buffer[(begin + 2)..<(begin + 2 + digits)].reduce(0) { $0 << 8 | Int($1) }
            guard has(2 + digits + length) else { break }
            let start = begin + 2 + digits
            begin = start + length
            guard opcode == 2 else { continue }
            count += 1
            // The number of the picture, from where the server's own order of the members has it.
            let header = String(decoding: buffer[(start + 4)..<(start + 4 + 200)], as: UTF8.self)
            guard let found = header.firstRange(of: "\"sequence\":") else { continue }
            let sequence = UInt64(header[found.upperBound...].prefix { $0.isNumber }) ?? 0
            let number = (0..<8).map { UInt8(truncatingIfNeeded: sequence >> (8 * (7 - $0))) }
            send([0x82, 0x80 | UInt8(8 + 7), 0, 0, 0, 0] + number + Array("picture".utf8))
        }
        return count
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: Character) -> String {
        last == suffix ? String(dropLast()) : self
    }
}

/// How many bytes a picture's file has.
func byteCountOfFile(_ path: String) throws -> Int { try pictureOfFile(path).byteCount }
