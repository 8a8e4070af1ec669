import FrameStreamingSystem
import Glibc

/// A connection to a port of this machine, by plain socket calls. A read that waits longer than a minute gives up.
final class RawClient: Sendable {
    private let socket: CInt

    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let raw = socket
        let code = unsafe withUnsafePointer(to: &address) {
            unsafe connect(
                raw, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self),
                socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        guard code == 0 else { throw Surprise("no connection to \(port): errno \(errno)") }
    }

    deinit { close(socket) }

    /// Sends all of it, or as much as a peer that turns away lets go.
    func send(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(
                    socket, $0.baseAddress.map { unsafe $0 + done }, bytes.count - done, CInt(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            done += count
        }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Sends a byte, and the next when the peer has said nothing for a tenth of a second. True: it was cut off before the end.
    func trickle(_ bytes: [UInt8]) -> Bool {
        for byte in bytes {
            send([byte])
            var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            if unsafe poll(&waiting, 1, 100) > 0 { return waitForEnd() }
        }
        return false
    }

    func endWriting() { _ = shutdown(socket, CInt(SHUT_WR)) }

    /// Exactly so many bytes as text, fewer at the end.
    func receiveText(_ count: Int) -> String {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = receive(count - bytes.count)
            if more.isEmpty { break }
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads to the end; false where it did not come within a minute.
    func waitForEnd() -> Bool {
        while true {
            var byte: UInt8 = 0
            let count = unsafe recv(socket, &byte, 1, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { return true }
            if count < 0 { return false }
        }
    }

    private func receive(_ limit: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
        return Array(bytes.prefix(max(0, count)))
    }
}
