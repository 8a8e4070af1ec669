import FrameStreamingTesting
import Testing

@Suite struct MemoryTransportTests {
    private let limit = Deadline.after(.seconds(20))

    /// As over TCP: what the peer sent before it answered the goodbye arrives, even if no thread
    /// was in `receive` at that moment.
    @Test func whatCameBeforeTheAnswerToAGoodbyeIsDelivered() throws {
        let link = MemoryTransport.pair()
        try link.receiver.send(.sourceLost(reason: "one"), until: limit)
        try link.receiver.send(.sourceLost(reason: "two"), until: limit)
        // The peer has sent a goodbye as well, so that this end does not wait.
        try? link.receiver.finish("done", until: .now)
        try link.sender.finish("done", until: limit)
        for text in ["one", "two"] {
            let message = try link.sender.receive(until: limit)
            guard case .sourceLost(reason: text)? = message else {
                Issue.record("\(String(describing: message))")
                return
            }
        }
        #expect(throws: FrameStreamingError.self) { try link.sender.receive(until: limit) }
    }

    @Test func aCloseDeliversNothingMore() throws {
        let link = MemoryTransport.pair()
        try link.receiver.send(.sourceLost(reason: "one"), until: limit)
        link.sender.close()
        let error = #expect(throws: FrameStreamingError.self) { try link.sender.receive(until: limit) }
        #expect(error?.code == .closed)
    }
}
