public import FrameStreamingCore
internal import FrameStreamingSystem

extension TCPTransport {
    /// Connects to a listening peer and agrees with it: its addresses are tried one after another.
    ///
    /// - Parameters:
    ///   - address: `HOST:PORT`; the host is a name, an IPv4 address, or an IPv6 address in brackets.
    ///   - role: Whether this side sends or receives frames.
    ///   - handshake: Binary or text; the peer must speak the same.
    ///   - options: The rest.
    ///   - deadline: For everything together, 10 s unless given; the handshake has its own besides.
    ///   - cancellation: Lets another thread end the attempt.
    /// - Throws: `unresolvedHost`; `connectionFailed` when no address answers; `busy` when the peer has no room; `rejected` when it says no
    ///   for another reason; `timedOut`; `cancelled`; `invalidArgument`.
    public static func connect(
        to address: String, role: TCPRole, handshake: TCPHandshake = .binary, options: TCPOptions = TCPOptions(),
        until deadline: Deadline = .after(.seconds(10)), cancellation: TCPCancellation = TCPCancellation()
    ) throws(FrameStreamingError) -> TCPTransport {
        let endpoint = try TCPEndpoint(address, defaultHost: nil)
        let handshakeDriver = try HandshakeDriver(role: role, handshake: handshake, options: options, listens: false)
        return try connect(to: endpoint, handshakeDriver, until: deadline, cancellation)
    }

    static func connect(
        to endpoint: TCPEndpoint, _ handshakeDriver: HandshakeDriver, until deadline: Deadline,
        _ cancellation: TCPCancellation
    ) throws(FrameStreamingError) -> TCPTransport {
        let name = endpoint.description
        let addresses = try lookUp(endpoint, until: deadline, cancellation)
        var failure = FrameStreamingError(.connectionFailed, "it has no address", subject: name)
        for (index, candidate) in addresses.enumerated() {
            // What is left of the time is shared by the addresses that are left: one that swallows everything is no reason
            // not to try the next.
            let share = deadline.time.map { time in
                Deadline.after(time.since(.now) / (addresses.count - index))
            }
            do throws(FrameStreamingError) {
                let channel = try Channel(
                    try connect(candidate, until: share ?? .never, cancellation, name: name))
                do throws(FrameStreamingError) {
                    return try cancellation.guarding(channel) { () throws(FrameStreamingError) in
                        try handshakeDriver.connect(channel, until: deadline)
                    }
                } catch {
                    channel.close()
                    throw error
                }
            } catch {
                // Somebody answered there, or nobody wants to know any more.
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
            case Errno.connectionRefused: "nobody listens there: start the peer first, or check the port"
            case Errno.hostUnreachable, Errno.networkUnreachable:
                "there is no way there: check the network and the address"
            case Errno.timedOut: "no answer: check the address, and that no firewall is in the way"
            default: "no connection could be made"
            }
        return FrameStreamingError(
            .connectionFailed, "\(remedy) (\(address): \(error.reason))", subject: name, errno: error.code)
    }

    /// The addresses of the host. A name server may take its time, and the call that asks it can be neither cancelled nor
    /// bounded: a thread of its own waits for it.
    private static func lookUp(
        _ endpoint: TCPEndpoint, until deadline: Deadline, _ cancellation: TCPCancellation
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
