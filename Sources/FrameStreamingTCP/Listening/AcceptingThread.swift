internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The thread behind an iterator of ``TCPConnections``: accepts peers, and keeps those whose
/// handshake is complete until a task asks for them.
///
/// The thread does not hold this object, so that it ends with the iterator.
final class AcceptingThread: Sendable {
    private let listener: TCPListener
    private let onError: @Sendable (any Error) -> Void
    private let accepted: AcceptedConnections

    /// The most peers that wait for a task.
    private static let mostWaiting = 64

    init(_ listener: TCPListener, _ onError: @escaping @Sendable (any Error) -> Void) {
        self.listener = listener
        self.onError = onError
        accepted = AcceptedConnections(listener.counts)
    }

    deinit { accepted.cancel() }

    func next() async throws(FrameStreamingError) -> TCPTransport? {
        let answer: AcceptedConnections.Answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if accepted.ask(continuation) { start() }
            }
        } onCancel: {
            accepted.cancel()
        }
        return try answer.get()
    }

    private func start() {
        do throws(SystemError) {
            let stop = try AcceptStop()
            // Closing the listener ends the handshakes as well.
            guard let ticket = listener.sequences.enter({ [accepted] in accepted.cancel() }) else {
                return accepted.end(.success(nil))
            }
            accepted.onCancel { stop.stop() }
            _ = try SystemThread(name: "fs-acceptor") { [listener, accepted, onError] in
                defer { listener.sequences.leave(ticket) }
                do throws(FrameStreamingError) {
                    try listener.takeAll(
                        listener.places(Self.mostWaiting), in: accepted.registry, stop: stop,
                        onError: { error in if !accepted.hasEnded { onError(error) } }
                    ) { newcomer in
                        accepted.add(try newcomer.establish(), newcomer.ticket)
                        return .goesOn
                    }
                    accepted.end(.success(nil))
                } catch {
                    accepted.end(.failure(error))
                }
            }
        } catch {
            accepted.end(
                .failure(FrameStreamingError(error, remedy: "no thread could be started to accept connections")))
        }
    }
}
