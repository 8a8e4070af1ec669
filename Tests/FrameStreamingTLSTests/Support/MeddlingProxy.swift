import FrameStreamingSystem
import Glibc
import RawSockets

/// Somebody on the way: relays one connection, and changes its bytes.
final class MeddlingProxy: Sendable {
    enum Direction: Sendable, CaseIterable { case toListener, toConnector }

    private let listener: RawListener
    private let passed = Monitor((toListener: 0, toConnector: 0))
    var port: Int { listener.port }
    /// How many bytes have gone each way.
    var counts: (toListener: Int, toConnector: Int) { passed.withLock { $0 } }

    /// - Parameters:
    ///   - direction: The direction that is meddled with. The other passes unchanged.
    ///   - meddle: Gets the offset of the bytes in that direction and the bytes. Returns what is
    ///     passed on; if that is nil, or fewer than it got, the connection is cut behind it.
    init(
        to target: Int, _ direction: Direction = .toListener,
        meddle: @escaping @Sendable (Int, [UInt8]) -> [UInt8]? = { _, bytes in bytes }
    ) throws {
        listener = try RawListener()
        _ = try SystemThread(name: "proxy") { [listener, passed] in
            let connector = listener.accept()
            guard connector.socket >= 0, let accepted = try? RawPeer(port: target) else { return }
            _ = try? SystemThread(name: "proxy-up") {
                Self.relay(from: connector, to: accepted, direction == .toListener ? meddle : nil) { count in
                    passed.update { $0.toListener += count }
                }
            }
            Self.relay(from: accepted, to: connector, direction == .toConnector ? meddle : nil) { count in
                passed.update { $0.toConnector += count }
            }
        }
    }

    private static func relay(
        from: RawPeer, to: RawPeer, _ meddle: (@Sendable (Int, [UInt8]) -> [UInt8]?)?, _ note: (Int) -> Void
    ) {
        var offset = 0
        var isCut = false
        while true {
            let bytes = from.receiveOnce(65_536)
            if bytes.isEmpty { break }
            guard let result = meddle.map({ $0(offset, bytes) }) ?? bytes else {
                isCut = true
                break
            }
            offset += bytes.count
            note(result.count)
            to.send(result)
            if result.count < bytes.count {
                isCut = true
                break
            }
        }
        // A cut is one of both directions.
        if isCut { for peer in [from, to] { _ = shutdown(peer.socket, CInt(SHUT_RDWR)) } }
        to.shutdownWriting()
    }
}
