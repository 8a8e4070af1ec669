internal import Dispatch
internal import FrameStreaming
internal import Synchronization

/// Shared by the receiving thread and the window's thread: the newest picture, the
/// stream's status, and the wish to end.
final class Stage: Sendable {
    /// The changes that the window has not seen yet.
    struct News {
        /// A picture to show. The caller that takes it calls ``Stage/presented()`` afterwards.
        var picture: ReceivedFrame?
        var status: StreamStatus
        /// The receiver whose figures are shown; nil = no sender is connected.
        var receiver: FrameReceiver?
        /// Set when the window must close by itself.
        var end: End?
    }

    /// Why the window closes by itself.
    enum End: Sendable {
        case interrupted
        /// The only wanted stream is over, or there will be none.
        case over(FrameStreamingError?)
    }

    private struct State {
        var news: News
        /// Whether the receiving thread waits until its picture is on the screen.
        var isAwaited = false
        /// Whether the window has that picture.
        var isTaken = false
        var closing: Goodbye?
    }

    private let state: Mutex<State>
    private let wasPresented = DispatchSemaphore(value: 0)
    private let wake: @Sendable () -> Void

    /// - Parameter wake: Wakes the window's thread, which then calls ``Stage/take()``.
    init(_ status: StreamStatus, wake: @escaping @Sendable () -> Void) {
        state = Mutex(State(news: News(status: status)))
        self.wake = wake
    }

    // MARK: Receiving

    /// Notes a connected receiver. After ``close(_:)`` it is ended with that goodbye.
    ///
    /// - Returns: The status until now.
    @discardableResult func enter(_ receiver: FrameReceiver) -> StreamStatus {
        let (closing, before) = state.withLock { state in
            defer {
                state.news.receiver = receiver
                state.news.status = .live(StreamStatus.name(of: receiver.peer))
            }
            return (state.closing, state.news.status)
        }
        if let closing { receiver.stop(closing) }
        wake()
        return before
    }

    /// The present receiver.
    var receiver: FrameReceiver? { state.withLock { $0.news.receiver } }

    /// The present receiver, if its stream has this session. Session 0 is none.
    func receiver(of session: UInt64) -> FrameReceiver? {
        guard session != 0, let receiver = state.withLock({ $0.news.receiver }) else { return nil }
        return receiver.peer.session == session ? receiver : nil
    }

    /// Hands a picture to the window and returns when it is on the screen. The picture is consumed
    /// and acknowledged only then, so the sender sends no faster than the display shows.
    func show(_ received: ReceivedFrame) {
        let isClosing = state.withLock { state in
            guard state.closing == nil else { return true }
            state.news.picture = received
            state.isAwaited = true
            return false
        }
        if isClosing { return }
        wake()
        wasPresented.wait()
    }

    /// Sets the stream's status.
    func note(_ status: StreamStatus) {
        state.withLock { $0.news.status = status }
        wake()
    }

    /// Notes an event of the present stream.
    func note(_ event: ReceiverEvent, of peer: Peer) {
        switch event {
        case .sourceLost(let reason): note(.sourceLost(String(printable: reason)))
        case .sourceRestored: note(.live(StreamStatus.name(of: peer)))
        case .undecodable: break
        @unknown default: break
        }
    }

    /// Notes that no sender can be reached. After a stream this is not shown,
    /// because the stream's end says more.
    func waits(_ reason: String) {
        state.withLock { if case .waiting = $0.news.status { $0.news.status = .waiting(reason) } }
        wake()
    }

    /// Notes that the connection is over.
    func leave(_ status: StreamStatus) {
        state.withLock { state in
            state.news.receiver = nil
            state.news.status = status
        }
        wake()
    }

    /// Asks the window to close.
    func end(_ end: End) {
        state.withLock { $0.news.end = $0.news.end ?? end }
        wake()
    }

    // MARK: The window

    /// Returns the changes since the last call. A picture is returned only once.
    func take() -> News {
        state.withLock { state in
            state.isTaken = state.isTaken || state.news.picture != nil
            defer { state.news.picture = nil }
            return state.news
        }
    }

    /// Notes that the picture that was taken, if any, is on the
    /// screen, or that the window is hidden.
    func presented() { release { $0.isTaken } }

    private func release(if isDue: (State) -> Bool) {
        let isFree = state.withLock { state in
            guard state.isAwaited, isDue(state) else { return false }
            (state.isAwaited, state.isTaken) = (false, false)
            return true
        }
        if isFree { wasPresented.signal() }
    }

    /// Notes that the window is gone: the sender gets the goodbye, and no picture waits any more.
    func close(_ goodbye: Goodbye) {
        let receiver = state.withLock { state in
            state.closing = state.closing ?? goodbye
            return state.news.receiver
        }
        receiver?.stop(goodbye)
        release { _ in true }
    }
}
