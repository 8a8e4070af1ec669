internal import FrameStreamingSystem

extension FrameReceiver {
    /// The frames as an asynchronous sequence: `for try await received in receiver.frames`.
    ///
    /// An adapter over ``next(until:)``, which runs on a thread of its own, never on the cooperative pool. Asking for the next
    /// element acknowledges the one before. Cancelling the task ends the sequence, and the sender is told in good order. Leaving the loop
    /// ends nothing: another one goes on where it ended, ``close(_:consumed:)`` says goodbye, and so does letting go of the receiver.
    /// One iterator at a time.
    public var frames: FrameSequence<Codec> { FrameSequence(receiver: self) }
}

/// Frames as they come: see ``FrameReceiver/frames``.
public struct FrameSequence<Codec: FrameCodec>: AsyncSequence, Sendable {
    /// A frame as a consumer gets it.
    public typealias Element = ReceivedFrame
    /// What ended the connection, where that was not in good order.
    public typealias Failure = FrameStreamingError

    let receiver: FrameReceiver<Codec>

    /// An iterator with a thread of its own.
    public func makeAsyncIterator() -> Iterator { Iterator(pump: FramePump(receiver)) }

    /// Hands each request to the thread and waits for its answer without blocking.
    public struct Iterator: AsyncIteratorProtocol {
        let pump: FramePump<Codec>

        /// The next frame; nil at the end, or when the task was cancelled.
        public mutating func next() async throws(FrameStreamingError) -> ReceivedFrame? {
            try await pump.next()
        }

        /// The next frame, for callers on any actor.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(FrameStreamingError) -> ReceivedFrame? {
            try await pump.next()
        }
    }
}

/// The thread behind an iterator: waits for a request, blocks in the receiver for it, and answers.
final class FramePump<Codec: FrameCodec>: Sendable {
    typealias Answer = Result<ReceivedFrame?, FrameStreamingError>

    private enum Request {
        case none
        case frame(CheckedContinuation<Answer, Never>)
        case end
    }

    private let receiver: FrameReceiver<Codec>
    private let request: Monitor<Request>

    init(_ receiver: FrameReceiver<Codec>) {
        self.receiver = receiver
        let request = Monitor(Request.none)
        self.request = request
        do throws(SystemError) {
            _ = try SystemThread(name: "frame-await") { Self.run(receiver, request) }
        } catch {
            // Without the thread every request would wait for ever: they are answered by the end instead.
            receiver.cancel()
            request.update { $0 = .end }
        }
    }

    deinit { request.update { $0 = .end } }

    func next() async throws(FrameStreamingError) -> ReceivedFrame? {
        let request = request
        let receiver = receiver
        let answer: Answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isServed = request.update { state in
                    guard case .none = state else { return false }
                    state = .frame(continuation)
                    return true
                }
                if !isServed {
                    continuation.resume(
                        returning: .failure(
                            FrameStreamingError(.busy, "another task waits for a frame of this receiver already")))
                }
            }
        } onCancel: {
            receiver.stop()
        }
        return try answer.get()
    }

    private static func run(_ receiver: FrameReceiver<Codec>, _ request: Monitor<Request>) {
        while true {
            let wanted: CheckedContinuation<Answer, Never>?? = request.wait(until: nil) { state in
                switch state {
                case .none: return nil
                case .end: return .some(nil)
                case .frame(let continuation):
                    state = .none
                    return .some(continuation)
                }
            }
            guard let continuation = wanted ?? nil else { return }
            do throws(FrameStreamingError) {
                continuation.resume(returning: .success(try receiver.next()))
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
    }
}
