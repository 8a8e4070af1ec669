internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import Glibc

/// The thread that accepts connections, reads requests and sends answers. It never waits for one client: each is asked for what it has, and
/// given what it takes. How many there may be, and how long each may take, is in ``RequestLimits``.
final class PreviewListener: Sendable {
    /// The one that it listens on.
    let port: Int
    private let isClosed = Monitor(false)
    private let wakeUp: WakeUp
    private let thread: SystemThread
    private let stills: Stills

    /// Listens when it returns.
    init(_ endpoint: ListeningEndpoint, _ routes: Routes) throws(FrameStreamingError) {
        let socket = try ListeningSocket(endpoint)
        port = socket.port
        stills = routes.stills
        let isClosed = isClosed
        do throws(SystemError) {
            let wakeUp = try WakeUp()
            self.wakeUp = wakeUp
            thread = try SystemThread(name: "frame-http") {
                HTTPConnections(socket, routes, wakeUp).run { isClosed.withLock { $0 } }
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

/// All connections that are no viewer's. Used by the HTTP thread only.
private final class HTTPConnections {
    private let listening: ListeningSocket
    private let routes: Routes
    private let wakeUp: WakeUp
    private var connections: [HTTPConnection] = []
    private var count: UInt64 = 0
    /// Nobody is accepted before: there was no descriptor left.
    private var acceptsFrom: MonotonicTime?
    private var buffer = [UInt8](repeating: 0, count: 16 << 10)

    /// Connections that are accepted in one round, so that the others have their turn.
    private static let mostAccepted = 64
    /// How long nobody is accepted where there is no descriptor left.
    private static let pause = Duration.milliseconds(100)
    /// POLLRDHUP: the client has closed its end.
    private static let hungUp = Int16(0x2000)

    init(_ listening: ListeningSocket, _ routes: Routes, _ wakeUp: WakeUp) {
        self.listening = listening
        self.routes = routes
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
                if connection.socket.isBusy { events |= PollEvents.output }
                if connection.phase == .waiting { events |= Self.hungUp }
                descriptors.append(pollfd(fd: connection.socket.descriptor.raw, events: events, revents: 0))
                if connection.isReady { deadline = .now }
                if let its = connection.nextDeadline { deadline = deadline.map { min($0, its) } ?? its }
            }
            // Cannot fail but for want of memory, which passes.
            _ = try? wait(for: &descriptors, until: deadline?.nanoseconds)
            let now = MonotonicTime.now
            if descriptors[0].revents != 0 { wakeUp.clear() }
            for (connection, found) in zip(connections, descriptors.dropFirst(2)) {
                if found.revents != 0 { take(found.revents, connection, at: now) }
                // One request a round, so that others have their turn.
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
            // In this phase only an end is waited for.
            routes.stills.cancel(connection.number)
            return connection.noteHangUp()
        }
        if events & PollEvents.output != 0 { connection.write(at: now) }
        if events & ~PollEvents.output != 0 {
            if connection.wantsToRead {
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

    /// Sends the pictures that were made.
    private func takeDone(at now: MonotonicTime) {
        for (number, response) in routes.stills.takeDone() {
            guard let connection = connections.first(where: { $0.number == number }), connection.phase == .waiting
            else { continue }
            connection.send(bounded(response), at: now)
        }
    }

    /// The answer, or 503 where clients that read slowly hold as many bytes of pictures as they may.
    private func bounded(_ response: Response) -> Response {
        guard case .picture(let frame) = response.body else { return response }
        let held = connections.reduce(0) { $0 + $1.pictureBytes }
        guard held > 0, held + frame.byteCount > RequestLimits.answerBytes else { return response }
        return .sentence(
            .serviceUnavailable, "Others read large pictures already: try again soon.", [("Retry-After", "5")])
    }

    private func accept(at now: MonotonicTime) {
        acceptsFrom = nil
        for _ in 0..<Self.mostAccepted {
            do throws(SystemError) {
                guard let descriptor = try listening.accept() else { return }
                if connections.count >= RequestLimits.connections { makeRoom() }
                count += 1
                let connection = HTTPConnection(descriptor, number: count, at: now) { [unowned self] request in
                    let outcome = routes.outcome(request)
                    if case .response(let response) = outcome { return .response(bounded(response)) }
                    return outcome
                }
                connections.append(connection)
                // Most have said what they want by now, and need not wait for others.
                make(connection.read(into: &buffer, at: now), for: connection)
            } catch {
                // No descriptor is left, or no memory: one that waits gives its own back, and the next is accepted in a while.
                makeRoom()
                acceptsFrom = now.advanced(by: Self.pause)
                return
            }
        }
    }

    /// Ends the connection that has waited longest for its request; where all have one, the one whose answer takes longest.
    private func makeRoom() {
        connections.removeAll { $0.phase == .over }
        let reading = connections.filter(\.isReading)
        guard let oldest = (reading.isEmpty ? connections : reading).min(by: { $0.since < $1.since }) else { return }
        if oldest.phase == .waiting { routes.stills.cancel(oldest.number) }
        oldest.end()
        connections.removeAll { $0 === oldest }
    }
}
