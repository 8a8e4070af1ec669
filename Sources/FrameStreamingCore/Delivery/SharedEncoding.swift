internal import FrameStreamingSystem

/// A frame for any number of receivers, which is encoded once for all of
/// them, when the first has credit.
final class SharedEncoding: QueueableFrame, EncodingJob {
    /// The result of encoding.
    private struct Outcome {
        var result: Result<Frame, FrameStreamingError>
        var nanoseconds: Int64
        var settings: EncodeSettings?
    }

    private enum State {
        case raw(Frame)
        /// The callbacks for when it is done.
        case encoding(Frame, [@Sendable () -> Void])
        /// The raw frame is released: until the receiver acknowledges the encoding,
        /// a camera may need its buffer.
        case encoded(Outcome)
    }

    /// What the caller must do to get the compressed frame.
    enum Request {
        case wait
        /// No thread encodes it: the caller must have ``encode(with:_:)`` called.
        case encode
        case ready
    }

    private enum Content {
        /// It was encoded from the start: nothing changes, and asking costs no lock.
        case encoded(Frame)
        case changing(Monitor<State>)
    }

    let offered: MonotonicTime
    let captureTime: CaptureTime?
    let hasDecodeWarnings: Bool
    private let content: Content
    /// What an encoder with memory made this frame of; nil = it is of the source.
    let original: SharedEncoding?
    /// Its place among the pictures of the sender that an encoder with memory takes; 0 for others.
    let number: UInt64

    /// - Parameters:
    ///   - isEncoded: Whether it is sent as it is.
    ///   - number: See ``number``.
    init(_ frame: Frame, isEncoded: Bool, number: UInt64 = 0, offered: MonotonicTime) {
        self.offered = offered
        self.number = number
        original = nil
        captureTime = frame.captureTime
        hasDecodeWarnings = frame.hasDecodeWarnings
        content = isEncoded ? .encoded(frame) : .changing(Monitor(.raw(frame)))
    }

    /// What an encoder with memory made of a picture, for one receiver.
    init(_ frame: Frame, madeOf original: SharedEncoding) {
        offered = original.offered
        captureTime = original.captureTime
        hasDecodeWarnings = original.hasDecodeWarnings
        number = original.number
        self.original = original
        content = .encoded(frame)
    }

    var comesEncoded: Bool {
        if case .encoded = content { true } else { false }
    }

    var sentFormat: PixelFormat? { compressed?.format.pixelFormat }
    var dependsOnPrevious: Bool { compressed?.dependsOnPrevious ?? false }

    var encoding: FrameEncoding? {
        switch content {
        case .encoded(let frame): .success(bytes: frame.byteCount, nanoseconds: 0, settings: nil)
        case .changing(let state):
            state.withLock { state in
                guard case .encoded(let outcome) = state else { return nil }
                return switch outcome.result {
                case .success(let frame):
                    .success(bytes: frame.byteCount, nanoseconds: outcome.nanoseconds, settings: outcome.settings)
                case .failure(let error): .failure(error)
                }
            }
        }
    }

    /// The compressed frame; nil = it is not encoded yet, or could not be.
    var compressed: Frame? {
        switch content {
        case .encoded(let frame): frame
        case .changing(let state):
            state.withLock { state in
                guard case .encoded(let outcome) = state, case .success(let frame) = outcome.result else { return nil }
                return frame
            }
        }
    }

    /// Asks for the compressed frame. `done` is called when it has been encoded, on the thread that
    /// did so, but not if it was encoded before.
    func request(_ done: @escaping @Sendable () -> Void) -> Request {
        guard case .changing(let state) = content else { return .ready }
        return state.withLock { state in
            switch state {
            case .raw(let frame):
                state = .encoding(frame, [done])
                return .encode
            case .encoding(let frame, let others):
                state = .encoding(frame, others + [done])
                return .wait
            case .encoded: return .ready
            }
        }
    }

    /// - Returns: The callbacks that must be called now.
    func encode(with codec: any FrameCodec, _ settings: EncodeSettings) -> [@Sendable () -> Void] {
        guard let frame = raw else { return [] }
        let start = MonotonicTime.now
        let result: Result<Frame, FrameStreamingError>
        do throws(FrameStreamingError) {
            result = .success(try codec.encode(frame, settings))
        } catch {
            result = .failure(error)
        }
        return finish(
            Outcome(
                result: result, nanoseconds: MonotonicTime.now.nanoseconds - start.nanoseconds, settings: settings))
    }

    /// Marks it as never to be encoded.
    func giveUp() {
        for done in finish(Outcome(result: .failure(.cancelled("encoding")), nanoseconds: 0)) { done() }
    }

    /// The raw frame; nil = it is encoded.
    var raw: Frame? {
        guard case .changing(let state) = content else { return nil }
        return state.withLock { state in
            switch state {
            case .raw(let frame), .encoding(let frame, _): frame
            case .encoded: nil
            }
        }
    }

    private func finish(_ outcome: Outcome) -> [@Sendable () -> Void] {
        guard case .changing(let state) = content else { return [] }
        return state.withLock { current in
            defer { current = .encoded(outcome) }
            if case .encoding(_, let waiting) = current { return waiting }
            return []
        }
    }
}

extension Outgoing<SharedEncoding> {
    /// The message for the transport; nil = the frame was given up,
    /// which is only possible at the end.
    var message: Message? {
        switch self {
        case .frame(let frame, let info): frame.compressed.map { .frame($0, info) }
        case .notice(.lost(let reason)): .sourceLost(reason: reason)
        case .notice(.restored): .sourceRestored
        case .answer(let answer): .requestAnswer(answer)
        }
    }
}
