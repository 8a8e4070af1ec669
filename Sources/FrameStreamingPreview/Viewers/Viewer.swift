internal import FrameStreamingCore

/// A viewer on one connection. Once handed over, only the viewers' thread uses it.
class Viewer {
    fileprivate(set) var socket: ViewerSocket
    let encoder: PreviewEncoder
    /// Counts the viewer against the limit as long as it exists.
    private let permit: ViewerPermit
    /// Nothing new is sent, and the connection closes after the message in flight.
    private(set) var isEnding = false
    private(set) var isOver = false
    private var endingSince: MonotonicTime?
    /// When it ends whatever is in flight; nil = never.
    private let limit: MonotonicTime?

    /// How long the peer has to close its end.
    static let farewell = Duration.seconds(1)

    /// How long a client that has no place may take to hear it.
    static let turningAway = Duration.seconds(5)

    /// - Parameters:
    ///   - limit: When it ends whatever is in flight; nil = never.
    ///   - greeting: The first bytes to send: the response to the request that opened the connection.
    init(
        _ stream: ClientStream, _ permit: ViewerPermit, _ encoder: PreviewEncoder, until limit: MonotonicTime? = nil,
        greeting: [UInt8]
    ) {
        self.limit = limit
        socket = ViewerSocket(stream)
        socket.begin(ViewerMessage(head: greeting))
        self.permit = permit
        self.encoder = encoder
    }

    // MARK: What subclasses override

    /// Returns the next message, with the newest frame at this time.
    func nextMessage(at now: MonotonicTime) -> ViewerMessage? { nil }

    /// Whether ``nextMessage(at:)`` would return one. Called for every viewer at every event.
    var hasMessage: Bool { false }

    /// Whether there is a message, and the kernel has sent all of the one before.
    var isKnownToBeReady: Bool { false }

    func receive(_ bytes: ArraySlice<UInt8>) {}

    /// Called every second, and when a stream was added, removed or changed. `listing` returns the
    /// message for pages.
    func update(_ entries: [StreamEntry], listing: () -> [UInt8]) {}

    /// Called before the viewer is removed.
    func leave() {}

    /// Called when the server ends.
    func close() { end() }

    // MARK: What all viewers share

    var wantsToWrite: Bool { !isOver && (socket.isBusy || (!isEnding && hasMessage)) }

    /// Ends at once, in the middle of a message.
    func abandon() {
        socket.abandon()
        isOver = true
    }

    /// Ends after the message in flight.
    func end() { isEnding = true }

    /// Writes more of the message in flight, or one new message if there is none.
    func write(at now: MonotonicTime) {
        do throws(ConnectionLoss) {
            if !socket.isBusy, !isEnding, let message = nextMessage(at: now) { socket.begin(message) }
            _ = try socket.flush()
        } catch {
            isOver = true
        }
        endIfDone(at: now)
    }

    /// Reads what has arrived, or notices the end.
    func read(into buffer: inout [UInt8], at now: MonotonicTime) {
        do throws(ConnectionLoss) {
            guard let count = try socket.receive(into: &buffer) else { return }
            if count == 0 { isOver = true } else if !isEnding { receive(buffer[..<count]) }
        } catch {
            isOver = true
        }
        endIfDone(at: now)
    }

    func endIfDone(at now: MonotonicTime) {
        if let limit, now >= limit { isOver = true }
        guard isEnding, !socket.isBusy, !isOver else { return }
        // The peer closes first. If this side closed with bytes unread, the kernel would reset the
        // connection and lose the last message.
        if let endingSince {
            if now.since(endingSince) >= Self.farewell { isOver = true }
        } else {
            endingSince = now
            socket.shutdownWriting()
        }
    }

    /// When to check the viewer without an event.
    var deadline: MonotonicTime? {
        guard let farewell = endingSince?.advanced(by: Self.farewell) else { return limit }
        return limit.map { min($0, farewell) } ?? farewell
    }
}
