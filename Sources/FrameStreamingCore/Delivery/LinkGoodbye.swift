internal import FrameStreamingSystem

/// A goodbye over a connection of a link, on a thread of its own, because it waits for its answer.
struct LinkGoodbye {
    let link: ReceiverLink
    let connection: LinkConnection
    let words: Goodbye
    /// Whether it answers the receiver's goodbye. The receiver sends nothing more then.
    let isAnswer: Bool

    func say(until limit: MonotonicTime) {
        let isCancelled = link.state.withLock { state in
            state.goodbyes.append(connection)
            return state.isCancelled
        }
        if isCancelled { connection.transport.close() }
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-goodbye") {
                // Messages that arrive meanwhile need a thread in `receive`.
                if !isAnswer, link.poller.remove(connection) { connection.readAlone(for: link) }
                finish(until: .at(limit))
            }
        } catch {
            // Without a thread the answer is not waited for.
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
        // The last acknowledgements count, although the answer to the goodbye may arrive before
        // they were read. The connection is closed by now, so its reader is about to end.
        if !isAnswer { link.waitForReaders(until: deadline) }
        link.handle(.saidGoodbye(connection.number, failure))
        link.closeAbruptly(connection)
        link.state.update { state in state.goodbyes.removeAll { $0 === connection } }
    }
}
