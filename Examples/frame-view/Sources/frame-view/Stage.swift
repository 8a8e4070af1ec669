internal import Dispatch
internal import FrameStreaming
internal import Synchronization

/// Between the thread that receives and the window's: the newest picture, how
/// things stand, and the wish to end.
final class Stage: Sendable {
    /// What the window has not seen yet.
    struct News {
        /// A picture to show: whoever takes it says ``Stage/presented()`` when that is done.
        var picture: ReceivedFrame?
        var status: StreamStatus
        /// Whose figures are to be shown; nil = nobody is connected.
        var receiver: FrameReceiver?
        /// Set when the window is to close by itself.
        var end: End?
    }

    /// Why the window closes without having been asked to.
    enum End: Sendable {
        case interrupted
        /// The only stream that was wanted is over, or there will be none.
        case over(FrameStreamingError?)
    }

    private struct State {
        var news: News
        /// The thread that receives waits for its picture to be on the screen.
        var isAwaited = false
        /// The window has that picture.
        var isTaken = false
        var closing: Goodbye?
    }

    private let state: Mutex<State>
    private let wasPresented = DispatchSemaphore(value: 0)
    private let wake: @Sendable () -> Void

    /// - Parameter wake: Has the window's thread look at the news.
    init(_ status: StreamStatus, wake: @escaping @Sendable () -> Void) {
        state = Mutex(State(news: News(status: status)))
        self.wake = wake
    }

    // MARK: Receiving

    /// Somebody is connected. After ``close(_:)`` they are sent away with its reason.
    func enter(_ receiver: FrameReceiver) {
        let closing = state.withLock { state in
            state.news.receiver = receiver
            state.news.status = .live(StreamStatus.name(of: receiver.peer))
            return state.closing
        }
        if let closing { receiver.stop(closing) }
        wake()
    }

    /// Who receives just now.
    var receiver: FrameReceiver? { state.withLock { $0.news.receiver } }

    /// Who receives the stream of this session just now. There is no session 0.
    func receiver(of session: UInt64) -> FrameReceiver? {
        guard session != 0, let receiver = state.withLock({ $0.news.receiver }) else { return nil }
        return receiver.peer.session == session ? receiver : nil
    }

    /// Hands a picture to the window and returns when it is on the screen: only then it was
    /// consumed, and may be acknowledged. So the figures count what the display takes, and the
    /// sender sends as fast as that and no faster.
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

    /// How things stand from now on.
    func note(_ status: StreamStatus) {
        state.withLock { $0.news.status = status }
        wake()
    }

    /// Nobody is there, which is no news after a stream: its end says more.
    func waits(_ reason: String) {
        state.withLock { if case .waiting = $0.news.status { $0.news.status = .waiting(reason) } }
        wake()
    }

    /// The connection is over.
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

    /// What is new.
    func take() -> News {
        state.withLock { state in
            state.isTaken = state.isTaken || state.news.picture != nil
            defer { state.news.picture = nil }
            return state.news
        }
    }

    /// The picture that was taken, if one was, is on the screen, or nobody can see it.
    func presented() { release { $0.isTaken } }

    private func release(if isDue: (State) -> Bool) {
        let isFree = state.withLock { state in
            guard state.isAwaited, isDue(state) else { return false }
            (state.isAwaited, state.isTaken) = (false, false)
            return true
        }
        if isFree { wasPresented.signal() }
    }

    /// The window is gone: the sender is told why, and no picture waits any more.
    func close(_ goodbye: Goodbye) {
        let receiver = state.withLock { state in
            state.closing = state.closing ?? goodbye
            return state.news.receiver
        }
        receiver?.stop(goodbye)
        release { _ in true }
    }
}
