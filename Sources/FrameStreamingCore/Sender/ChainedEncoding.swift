internal import FrameStreamingSystem

/// An encoder of a codec with memory.
final class EncoderChain: Sendable {
    /// Nil before the first picture, and after an error.
    private let session = Monitor<(any EncodingSession)?>(nil)

    /// Encodes the next picture of the chain. The thread may have to wait for the picture before.
    fileprivate func encode(
        _ picture: Frame, _ settings: EncodeSettings, standsAlone: Bool, with codec: any FrameCodec
    ) -> Result<Frame, FrameStreamingError> {
        session.withLock { session in
            do throws(FrameStreamingError) {
                let present: any EncodingSession
                if let session { present = session } else { present = try codec.makeEncodingSession() }
                session = present
                return .success(try present.encode(picture, settings, standsAlone: standsAlone))
            } catch {
                session = nil
                return .failure(error)
            }
        }
    }
}

/// What an encoder with memory must know of a picture.
struct EncodingOrder: Hashable, Sendable {
    /// Whether the result must stand alone.
    var standsAlone = false
    /// The bytes that the result should have at most; nil = as many as its quality needs.
    var byteTarget: Int?
}

/// A picture for an encoder with memory, and the links that wait for the result.
final class ChainedEncoding: EncodingJob {
    /// Called with the result, and the frame if there is one.
    typealias Callback = @Sendable (FrameEncoding, Frame?) -> Void

    private enum State {
        case waiting(Frame, [Callback])
        case done(FrameEncoding, Frame?)
    }

    private let chain: EncoderChain
    private let order: EncodingOrder
    private let state: Monitor<State>

    /// - Parameter first: Called before all others.
    init(_ picture: Frame, by chain: EncoderChain, _ order: EncodingOrder, first: @escaping Callback) {
        self.chain = chain
        self.order = order
        state = Monitor(.waiting(picture, [first]))
    }

    /// Calls back when it is encoded, on the thread that did so, or at once.
    func whenDone(_ callback: @escaping Callback) {
        let done: (FrameEncoding, Frame?)? = state.withLock { state in
            switch state {
            case .waiting(let picture, let others):
                state = .waiting(picture, others + [callback])
                return nil
            case .done(let encoding, let frame): return (encoding, frame)
            }
        }
        if let done { callback(done.0, done.1) }
    }

    func encode(with codec: any FrameCodec, _ settings: EncodeSettings) -> [@Sendable () -> Void] {
        guard case .waiting(let picture, _) = state.withLock({ $0 }) else { return [] }
        let start = MonotonicTime.now
        var settings = settings
        settings.byteTarget = order.byteTarget ?? settings.byteTarget
        switch chain.encode(picture, settings, standsAlone: order.standsAlone, with: codec) {
        case .success(let frame):
            let time = MonotonicTime.now.nanoseconds - start.nanoseconds
            return finish(.success(bytes: frame.byteCount, nanoseconds: time, settings: settings), frame)
        case .failure(let error): return finish(.failure(error), nil)
        }
    }

    func giveUp() {
        for done in finish(.failure(.cancelled("encoding")), nil) { done() }
    }

    private func finish(_ encoding: FrameEncoding, _ frame: Frame?) -> [@Sendable () -> Void] {
        state.withLock { state in
            guard case .waiting(_, let callbacks) = state else { return [] }
            state = .done(encoding, frame)
            return callbacks.map { callback in { callback(encoding, frame) } }
        }
    }
}
