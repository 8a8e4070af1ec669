internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A client's connection, until it ends or becomes a viewer's. Used by the HTTP thread only.
///
/// It serves one request at a time. Later requests wait in the kernel, so that no more is read than
/// may be kept.
final class HTTPConnection {
    enum Phase: Equatable {
        /// Waits for the client's part of the encryption's handshake.
        case securing
        /// Waits for the head of a request. `hasBegun`: part of it has arrived, and the rest has a
        /// deadline.
        case reading(hasBegun: Bool)
        /// Waits until its frame is encoded.
        case waiting
        /// Sends a response. `ends`: it is the last one.
        case answering(ends: Bool)
        /// Everything is sent, and the client has to close its end. If this side closed with bytes
        /// unread, the kernel would reset the connection and lose the response.
        case leaving
        /// The connection has ended.
        case over
    }

    /// Identifies the connection.
    let number: UInt64
    let client: PeerHost
    private(set) var phase: Phase
    /// When the phase began.
    private(set) var since: MonotonicTime
    private var deadline: MonotonicTime
    private(set) var socket: ViewerSocket
    private var reader = RequestReader()
    /// Whether the reader has no complete request since the last bytes arrived.
    private var isIncomplete = true
    /// The request that is being answered.
    private var request: RequestHead?
    /// The bytes of the frame that is being sent.
    private(set) var pictureBytes = 0
    private var answer: (RequestHead) -> Routes.Outcome
    private let encryption: HTTPEncryption?
    private var stream: ClientStream
    /// What the handshake of the encryption needs.
    private var step = SecuredHandshakeStep.wantsInput

    /// How long the client has to close its end.
    private static let farewell = Duration.seconds(1)

    /// - Parameter encryption: Nil for a plain server.
    init(
        _ descriptor: Descriptor, number: UInt64, from client: PeerHost, at now: MonotonicTime,
        _ encryption: HTTPEncryption? = nil, answer: @escaping (RequestHead) -> Routes.Outcome
    ) {
        self.number = number
        self.client = client
        self.answer = answer
        self.encryption = encryption
        phase = encryption == nil ? .reading(hasBegun: false) : .securing
        stream = ClientStream(descriptor)
        socket = ViewerSocket(stream)
        since = now
        deadline = now.advanced(by: RequestLimits.head)
    }

    /// When to check the connection without an event; nil while its frame is encoded, which wakes
    /// the thread.
    var nextDeadline: MonotonicTime? { phase == .waiting ? nil : deadline }

    var wantsToRead: Bool {
        switch phase {
        // While a whole request waits nothing is read behind it.
        case .reading: isIncomplete
        case .leaving: true
        case .securing: step == .wantsInput
        default: false
        }
    }

    var wantsToWrite: Bool { socket.isBusy || (phase == .securing && step == .wantsOutput) }

    /// Whether there may be something to read that a poll does not show.
    var mayHaveMore: Bool { phase != .securing && wantsToRead && socket.mayHaveMore }

    /// Whether a complete request may already be buffered, because several arrived together.
    var isReady: Bool { isReading && !isIncomplete }

    /// The bytes that were read and not answered yet.
    var bufferedBytes: Int { reader.bufferedBytes }

    private var isReading: Bool {
        switch phase {
        case .securing, .reading: true
        default: false
        }
    }

    private func enter(_ next: Phase, _ limit: Duration, at now: MonotonicTime) {
        phase = next
        since = now
        deadline = now.advanced(by: limit)
    }

    func end() { phase = .over }

    /// Ends an expired connection. A client that has begun a request gets a response that says why.
    func checkDeadline(at now: MonotonicTime) {
        guard let nextDeadline, now >= nextDeadline, phase != .over else { return }
        guard phase == .reading(hasBegun: true) else { return end() }
        send(
            RequestRefusal(.requestTimeout, "A request has to come within \(RequestLimits.head).").response, at: now)
    }

    // MARK: Encryption

