import Foundation
import FrameStreamingSystem
import RawSockets
import TestThreads

/// A camera on the network: it answers each connection as the test says, one after another.
final class CameraServer: Sendable {
    private struct State {
        var connections = 0
        var isStopped = false
    }

    let port: Int
    private let state = Monitor(State())
    private let listener: RawListener

    /// - Parameter answer: What the connection with this number does, from 0 on; it is closed behind it.
    init(_ answer: @escaping @Sendable (RawPeer, Int) -> Void) throws {
        let listener = try RawListener()
        self.listener = listener
        port = listener.port
        let state = state
        _ = try SystemThread(name: "camera") {
            while true {
                let peer = listener.accept()
                let number: Int? = state.update { state in
                    if state.isStopped { return nil }
                    state.connections += 1
                    return state.connections - 1
                }
                guard let number, peer.socket >= 0 else { return }
                answer(peer, number)
            }
        }
    }

    deinit {
        state.update { $0.isStopped = true }
        // Wakes the thread.
        _ = try? RawPeer(port: port)
    }

    /// How often somebody has connected.
    var connections: Int { state.withLock { $0.connections } }
}

extension RawPeer {
    /// Reads a request up to its empty line; empty at the end.
    func request() -> String {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]) {
            let next = receive(1)
            if next.isEmpty { return "" }
            bytes += next
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Begins to answer as a camera with a multipart of JPEGs does.
    func beginMultipart() {
        _ = request()
        send("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=picture\r\n\r\n")
    }

    func sendPart(_ jpeg: [UInt8]) {
        send("--picture\r\nContent-Type: image/jpeg\r\nContent-Length: \(jpeg.count)\r\n\r\n")
        send(jpeg)
        send("\r\n")
    }
}
