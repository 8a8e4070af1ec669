public import FrameStreamingCore
internal import FrameStreamingSystem

extension TCPTransport {
    /// Connects to a listening peer and completes the handshake. The host's addresses are tried one
    /// after another.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task calls the async
    /// form, without a `cancellation`: `try await TCPTransport.connect(...)`.
    ///
    /// - Parameters:
    ///   - address: `HOST:PORT`. The host is a name, an IPv4 address, or an IPv6 address in
    ///     brackets.
    ///   - role: Whether this side sends or receives frames, with the settings of that side.
    ///   - handshake: Binary or text; the peer must speak the same.
    ///   - options: The other settings.
    ///   - deadline: The limit for everything together, 10 s unless given. The handshake has a
    ///     limit of its own as well.
    ///   - cancellation: Lets another thread end the attempt.
    /// - Throws: `unresolvedHost`; `connectionFailed` if no address answers; `busy` if the peer has
    ///   no room; `rejected` if it refuses for another reason; `timedOut`; `cancelled`;
    ///   `invalidArgument`.
    @available(
        *, noasync, message: "it blocks one of the few threads of all tasks: use 'try await', without a cancellation"
    )
    public static func connect(
        to address: String, role: TCPRole, handshake: Handshake = .binary, options: TCPOptions = TCPOptions(),
        until deadline: Deadline = .after(.seconds(10)), cancellation: TCPCancellation = TCPCancellation()
    ) throws(FrameStreamingError) -> TCPTransport {
        let endpoint = try NetworkAddress(address, defaultHost: nil)
        let handshakeDriver = try HandshakeDriver(role: role, handshake: handshake, options: options, listens: false)
        return try connect(to: endpoint, handshakeDriver, until: deadline, cancellation)
    }

    /// As the blocking `connect`, for a task: `try await TCPTransport.connect(to: "camera:5600",
    /// role: .receiver)`.
    ///
    /// It waits on a thread of the library, fs-connect.
    ///
    /// - Throws: As the blocking `connect`. `cancelled` within 100 ms after the task was cancelled.
    public static func connect(
        to address: String, role: TCPRole, handshake: Handshake = .binary, options: TCPOptions = TCPOptions(),
        until deadline: Deadline = .after(.seconds(10))
    ) async throws(FrameStreamingError) -> TCPTransport {
        let cancellation = TCPCancellation()
        return try await callOnThread("fs-connect", cancel: cancellation.cancel) { () throws(FrameStreamingError) in
            try connect(
                to: address, role: role, handshake: handshake, options: options, until: deadline,
                cancellation: cancellation)
        }
    }

    static func connect(
        to endpoint: NetworkAddress, _ handshakeDriver: HandshakeDriver, until deadline: Deadline,
        _ cancellation: TCPCancellation
    ) throws(FrameStreamingError) -> TCPTransport {
        let name = endpoint.description
        let addresses = try lookUp(endpoint, until: deadline, cancellation)
        var failure = FrameStreamingError(.connectionFailed, "the host has no address", subject: name)
        for (index, candidate) in addresses.enumerated() {
            // The remaining addresses share the remaining time: one that never answers must not
            // prevent an attempt at the next.
            let share = deadline.time.map { time in
                Deadline.after(time.since(.now) / (addresses.count - index))
            }
            do throws(FrameStreamingError) {
                let channel = try Channel(
                    try connect(candidate, until: share ?? .never, cancellation, name: name))
                do throws(FrameStreamingError) {
                    return try cancellation.guarding(channel.close) { () throws(FrameStreamingError) in
                        try handshakeDriver.connect(channel, host: endpoint.host, until: deadline)
                    }
                } catch {
                    channel.close()
                    throw error
                }
            } catch {
                // A peer answered there, or the time is over, or the attempt was cancelled.
                if error.code != .connectionFailed { if error.code != .timedOut || deadline.hasPassed { throw error } }
                failure = error
            }
        }
        throw failure
    }

    private static func connect(
        _ address: SocketAddress, until deadline: Deadline, _ cancellation: TCPCancellation, name: String
    ) throws(FrameStreamingError) -> Descriptor {
        do throws(SystemError) {
            let descriptor = try Descriptor.socket(address.family)
            do throws(SystemError) {
                try descriptor.beginConnect(address)
                return descriptor
            } catch {
                guard error.code == Errno.inProgress else { throw error }
            }
            switch try cancellation.wait(for: PollEvents.output, on: descriptor, until: deadline.nanoseconds) {
            case .woken: break
            case .timedOut:
                throw SystemError("connect", code: Errno.timedOut)
            case .ready:
                let code = try descriptor.takeSocketError()
                guard code == 0 else { throw SystemError("connect", code: code) }
                return descriptor
            }
        } catch {
            throw failure(error, address, name, timedOut: deadline.hasPassed)
        }
        throw .cancelled("the attempt to connect")
    }

    static func failure(
        _ error: SystemError, _ address: SocketAddress, _ name: String, timedOut: Bool
    ) -> FrameStreamingError {
        if error.code == Errno.timedOut, timedOut {
            return FrameStreamingError(
                .timedOut, "no answer from \(address): check the address, and that no firewall is in the way",
                subject: name)
        }
        let remedy =
            switch error.code {
            case Errno.connectionRefused: "no program listens there: start the peer first, or check the port"
            case Errno.hostUnreachable, Errno.networkUnreachable:
                "there is no route to it: check the network and the address"
            case Errno.timedOut: "no answer: check the address, and that no firewall is in the way"
            default: "the connection failed"
            }
        return FrameStreamingError(
            .connectionFailed, "\(remedy) (\(address): \(error.reason))", subject: name, errno: error.code)
    }

    /// The addresses of the host. The call that asks the name server can be neither cancelled nor
    /// bounded, so a thread of its own waits for it.
    private static func lookUp(
        _ endpoint: NetworkAddress, until deadline: Deadline, _ cancellation: TCPCancellation
    ) throws(FrameStreamingError) -> [SocketAddress] {
        if let numeric = try? SocketAddress.resolve(endpoint, listening: false, numericOnly: true) { return numeric }
        let answer = Monitor<Result<[SocketAddress], FrameStreamingError>?>(nil)
        do throws(SystemError) {
            let done = try WakeUp()
            _ = try SystemThread(name: "fs-resolve") {
                let result = Result { () throws(FrameStreamingError) in
                    try SocketAddress.resolve(endpoint, listening: false)
                }
                answer.update { $0 = result }
                done.signal()
            }
            switch try cancellation.wait(for: PollEvents.input, on: done.descriptor, until: deadline.nanoseconds) {
            case .ready, .timedOut: break
            case .woken: answer.update { $0 = .failure(.cancelled("the attempt to connect")) }
            }
        } catch {
            throw FrameStreamingError(error, subject: endpoint.host)
        }
        guard let result = answer.withLock({ $0 }) else {
            throw FrameStreamingError(
                .timedOut, "the name server did not answer in time: check it, or use the host's address",
                subject: endpoint.host)
        }
        return try result.get()
    }
}
