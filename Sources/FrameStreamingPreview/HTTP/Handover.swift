internal import FlyingFox
internal import FlyingSocks
internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import Glibc

/// Takes a connection over from FlyingFox once the request has been read and the head of the answer was written: what follows, for hours,
/// is pictures, which its writer would copy twice (a chunk of a body) or grow step by step (a WebSocket's frame).
///
/// FlyingFox offers no such thing. It hands the bytes that a client sends to the handler of a WebSocket, whatever the status of the answer
/// is, and reads them by way of the pool of sockets, which is ours: so asking for the first byte says which socket it is. Nothing can
/// be lost by that, for until the answer was written a client has nothing to say; one that speaks all the same is turned away.
/// The tests of every route that streams fail where a version of FlyingFox does this differently.
struct Handover: WSHandler {
    /// Called on FlyingFox's task when the head of the answer is written, with a descriptor of our own for the connection.
    let begin: @Sendable (Descriptor) -> Void

    func makeFrames(for client: AsyncThrowingStream<WSFrame, any Error>) async throws -> AsyncStream<WSFrame> {
        let found = FoundSocket()
        do {
            try await FoundSocket.$asking.withValue(found) {
                var frames = client.makeAsyncIterator()
                _ = try await frames.next()
            }
        } catch is FoundSocket.Answer {}
        guard let descriptor = found.descriptor else {
            throw FrameStreamingError(.protocolViolation, "the client spoke before it was answered")
        }
        return AsyncStream {
            begin(descriptor)
            return nil
        }
    }
}

/// What a handover asks the pool of sockets for.
final class FoundSocket: Sendable {
    /// Set while a task asks.
    @TaskLocal static var asking: FoundSocket?

    /// What the wait for a client's bytes ends with, at once.
    struct Answer: Error {}

    private let state = Monitor<Descriptor?>(nil)

    var descriptor: Descriptor? { state.withLock { $0 } }

    /// Takes a second descriptor: FlyingFox closes its own as soon as it is through, and the connection stands as long as one is open.
    func take(_ socket: CInt) throws {
        let raw = try retryingInterrupts("fcntl") { fcntl(socket, F_DUPFD_CLOEXEC, 0) }
        state.withLock { $0 = Descriptor(raw) }
    }
}

/// FlyingFox's pool of sockets, with limits of our own: how long a client may keep it waiting, and how many may at once.
struct PreviewSocketPool: AsyncSocketPool {
    private let base: SocketPool<ePoll> = .ePoll()
    private let waiting = Monitor(0)

    /// Connections that wait for a request, or for the client to read an answer. Beyond, the newest is closed: descriptors that run out would
    /// end the server.
    private static let mostWaiting = 128
    /// How long a connection may be idle between two requests, or a client not read what it asked for.
    private static let patience = Duration.seconds(30)

    func prepare() async throws { try await base.prepare() }
    func run() async throws { try await base.run() }

    func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
        if let asking = FoundSocket.asking {
            try asking.take(socket.file.rawValue)
            throw FoundSocket.Answer()
        }
        // The one that listens waits as long as it takes.
        guard !socket.isListening else { return try await base.suspendSocket(socket, untilReadyFor: events) }
        let isOneTooMany = waiting.withLock { waiting in
            waiting += 1
            return waiting > Self.mostWaiting
        }
        defer { waiting.withLock { $0 -= 1 } }
        if isOneTooMany { throw SocketError.disconnected }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await base.suspendSocket(socket, untilReadyFor: events) }
            group.addTask {
                try await Task.sleep(for: Self.patience)
                throw SocketError.disconnected
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

extension Socket {
    /// Unsafe code: the value and its length are locals that live through the call.
    fileprivate var isListening: Bool {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        let code = unsafe getsockopt(file.rawValue, SOL_SOCKET, SO_ACCEPTCONN, &value, &length)
        return code == 0 && value != 0
    }
}
