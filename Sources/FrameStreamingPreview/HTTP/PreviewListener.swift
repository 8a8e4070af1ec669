internal import FlyingFox
internal import FlyingSocks
internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import Glibc

/// FlyingFox's server, which is asynchronous, as something that a synchronous program starts and stops.
final class PreviewListener: Sendable {
    private struct State {
        var server: HTTPServer?
        var port: UInt16?
        var failure: (any Error)?
        var isClosed = false
        var task: Task<Void, Never>?
    }

    private let state = Monitor(State())
    /// The one that it listens on.
    let port: Int

    /// How long it may take to begin: a machine that is very busy.
    private static let patience = Duration.seconds(20)

    /// Returns when it listens.
    init(_ endpoint: ListeningEndpoint, _ routes: Routes) throws(FrameStreamingError) {
        let state = state
        let task = Task.detached { await Self.run(endpoint, routes, state) }
        state.withLock { $0.task = task }
        let limit = Deadline.after(Self.patience)
        let outcome: Result<UInt16, any Error>? = state.wait(until: limit.nanoseconds) { state in
            if let port = state.port { return .success(port) }
            return state.failure.map { .failure($0) }
        }
        switch outcome {
        case .success(let port): self.port = Int(port)
        case .failure(let error): throw Self.explain(error, endpoint)
        case nil:
            task.cancel()
            throw .timedOut("the preview's server to begin")
        }
    }

    /// Listens until it is closed. What ends a server that had begun, such as descriptors that ran out, passes: it begins again.
    private static func run(_ endpoint: ListeningEndpoint, _ routes: Routes, _ state: Monitor<State>) async {
        while true {
            do {
                let port = state.withLock { $0.port } ?? endpoint.port
                let server = try server(endpoint, port: port, routes)
                state.withLock { $0.server = server }
                async let begun: Void = begin(server, state)
                do {
                    try await server.run()
                } catch {
                    // Before it began: there is nothing more to wait for.
                    state.update { if $0.port == nil { $0.failure = error } }
                }
                _ = await begun
            } catch {
                state.update { if $0.port == nil { $0.failure = error } }
            }
            let isDone = state.withLock { $0.isClosed || $0.port == nil }
            if isDone || Task.isCancelled { return }
            try? await Task.sleep(for: .seconds(1))
            if state.withLock({ $0.isClosed }) { return }
        }
    }

    private static func begin(_ server: HTTPServer, _ state: Monitor<State>) async {
        // It throws when the server ends without having begun, which is said by its end.
        guard (try? await server.waitUntilListening()) != nil else { return }
        switch await server.listeningAddress {
        case .ip4(_, let port), .ip6(_, let port): state.update { $0.port = port }
        default: break
        }
        // Closed meanwhile.
        if state.withLock({ $0.isClosed }) { await server.stop() }
    }

    private static func server(
        _ endpoint: ListeningEndpoint, port: UInt16, _ routes: Routes
    ) throws -> HTTPServer {
        let pool = PreviewSocketPool()
        let configuration =
            if endpoint.isIPv6 {
                HTTPServer.Configuration(
                    address: try sockaddr_in6.inet6(ip6: endpoint.host, port: port), pool: pool, logger: .disabled)
            } else {
                HTTPServer.Configuration(
                    address: try sockaddr_in.inet(ip4: endpoint.host, port: port), pool: pool, logger: .disabled)
            }
        return HTTPServer(config: configuration, handler: routes)
    }

    private static func explain(_ error: any Error, _ endpoint: ListeningEndpoint) -> FrameStreamingError {
        let subject = endpoint.isIPv6 ? "[\(endpoint.host)]:\(endpoint.port)" : "\(endpoint.host):\(endpoint.port)"
        guard case SocketError.failed(let type, let code, let message) = error else {
            return FrameStreamingError(.system, "the preview's server did not begin: \(error)", subject: subject)
        }
        let remedy: String? =
            switch code {
            case Errno.addressInUse: "another program listens there: choose another port, or 0 for a free one"
            case Errno.access: "ports below 1024 are the superuser's: choose a higher one"
            case Errno.addressNotAvailable: "this machine does not have the address: name one of its own"
            default: message
            }
        return FrameStreamingError(SystemError(type, code: code), subject: subject, remedy: remedy)
    }

    /// Stops listening. Returns when the port is free, within a few seconds.
    func close() {
        let (server, task) = state.withLock { state in
            state.isClosed = true
            return (state.server.take(), state.task.take())
        }
        guard let task else { return }
        let done = Monitor(false)
        Task.detached {
            await server?.stop()
            task.cancel()
            await task.value
            done.update { $0 = true }
        }
        let _: Bool? = done.wait(until: Deadline.after(.seconds(5)).nanoseconds) { $0 ? true : nil }
    }
}
