internal import FrameStreamingSystem

/// The thread behind an iterator of ``FrameSequence``, or behind one async call: waits for a
/// request, blocks in the receiver for it, and answers.
final class FramePump: Sendable {
    typealias Answer = Result<ReceivedFrame?, FrameStreamingError>

    /// What a task asks for.
    struct Request {
        /// Whether it is the newest frame, and not the oldest.
        var newest = false
        var deadline = Deadline.never
    }

    private enum State {
        /// No task asks. The consumer may have a frame.
        case idle
        /// A task has begun to ask, so it has consumed the frame before.
        case asking
        /// A task waits, and the thread has not begun.
        case requested(Request, CheckedContinuation<Answer, Never>)
        /// The thread is in the receiver, for the task that waits.
        case working(CheckedContinuation<Answer, Never>)
        /// The task was cancelled, and has its answer. The thread takes
        /// no more frames, and says goodbye.
        case cancelled
        /// The thread ends. A task that asks gets this answer.
        case ended(Answer)
    }

    private enum Work { case frame(Request), goodbye, end }

    private let receiver: FrameReceiver
    private let consumer: FrameConsumer
    private let state: Monitor<State>

    init(_ receiver: FrameReceiver) {
        self.receiver = receiver
        let consumer = receiver.makeConsumer()
        self.consumer = consumer
        let state = Monitor(State.idle)
        self.state = state
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-await") { Self.run(receiver, consumer, state) }
        } catch {
            receiver.cancel()
            let failure = FrameStreamingError(error, remedy: "no thread could be started to wait for frames")
            state.update { $0 = .ended(.failure(failure)) }
        }
    }

    deinit {
        // A task that is cancelled in the body of its loop leaves it by a throw or a break: here
        // is the last place that knows of the cancel.
        receiver.endTurn(consumer, byCancelledTask: Task.isCancelled)
        state.update { state in
            // A goodbye that is due is still sent.
            if case .idle = state { state = .ended(.success(nil)) }
        }
    }

    func next(_ request: Request = Request()) async throws(FrameStreamingError) -> ReceivedFrame? {
        let isBusy = state.withLock { state in
            switch state {
            case .idle:
                state = .asking
                return false
            case .asking, .requested, .working: return true
            case .cancelled, .ended: return false
            }
        }
        if isBusy { throw Self.busy }
        let answer: Answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Answer? = state.update { state in
                    switch state {
                    case .asking:
                        state = .requested(request, continuation)
                        return nil
                    case .idle, .requested, .working: return .failure(Self.busy)
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

    private static var busy: FrameStreamingError {
        FrameStreamingError(.busy, "another task waits for a frame of this iterator already")
    }

    /// Answers the waiting task at once, even if the thread is in the receiver or in a slow codec.
    private func cancel() {
        let waiting: CheckedContinuation<Answer, Never>? = state.update { state in
            let waiting: CheckedContinuation<Answer, Never>?
            switch state {
            case .asking: waiting = nil
            case .requested(_, let continuation), .working(let continuation): waiting = continuation
            // The task has a frame that it has not consumed. If it asks again, it gets here again.
            case .idle: return nil
            case .cancelled, .ended: return nil
            }
            // Before the state changes, so that the thread finds it afterwards. The stream of
            // another consumer goes on.
            state = receiver.stop(for: consumer) ? .cancelled : .ended(.success(nil))
            return waiting
        }
        waiting?.resume(returning: .success(nil))
    }

    private static func run(_ receiver: FrameReceiver, _ consumer: FrameConsumer, _ state: Monitor<State>) {
        while true {
            let work: Work? = state.wait(until: nil) { state in
                switch state {
                case .idle, .asking, .working: return nil
                case .requested(let request, let continuation):
                    state = .working(continuation)
                    return .frame(request)
                case .cancelled:
                    state = .ended(.success(nil))
                    return .goodbye
                case .ended: return .end
                }
            }
            switch work {
            case .frame(let request): answer(request, receiver, consumer, state)
            // The goodbye is that of the stop.
            case .goodbye: receiver.close(.stopped(""), consumed: true, limit: nil)
            case .end, nil: return
            }
        }
    }

    /// Waits for a frame, and gives it to the task that asked, if it still waits.
    private static func answer(
        _ request: Request, _ receiver: FrameReceiver, _ consumer: FrameConsumer, _ state: Monitor<State>
    ) {
        let answer: Answer
        var isFrame = false
        do throws(FrameStreamingError) {
            let received = try receiver.take(for: consumer, newest: request.newest, until: request.deadline)
            isFrame = received != nil
            answer = .success(received)
        } catch {
            answer = .failure(error)
        }
        let waiting: CheckedContinuation<Answer, Never>? = state.update { state in
            guard case .working(let continuation) = state else { return nil }
            state = .idle
            // Under this lock, so that a cancel finds the frame either with the task or not.
            if isFrame { receiver.handOver() }
            return continuation
        }
        if !isFrame { receiver.endTurn(consumer) }
        if let waiting {
            waiting.resume(returning: answer)
        } else if isFrame {
            receiver.takeBack()
        }
    }
}
