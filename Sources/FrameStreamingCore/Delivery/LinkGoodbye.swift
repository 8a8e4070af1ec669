internal import FrameStreamingSystem

/// A goodbye over a connection of a link. It waits for its answer, and so has a thread of its own.
struct LinkGoodbye {
    let link: ReceiverLink
    let connection: LinkConnection
    let words: Goodbye
    /// It answers the receiver's, which says nothing any more.
    let isAnswer: Bool

    func say(until limit: MonotonicTime) {
        let isCancelled = link.state.withLock { state in
            state.goodbyes.append(connection)
            return state.isCancelled
        }
        if isCancelled { connection.transport.close() }
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-goodbye") {
                // What comes meanwhile needs somebody in `receive`.
                if !isAnswer, link.poller.remove(connection) { connection.readAlone(for: link) }
                finish(until: .at(limit))
            }
        } catch {
            // Without a thread there is no wait for an answer.
            finish(until: .now)
        }
    }

    private func finish(until deadline: Deadline) {
        var failure: FrameStreamingError?
        do throws(FrameStreamingError) {
            try connection.transport.finish(words, until: deadline)
        } catch {
            failure = error
        }
        // What the receiver acknowledged last counts, although the answer to the goodbye may come
        // before that was read. The connection is closed by now, so its reader is about to end.
        if !isAnswer { link.waitForReaders(until: deadline) }
        link.handle(.saidGoodbye(connection.number, failure))
        link.closeAbruptly(connection)
        link.state.update { state in state.goodbyes.removeAll { $0 === connection } }
    }
}
