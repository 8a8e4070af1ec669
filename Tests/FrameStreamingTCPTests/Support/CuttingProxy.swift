import FrameStreamingCore
import FrameStreamingSystem
import Glibc
import RawSockets

@testable import FrameStreamingTCP

/// Relays between two ends and cuts connections after a number of bytes: the first connection after
/// the first limit, and so on. Connections without a limit pass.
final class CuttingProxy: Sendable {
    enum Direction: Sendable, CaseIterable { case toServer, toClient }

    private struct State {
        var limits: [Int]
        var connections = 0
        var sockets: [RawPeer] = []
        var isClosed = false
    }

    private let listener: RawListener
    private let target: Int
    private let direction: Direction
    private let state: Monitor<State>
    var port: Int { listener.port }

    /// - Parameters:
    ///   - limits: Bytes that a connection carries in `direction` before it
    ///     is cut, connection by connection.
    init(to target: Int, cuttingAfter limits: [Int], _ direction: Direction) throws {
        listener = try RawListener()
        self.target = target
        self.direction = direction
        state = Monitor(State(limits: limits))
        _ = try SystemThread(name: "proxy") { self.run() }
    }

    /// Connections so far.
    var connections: Int { state.withLock { $0.connections } }

    /// Waits until there were so many.
    func waitForConnections(_ count: Int) {
        let _: Bool? = state.wait(until: soon().nanoseconds) { $0.connections >= count ? true : nil }
    }

    func close() {
        let sockets = state.update { state in
            state.isClosed = true
            return state.sockets
        }
        _ = shutdown(listener.socket, CInt(SHUT_RDWR))
        for socket in sockets { _ = shutdown(socket.socket, CInt(SHUT_RDWR)) }
    }

    private func run() {
        while true {
            let client = listener.accept()
            guard client.socket >= 0, let server = try? RawPeer(port: target) else { return }
            for peer in [client, server] {
                var one: CInt = 1
                unsafe setsockopt(
                    peer.socket, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
            }
            let limit: Int? = state.update { state in
                state.connections += 1
                state.sockets += [client, server]
                return state.limits.isEmpty ? nil : state.limits.removeFirst()
            }
            do {
                _ = try SystemThread(name: "proxy-up") {
                    self.forward(from: client, to: server, self.direction == .toServer ? limit : nil)
                }
                _ = try SystemThread(name: "proxy-down") {
                    self.forward(from: server, to: client, self.direction == .toClient ? limit : nil)
                }
            } catch {
                return
            }
        }
    }

    private func forward(from: RawPeer, to: RawPeer, _ limit: Int?) {
        var left = limit ?? .max
        while left > 0 {
            let bytes = from.receiveOnce(min(left, 65_536))
            if bytes.isEmpty { break }
            to.send(bytes)
            left -= bytes.count
        }
        if left == 0 {
            // A cut: both ends see their connection end in the middle.
            for peer in [from, to] { _ = shutdown(peer.socket, CInt(SHUT_RDWR)) }
        } else {
            to.shutdownWriting()
        }
    }
}
