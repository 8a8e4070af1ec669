import Foundation
import Glibc

/// The other end of a connection, by plain blocking socket calls that share nothing with the code
/// under test. A read that waits longer than its patience fails the test instead of hanging it.
package final class RawPeer: Sendable {
    package let socket: CInt

    /// - Parameter patience: In seconds, for each read and write.
    package init(socket: CInt, patience: Int = 20) {
        self.socket = socket
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Connects to a port of this machine.
    ///
    /// - Parameters:
    ///   - host: A numeric IPv4 address.
    ///   - source: The address to connect from; nil = the system chooses it.
    package convenience init(
        host: String = "127.0.0.1", port: Int, from source: String? = nil, patience: Int = 20
    ) throws {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.init(socket: socket, patience: patience)
        if let source {
            guard unsafe Self.withAddress(source, 0, { unsafe bind(socket, $0, $1) }) == 0 else {
                throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
            }
        }
        guard connect(to: port, of: host) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }

    /// Calls connect(2) with a port of a numeric address, and returns its result.
    fileprivate func connect(to port: Int, of host: String = "127.0.0.1") -> CInt {
        unsafe Self.withAddress(host, port) { unsafe Glibc.connect(socket, $0, $1) }
    }

    /// Calls `body` with a numeric address; -1 if it is none.
    private static func withAddress(
        _ host: String, _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        guard unsafe inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return -1 }
        return unsafe withUnsafePointer(to: &address) {
            unsafe body(
                UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self),
                socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }

    deinit { Glibc.close(socket) }

    /// Sends all bytes, in one call if the kernel takes them. A peer that is gone is no error here.
    package func send(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
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

    package func send(_ text: String) { send(Array(text.utf8)) }

    /// One recv of at most `limit` bytes; empty = the end, or nothing in time.
    package func receiveOnce(_ limit: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
        return Array(bytes.prefix(max(0, count)))
    }

    /// Exactly `count` bytes, fewer only at the end.
    package func receive(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = receiveOnce(count - bytes.count)
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }

    package func receiveText(_ count: Int) -> String { String(decoding: receive(count), as: UTF8.self) }

    /// Reads to the end; false if it did not arrive in time.
    package func waitForEnd() -> Bool {
        while true {
            var byte: UInt8 = 0
            let count = unsafe recv(socket, &byte, 1, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { return true }
            if count < 0 { return false }
        }
    }

    /// Sends the bytes one by one, each after a tenth of a second without an answer. Returns
    /// whether the peer cut it off before the end.
    package func trickle(_ bytes: [UInt8]) -> Bool {
        for byte in bytes {
            send([byte])
            var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            if unsafe poll(&waiting, 1, 100) > 0 { return waitForEnd() }
        }
        return false
    }

    package func receiveToEnd() -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let more = receiveOnce(65_536)
            if more.isEmpty { return bytes }
            bytes += more
        }
    }

    package func shutdownWriting() { _ = shutdown(socket, CInt(SHUT_WR)) }

    /// Resets the connection, as the end of a killed process with unread data does.
    package func kill() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        _ = dup2(Self.closed.socket, socket)
    }

    /// An unconnected socket, which replaces the descriptor of a killed one.
    private static let closed = RawPeer(socket: Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0))
}

/// A listening socket for RawPeers on 127.0.0.1.
package final class RawListener: Sendable {
    package let socket: CInt
    package let port: Int

    /// - Parameter port: 0 = one that the system chooses.
    package init(port wanted: Int = 0) throws {
        socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var one: CInt = 1
        unsafe setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(wanted).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // For accept(2).
        var limit = timeval(tv_sec: 120, tv_usec: 0)
        unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let raw = socket
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            let general = unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            return unsafe bind(raw, general, length) + listen(raw, 8) + getsockname(raw, general, &length)
        }
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { Glibc.close(socket) }

    /// The next connection; one without a socket where none comes within two minutes.
    package func accept() -> RawPeer { RawPeer(socket: Glibc.accept(socket, nil, nil)) }
}

extension RawPeer {
    /// Begins to connect to a port of 127.0.0.1, and waits so long for the answer.
    package static func connecting(
        to port: Int, waitingFor patience: Duration
    ) -> (peer: RawPeer, isConnected: Bool) {
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let peer = RawPeer(socket: Glibc.socket(AF_INET, type, 0))
        if peer.connect(to: port) == 0 { return (peer, true) }
        var waiting = pollfd(fd: peer.socket, events: Int16(POLLOUT), revents: 0)
        let milliseconds = CInt(patience / .milliseconds(1))
        return (peer, unsafe poll(&waiting, 1, milliseconds) > 0)
    }
}
