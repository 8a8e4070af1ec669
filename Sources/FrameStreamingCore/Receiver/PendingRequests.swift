/// The requests of a receiver that the sender has not answered.
///
/// A request whose sending timed out may have been sent or not. So an answer is matched with the
/// oldest request of its kind and value.
struct PendingRequests: Sendable {
    private struct Entry {
        let id: UInt64
        let request: ReceiverRequest
        /// Nil while there is none.
        var answer: RequestAnswer?
        /// Whether the caller still waits for the answer.
        var isAwaited = true
    }

    private var entries: [Entry] = []
    private var lastID: UInt64 = 0

    /// A sender that leaves so many requests without an answer is asked no more.
    static let most = 64

    /// Takes note of a request that is about to be sent, and names it.
    ///
    /// - Throws: `timedOut` where the sender has left too many without an answer.
    mutating func ask(_ request: ReceiverRequest) throws(FrameStreamingError) -> UInt64 {
        guard entries.count < Self.most else {
            throw FrameStreamingError(
                .timedOut, "the sender has not answered the last \(entries.count) requests: ask again later")
        }
        lastID += 1
        entries.append(Entry(id: lastID, request: request))
        return lastID
    }

    /// Takes note of an answer.
    ///
    /// - Throws: `protocolViolation` for an answer without a request.
    mutating func note(_ answer: RequestAnswer) throws(FrameStreamingError) {
        guard let index = entries.firstIndex(where: { $0.answer == nil && $0.request == answer.request }) else {
            throw FrameStreamingError(.protocolViolation, "the sender answered a request that was not made")
        }
        if entries[index].isAwaited { entries[index].answer = answer } else { entries.remove(at: index) }
    }

    /// The answer to a request, which is forgotten then; nil = there is none so far.
    mutating func takeAnswer(to id: UInt64) -> RequestAnswer? {
        guard let index = entries.firstIndex(where: { $0.id == id }), let answer = entries[index].answer else {
            return nil
        }
        entries.remove(at: index)
        return answer
    }

    /// Forgets a request that was not sent.
    mutating func forget(_ id: UInt64) { entries.removeAll { $0.id == id } }

    /// Ends the wait for the answer to a request, which may still come.
    mutating func abandon(_ id: UInt64) {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return }
        if entries[index].answer == nil { entries[index].isAwaited = false } else { entries.remove(at: index) }
    }
}