    /// Takes the next step of the encryption's handshake. Its time is that of the first request, too.
    private func secure(by encryption: HTTPEncryption, at now: MonotonicTime) {
        do throws(FrameStreamingError) {
            if stream.secured == nil {
                switch HTTPEncryption.firstByte(of: stream.descriptor) {
                case .none: return
                case .ended: return end()
                case .plain:
                    answer = { _ in .response(encryption.plainAnswer) }
                    phase = .reading(hasBegun: false)
                    return
                case .handshake: stream.secured = try encryption.security.beginForBrowser(stream.descriptor)
                }
            }
            guard let secured = stream.secured else { return }
            step = try secured.continueHandshake()
            guard step == .complete else { return }
            socket = ViewerSocket(stream)
            phase = .reading(hasBegun: false)
        } catch {
            // The client has been told why, and has to close its end.
            stream.secured = nil
            socket.shutdownWriting()
            enter(.leaving, Self.farewell, at: now)
        }
    }

    // MARK: Reading

    /// Reads what has arrived, or notices the end. Returns a frame that has to be encoded for the
    /// client.
    func read(into buffer: inout [UInt8], at now: MonotonicTime) -> Stills.Order? {
        if phase == .securing, let encryption {
            secure(by: encryption, at: now)
            guard case .reading = phase else { return nil }
        }
        do throws(ConnectionLoss) {
            guard let count = try socket.receive(into: &buffer) else { return nil }
            guard count > 0 else {
                end()
                return nil
            }
            // Input of a client that is leaving is ignored.
            guard isReading else { return nil }
            reader.append(buffer[..<count])
            isIncomplete = false
        } catch {
            end()
            return nil
        }
        if phase == .reading(hasBegun: false) { enter(.reading(hasBegun: true), RequestLimits.head, at: now) }
        return takeRequest(at: now)
    }

    /// Ends the connection. While a client waits for a frame it sends nothing, so only its end is
    /// watched.
    func noteHangUp() { end() }

    /// Answers the next request, if it is complete. Returns a frame that has to be encoded for it.
    func takeRequest(at now: MonotonicTime) -> Stills.Order? {
        guard isReading else { return nil }
        do throws(RequestRefusal) {
            guard let request = try reader.next() else {
                isIncomplete = true
                return nil
            }
            self.request = request
            switch answer(request) {
            case .response(let response): send(response, at: now)
            case .still(let order):
                enter(.waiting, .zero, at: now)
                return order
            case .viewer(let response, let begin):
                begin(stream, response.head(ends: response.closes), reader.takeRest())
                end()
            }
        } catch {
            send(error.response, at: now)
        }
        return nil
    }

    // MARK: Answering

    func send(_ response: HTTPResponse, at now: MonotonicTime) {
        let ends = response.closes || !(request?.keepsConnection ?? false)
        // A request that is refused is not known as a whole, but its method is.
        let isHead = request.map { $0.method == .head } ?? reader.isHead
        let message = response.message(ends: ends, isHead: isHead)
        pictureBytes = message.image?.byteCount ?? 0
        let reading = Duration.seconds(message.byteCount / RequestLimits.slowestReading)
        enter(.answering(ends: ends), RequestLimits.answer + reading, at: now)
        socket.begin(message)
        write(at: now)
    }

    /// Writes more of the response, now that the client accepts bytes.
    func write(at now: MonotonicTime) {
        guard case .answering(let ends) = phase else { return }
        do throws(ConnectionLoss) {
            guard try socket.flush() else { return }
        } catch {
            return end()
        }
        pictureBytes = 0
        request = nil
        if ends {
            socket.shutdownWriting()
            enter(.leaving, Self.farewell, at: now)
        } else if reader.hasBegun {
            enter(.reading(hasBegun: true), RequestLimits.head, at: now)
        } else {
            enter(.reading(hasBegun: false), RequestLimits.idle, at: now)
        }
    }
}
