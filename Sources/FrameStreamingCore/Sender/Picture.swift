internal import FrameStreamingSystem

/// A picture on its way to any number of connections: encoded once for all of them, for the first that has credit.
final class Picture: Sendable {
    /// What encoding came to.
    struct Encoded: Sendable {
        var result: Result<Frame, FrameStreamingError>
        /// Nanoseconds in the codec; 0 for a picture that was compressed already.
        var time: Int64
        /// What it was encoded with; nil for a picture that was compressed already.
        var settings: EncodeSettings?
    }

    private enum State {
        case raw
        /// Those who want to know when it is done.
        case encoding([@Sendable () -> Void])
        case encoded(Encoded)
    }

    /// What somebody who wants the compressed picture has to do.
    enum Request {
        case wait
        /// Nobody is at it: see to it that ``encode(with:_:)`` is called.
        case encode
        case ready
    }

    let frame: Frame
    /// When the source gave it.
    let offered: MonotonicTime
    private let state: Monitor<State>

    init(_ frame: Frame, offered: MonotonicTime) {
        self.frame = frame
        self.offered = offered
        let isCompressed = frame.format.pixelFormat.isCompressed
        state = Monitor(isCompressed ? .encoded(Encoded(result: .success(frame), time: 0)) : .raw)
    }

    /// When it was captured; when the source gave it, where that is not known on this clock.
    var captured: MonotonicTime {
        guard let time = frame.captureTime, time.clock == .monotonic else { return offered }
        return min(offered, MonotonicTime(nanoseconds: time.nanoseconds))
    }

    /// Whether ``encoded`` is there: cheaper to ask than to get it.
    var isEncoded: Bool {
        state.withLock { state in
            if case .encoded = state { true } else { false }
        }
    }

    /// What encoding came to; nil while it has not.
    var encoded: Encoded? {
        state.withLock { state in
            if case .encoded(let encoded) = state { encoded } else { nil }
        }
    }

    /// Asks for the compressed picture. `done` is called when it is there, on the thread that encoded it, unless it is there already.
    func request(_ done: @escaping @Sendable () -> Void) -> Request {
        state.withLock { state in
            switch state {
            case .raw:
                state = .encoding([done])
                return .encode
            case .encoding(let others):
                state = .encoding(others + [done])
                return .wait
            case .encoded: return .ready
            }
        }
    }

    /// - Returns: What is to be called now, for those who wait for it.
    func encode(with codec: any FrameCodec, _ settings: EncodeSettings) -> [@Sendable () -> Void] {
        let start = MonotonicTime.now
        let result: Result<Frame, FrameStreamingError>
        do throws(FrameStreamingError) {
            result = .success(try codec.encode(frame, settings))
        } catch {
            result = .failure(error)
        }
        return finish(
            Encoded(result: result, time: MonotonicTime.now.nanoseconds - start.nanoseconds, settings: settings))
    }

    /// Nobody will encode it any more.
    func giveUp() {
        for done in finish(Encoded(result: .failure(.cancelled("encoding")), time: 0)) { done() }
    }

    private func finish(_ encoded: Encoded) -> [@Sendable () -> Void] {
        state.withLock { current in
            defer { current = .encoded(encoded) }
            if case .encoding(let waiting) = current { return waiting }
            return []
        }
    }
}
