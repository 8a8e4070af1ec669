internal import FrameStreamingSystem

/// How a receiver asks its sender for something, and waits for the answer.
extension ReceiverInbox {
    /// Makes a request whose answer no caller waits for; false if the connection does not take it now.
    func ask(_ request: ReceiverRequest) -> Bool {
        let abilities = transport.peer.abilities
        guard abilities.contains(.requests) else { return false }
        var asked: UInt64?
        do throws(FrameStreamingError) {
            if abilities.contains(.requestAnswers) {
                asked = try state.update { (state) throws(FrameStreamingError) in
                    let id = try state.requests.ask(request)
                    state.requests.abandon(id)
                    return id
                }
            }
            try transport.send(.request(request), until: .now)
            return true
        } catch {
            // Nothing of it was sent, so nothing answers it.
            if error.code == .timedOut, let asked { state.withLock { $0.requests.forget(asked) } }
            return false
        }
    }

    /// - Throws: As `FrameReceiver.request(_:)`.
    func request(_ request: ReceiverRequest, until deadline: Deadline) throws(FrameStreamingError) {
        if case .quality(let quality) = request { try EncodeSettings(quality: quality).check() }
        guard transport.peer.abilities.contains(.requestAnswers) else {
            return try transport.send(.request(request), until: deadline)
        }
        let id = try state.update { (state) throws(FrameStreamingError) in
            guard state.reader != .current else {
                throw FrameStreamingError(
                    .invalidArgument,
                    "a request waits for its answer, which this thread has to read: make it outside onEvent")
            }
            return try state.requests.ask(request)
        }
        defer { state.withLock { $0.requests.abandon(id) } }
        try transport.send(.request(request), until: deadline)
        let outcome: Result<String?, FrameStreamingError>? = state.wait(until: deadline.nanoseconds) { state in
            if let answer = state.requests.takeAnswer(to: id) { return .success(answer.refusal) }
            if state.isCancelled { return .failure(.cancelled("the receiver")) }
            guard state.end != nil else { return nil }
            return .failure(state.failure ?? FrameStreamingError(.closed, "the stream ended before the answer"))
        }
        guard let outcome else { throw .timedOut("the sender's answer to a request: it may still comply") }
        guard let refusal = try outcome.get() else { return }
        throw FrameStreamingError(
            .unsupported, "", peer: refusal.isEmpty ? "the sender cannot do that, and does not say why" : refusal,
            subject: transport.peer.address)
    }
}
