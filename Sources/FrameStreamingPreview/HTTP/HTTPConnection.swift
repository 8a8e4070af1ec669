internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A client's connection, from its begin to its end or until it becomes a viewer's. Used by the HTTP thread only.
///
/// One request at a time: what a client sends behind it waits in the kernel, so that nothing is read that could not be kept.
final class HTTPConnection {
    enum Phase: Equatable {
        /// Waits for the head of a request. `hasBegun`: some of it has come, and the rest has to come in time.
        case reading(hasBegun: Bool)
        /// Its picture is being made.
        case waiting
        /// An answer is being sent. `ends`: it is the last one.
        case answering(ends: Bool)
        /// All is sent, and the client has to close its end: closed with bytes unread the kernel would reset the connection, and the
        /// answer be lost.
        case leaving
        /// Nothing is left to do.
        case over
    }

    /// Says which it is.
    let number: UInt64
    private(set) var phase = Phase.reading(hasBegun: false)
    /// When the phase began.
    private(set) var since: MonotonicTime
    private var deadline: MonotonicTime
    private(set) var socket: ViewerSocket
    private var reader = RequestReader()
    /// Whether the reader was asked in vain since something came.
    private var isIncomplete = true
    /// The request that is being answered.
    private var request: RequestHead?
    /// The bytes of the picture that is being sent.
    private(set) var pictureBytes = 0
    private let answer: (RequestHead) -> Routes.Outcome

    /// How long the client has to close its end, once it was told.
    private static let farewell = Duration.seconds(1)

    init(
        _ descriptor: Descriptor, number: UInt64, at now: MonotonicTime,
        answer: @escaping (RequestHead) -> Routes.Outcome
    ) {
        self.number = number
        self.answer = answer
        socket = ViewerSocket(descriptor)
        since = now
        deadline = now.advanced(by: RequestLimits.head)
    }

    /// When to look at it again, though nothing has happened. One whose picture is being made is woken by that.
    var nextDeadline: MonotonicTime? { phase == .waiting ? nil : deadline }

    var wantsToRead: Bool {
        switch phase {
        case .reading, .leaving: true
        default: false
        }
    }

    /// Whether a request may be there already, so that nobody has to wait for the next bytes: they came together.
    var isReady: Bool { isReading && !isIncomplete }

    /// Who makes way when there are too many: those that have not said what they want, before those that wait for the end of theirs.
    var isReading: Bool { if case .reading = phase { true } else { false } }

    private func enter(_ next: Phase, _ limit: Duration, at now: MonotonicTime) {
        phase = next
        since = now
        deadline = now.advanced(by: limit)
    }

    func end() { phase = .over }

    /// The time is up. A client that has begun is told why.
    func checkDeadline(at now: MonotonicTime) {
        guard let nextDeadline, now >= nextDeadline, phase != .over else { return }
        guard phase == .reading(hasBegun: true) else { return end() }
        send(
            RequestRefusal(.requestTimeout, "A request has to come within \(RequestLimits.head).").response, at: now)
    }

    // MARK: Reading

    /// Something has come, or the client has gone. Returns a picture that has to be made for the client.
    func read(into buffer: inout [UInt8], at now: MonotonicTime) -> Stills.Order? {
        do throws(SystemError) {
            guard let count = try socket.receive(into: &buffer) else { return nil }
            guard count > 0 else {
                end()
                return nil
            }
            // Of one that leaves nothing is wanted any more.
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

    /// Whoever waits for a picture says nothing meanwhile: what is noticed is that he has gone.
    func noteHangUp() { end() }

    /// Answers the next request, where one is complete. Returns a picture that has to be made for it.
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
                begin(socket.descriptor, response.head(ends: response.closes), reader.takeRest())
                end()
            }
        } catch {
            send(error.response, at: now)
        }
        return nil
    }

    // MARK: Answering

    func send(_ response: Response, at now: MonotonicTime) {
        let ends = response.closes || !(request?.keepsConnection ?? false)
        let message = response.message(ends: ends, isHead: request?.method == .head)
        pictureBytes = message.image?.byteCount ?? 0
        let reading = Duration.seconds(message.byteCount / RequestLimits.slowestReading)
        enter(.answering(ends: ends), RequestLimits.answer + reading, at: now)
        socket.begin(message)
        write(at: now)
    }

    /// The client takes bytes.
    func write(at now: MonotonicTime) {
        guard case .answering(let ends) = phase else { return }
        do throws(SystemError) {
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
