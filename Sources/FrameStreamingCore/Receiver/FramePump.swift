internal import FrameStreamingSystem

/// The thread behind an iterator of ``FrameSequence``: waits for a request, blocks in
/// the receiver for it, and answers.
final class FramePump: Sendable {
    typealias Answer = Result<ReceivedFrame?, FrameStreamingError>

    private enum State {
        /// No task asks.
        case idle
        /// A task asks, and the thread has not begun.
        case requested(CheckedContinuation<Answer, Never>)
        /// The thread is in the receiver, for the task that waits.
        case working(CheckedContinuation<Answer, Never>)
        /// The task was cancelled, and has its answer. The thread takes
        /// no more frames, and says goodbye.
        case cancelled
        /// The thread ends. A task that asks gets this answer.
        case ended(Answer)
    }

    private enum Work { case frame, goodbye, end }

    private let receiver: FrameReceiver
    private let state: Monitor<State>

    init(_ receiver: FrameReceiver) {
        self.receiver = receiver
        let state = Monitor(State.idle)
        self.state = state
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-await") { Self.run(receiver, state) }
        } catch {
            receiver.cancel()
            let failure = FrameStreamingError(error, remedy: "no thread could be started to wait for frames")
            state.update { $0 = .ended(.failure(failure)) }
        }
    }

    deinit {
        state.update { state in
            // A goodbye that is due is still sent.
            if case .idle = state { state = .ended(.success(nil)) }
        }
    }

    func next() async throws(FrameStreamingError) -> ReceivedFrame? {
        let answer: Answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Answer? = state.update { state in
                    switch state {
                    case .idle:
                        state = .requested(continuation)
                        return nil
                    case .requested, .working:
                        return .failure(
                            FrameStreamingError(.busy, "another task waits for a frame of this receiver already"))
                    case .cancelled: return .success(nil)
                    case .ended(let answer): return answer
                    }
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            cancel()
        }
        return try answer.get()
    }

    /// Answers the waiting task at once, even if the thread is in the receiver or in a slow codec.
    private func cancel() {
        // Called first, so that the thread finds it afterwards.
        receiver.stop()
        let waiting: CheckedContinuation<Answer, Never>? = state.update { state in
            switch state {
            case .requested(let continuation), .working(let continuation):
                state = .cancelled
                return continuation
            case .idle:
                state = .cancelled
                return nil
            case .cancelled, .ended: return nil
            }
        }
        waiting?.resume(returning: .success(nil))
    }

    private static func run(_ receiver: FrameReceiver, _ state: Monitor<State>) {
        while true {
            let work: Work? = state.wait(until: nil) { state in
                switch state {
                case .idle, .working: return nil
                case .requested(let continuation):
                    state = .working(continuation)
                    return .frame
                case .cancelled:
                    state = .ended(.success(nil))
                    return .goodbye
                case .ended: return .end
                }
            }
            switch work {
            case .frame: answer(receiver, state)
            // A stopped receiver says goodbye when it is asked for the next frame.
            case .goodbye: _ = try? receiver.next()
            case .end, nil: return
            }
        }
    }

    /// Waits for a frame, and gives it to the task that asked, if it still waits.
    private static func answer(_ receiver: FrameReceiver, _ state: Monitor<State>) {
        let answer: Answer
        do throws(FrameStreamingError) {
            answer = .success(try receiver.next())
        } catch {
            answer = .failure(error)
        }
        let waiting: CheckedContinuation<Answer, Never>? = state.update { state in
            guard case .working(let continuation) = state else { return nil }
            state = .idle
            return continuation
        }
        if let waiting { waiting.resume(returning: answer) } else { receiver.takeBack() }
    }
}
