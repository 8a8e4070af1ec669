internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import Glibc

/// Owns the thread that accepts connections, reads requests and sends responses. The thread never
/// waits for one client: it reads what has arrived, and writes what is accepted. ``RequestLimits``
/// bounds the connections and their times.
final class PreviewListener: Sendable {
    private let isClosed = Monitor(false)
    private let wakeUp: WakeUp
    private let thread: SystemThread
    private let stills: Stills

    /// Starts to accept connections.
    ///
    /// - Parameter encryption: Nil for a plain server.
    init(
        _ socket: ListeningSocket, _ routes: Routes, _ encryption: HTTPEncryption?
    ) throws(FrameStreamingError) {
        stills = routes.stills
        let isClosed = isClosed
        do throws(SystemError) {
            let wakeUp = try WakeUp()
            self.wakeUp = wakeUp
            thread = try SystemThread(name: "fs-http") {
                HTTPConnections(socket, routes, encryption, wakeUp).run { isClosed.withLock { $0 } }
            }
        } catch {
            throw FrameStreamingError(
                error, remedy: "the preview's thread cannot be started: free memory and try again")
        }
    }

    /// Stops listening. Returns when the port is free, within a few seconds.
    func close() {
        isClosed.withLock { $0 = true }
        stills.close()
        wakeUp.signal()
        thread.join(until: Deadline.after(.seconds(5)).nanoseconds)
    }
}

/// All connections that are not viewers'. Used by the HTTP thread only.
private final class HTTPConnections {
    private let listening: ListeningSocket
    private let routes: Routes
    private let encryption: HTTPEncryption?
    private let wakeUp: WakeUp
    private var connections: [HTTPConnection] = []
    private var count: UInt64 = 0
    /// Until then no connection is accepted, because no descriptor was left.
    private var acceptsFrom: MonotonicTime?
    private var buffer = [UInt8](repeating: 0, count: 16 << 10)

    /// The largest number of connections accepted in one round, so that the others have their turn.
    private static let mostAccepted = 64
    /// How long no connection is accepted when no descriptor is left.
    private static let pause = Duration.milliseconds(100)
    /// POLLRDHUP: the client has closed its end.
    private static let hungUp = Int16(0x2000)

    init(_ listening: ListeningSocket, _ routes: Routes, _ encryption: HTTPEncryption?, _ wakeUp: WakeUp) {
        self.listening = listening
        self.routes = routes
        self.encryption = encryption
        self.wakeUp = wakeUp
    }

    func run(until isClosed: () -> Bool) {
        var descriptors: [pollfd] = []
        while !isClosed() {
            descriptors.removeAll(keepingCapacity: true)
            descriptors.append(pollfd(fd: wakeUp.descriptor.raw, events: PollEvents.input, revents: 0))
            let listens = acceptsFrom.map { $0 <= .now } ?? true
            descriptors.append(
                pollfd(fd: listens ? listening.descriptor.raw : -1, events: PollEvents.input, revents: 0))
            var deadline = listens ? nil : acceptsFrom
            for connection in connections {
                var events: Int16 = 0
                if connection.wantsToRead { events |= PollEvents.input }
                if connection.wantsToWrite { events |= PollEvents.output }
                if connection.phase == .waiting { events |= Self.hungUp }
                descriptors.append(pollfd(fd: connection.socket.descriptor.raw, events: events, revents: 0))
                if connection.isReady || connection.mayHaveMore { deadline = .now }
                if let its = connection.nextDeadline { deadline = deadline.map { min($0, its) } ?? its }
            }
            // Fails only for lack of memory, which passes.
            _ = try? wait(for: &descriptors, until: deadline?.nanoseconds)
            let now = MonotonicTime.now
            if descriptors[0].revents != 0 { wakeUp.clear() }
            for (connection, found) in zip(connections, descriptors.dropFirst(2)) {
                if found.revents != 0 || connection.mayHaveMore { take(found.revents, connection, at: now) }
                // One request per round and connection, so that the others have their turn.
                if connection.isReady { make(connection.takeRequest(at: now), for: connection) }
                connection.checkDeadline(at: now)
            }
            takeDone(at: now)
            if descriptors[1].revents != 0 { accept(at: now) }
            connections.removeAll { $0.phase == .over }
        }
    }

    private func take(_ events: Int16, _ connection: HTTPConnection, at now: MonotonicTime) {
        if connection.phase == .waiting {
            // In this phase only the end of the connection is watched.
            routes.stills.cancel(connection.number)
            return connection.noteHangUp()
        }
        if events & PollEvents.output != 0 { connection.write(at: now) }
        if events & ~PollEvents.output != 0 || connection.phase == .securing || connection.mayHaveMore {
            if connection.wantsToRead || connection.phase == .securing {
                make(connection.read(into: &buffer, at: now), for: connection)
            } else if events & (PollEvents.error | PollEvents.hangUp | PollEvents.invalid) != 0 {
                connection.end()
            }
        }
    }

    private func make(_ order: Stills.Order?, for connection: HTTPConnection) {
        guard let order else { return }
        let wakeUp = wakeUp
        routes.stills.make(order, for: connection.number) { wakeUp.signal() }
    }

    /// Sends the frames that were encoded.
    private func takeDone(at now: MonotonicTime) {
        for (number, response) in routes.stills.takeDone() {
            guard let connection = connections.first(where: { $0.number == number }), connection.phase == .waiting
            else { continue }
            connection.send(routes.marked(bounded(response)), at: now)
        }
    }

    /// Returns the response, or 503 where slow clients already hold as many bytes of frames as they
    /// may.
    private func bounded(_ response: HTTPResponse) -> HTTPResponse {
        guard case .picture(let frame) = response.body else { return response }
        let held = connections.reduce(0) { $0 + $1.pictureBytes }
        guard held > 0, held + frame.byteCount > RequestLimits.answerBytes else { return response }
        return .sentence(
            .serviceUnavailable, "The server is busy sending large pictures: try again soon.", [("Retry-After", "5")])
    }

    private func accept(at now: MonotonicTime) {
        acceptsFrom = nil
        for _ in 0..<Self.mostAccepted {
            do throws(SystemError) {
                guard let descriptor = try listening.accept() else { return }
                if connections.count >= RequestLimits.connections { makeRoom() }
                count += 1
                let client = PeerHost(ofPeer: descriptor)
                let connection = HTTPConnection(descriptor, number: count, from: client, at: now, encryption) {
                    [unowned self] request in
                    let outcome = routes.outcome(request, from: client)
                    if case .response(let response) = outcome { return .response(bounded(response)) }
                    return outcome
                }
                connections.append(connection)
                // Most clients have sent their request by now, and need not wait for others.
                make(connection.read(into: &buffer, at: now), for: connection)
            } catch {
                // No descriptor or no memory is left: ending a waiting connection frees its own,
                // and accepting continues after a pause.
                makeRoom()
                acceptsFrom = now.advanced(by: Self.pause)
                return
            }
        }
    }

    /// Ends a connection, whether it waits for its request or reads its response: a client decides
    /// how long either takes.
    private func makeRoom() {
        connections.removeAll { $0.phase == .over }
        guard let index = ConnectionCrowd.oldestOfMost(connections.map { ($0.client, $0.since) }) else { return }
        let oldest = connections.remove(at: index)
        if oldest.phase == .waiting { routes.stills.cancel(oldest.number) }
        oldest.end()
    }
}
