import FrameStreamingCore
import FrameStreamingSystem

/// A scripted connection of a sender, which can be polled together with others.
final class WatchedConnection: WatchedTransport {
    struct State {
        /// Messages that have arrived and were not taken.
        var arrived: [Message] = []
        /// How the connection ends, once all messages were taken.
        var end: FrameStreamingError??
        /// What the connection asks for after each read, in order; once empty, nothing.
        var needs: [WatchedNeeds] = []
        /// Numbers of the frames that were sent.
        var sent: [UInt64] = []
        var listened = 0
        /// How many frames had been sent at the first call of `receive`.
        var sentAtReceive: Int?
        var hasFinished = false
        /// The goodbye does not end before this is true.
        var mayFinish = true
        /// How many calls of `send` find no room. The poller does not get the connection before the
        /// first of them.
        var fullFor = 0
        var hasFoundNoRoom = true
        var isClosed = false
    }

    let state = Monitor(State())
    let peer: Peer
    private let readable: WakeUp
    private let isWatched: Bool
    /// The peer's answer to a frame; nil = none yet.
    private let answer: @Sendable (UInt64) -> Message?

    /// A connection whose receiver consumes everything at once, unless `answer` says otherwise.
    init(
        isWatched: Bool = true,
        answer: @escaping @Sendable (UInt64) -> Message? = { WatchedConnection.acknowledgement($0) }
    ) throws {
        readable = try WakeUp()
        peer = Peer(address: "test", handshake: .memory, initialCredit: 16, creditAhead: 16)
        self.isWatched = isWatched
        self.answer = answer
    }

    static func acknowledgement(_ sequence: UInt64) -> Message {
        .acknowledgement(Acknowledgement(sequence: sequence, creditThrough: sequence + 16))
    }

    func say(_ messages: [Message], end: FrameStreamingError?? = .none, silently: Bool = false) {
        state.update { state in
            state.arrived += messages
            if end != nil { state.end = end }
        }
        if !silently { readable.signal() }
    }

    func await(_ condition: @escaping (State) -> Bool) -> Bool {
        state.wait(until: Deadline.after(.seconds(30)).nanoseconds) { condition($0) ? true : nil } ?? false
    }

    func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
        guard case .frame(_, let info) = message else { return }
        let isFull = state.update { state in
            guard state.fullFor > 0 else {
                state.sent.append(info.sequence)
                return false
            }
            state.fullFor -= 1
            state.hasFoundNoRoom = true
            return true
        }
        if isFull { throw .timedOut("room to send") }
        if let answer = answer(info.sequence) { say([answer]) }
    }

    func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
        state.update { $0.sentAtReceive = $0.sentAtReceive ?? $0.sent.count }
        let outcome: Result<Message?, FrameStreamingError>? = state.wait(until: deadline.nanoseconds) { state in
            if !state.arrived.isEmpty { return .success(state.arrived.removeFirst()) }
            if let end = state.end { return end.map { .failure($0) } ?? .success(nil) }
            return state.isClosed ? .failure(FrameStreamingError(.closed, "the test closed it")) : nil
        }
        guard let outcome else { throw FrameStreamingError(.timedOut, "nothing came") }
        return try outcome.get()
    }

    func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
        state.update { $0.hasFinished = true }
        let _: Bool? = state.wait(until: deadline.nanoseconds) { $0.mayFinish ? true : nil }
        close()
    }

    func close() {
        state.update { $0.isClosed = true }
        readable.signal()
    }

    var watched: Descriptor? {
        guard isWatched, self.await({ $0.hasFoundNoRoom }) else { return nil }
        return readable.descriptor
    }

    /// Lets the next calls of `send` find no room.
    func fill(for calls: Int) {
        state.update { state in
            state.fullFor = calls
            state.hasFoundNoRoom = false
        }
    }

    func receiveArrived(into messages: inout [Message]) throws(FrameStreamingError) -> WatchedNeeds? {
        readable.clear()
        let outcome: Result<WatchedNeeds?, FrameStreamingError> = state.update { state in
            state.listened += 1
            messages += state.arrived
            state.arrived = []
            if let end = state.end { return end.map { .failure($0) } ?? .success(nil) }
            if state.isClosed { return .failure(FrameStreamingError(.closed, "the test closed it")) }
            let nothing = WatchedNeeds(lookBy: nil, wantsOutput: false)
            return .success(state.needs.isEmpty ? nothing : state.needs.removeFirst())
        }
        return try outcome.get()
    }
}
