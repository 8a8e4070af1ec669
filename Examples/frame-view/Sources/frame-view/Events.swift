internal import CSDL2
internal import FrameStreaming

/// What happens to the window.
enum WindowEvent: Hashable {
    case key(KeyCommand)
    /// Its button for closing was pressed, or the session ends.
    case close
    /// Somebody gave it another size.
    case resized
    /// Some of it is to be drawn again.
    case exposed
    case hidden, shown
    /// The display's memory lost the textures.
    case texturesLost
    /// Another thread has news.
    case news
}

/// SDL's queue: where the main thread waits for everything, the network's news
/// included, so that nothing is polled.
///
/// Unsafe code, safe because: the event is a local, of which the member is
/// read that its type says is there.
struct Events {
    private let newsType: UInt32

    /// - Throws: `limitExceeded` where SDL has no number for an event any more.
    init() throws(FrameStreamingError) {
        newsType = SDL_RegisterEvents(1)
        guard newsType != UInt32.max else {
            throw FrameStreamingError(.limitExceeded, "SDL has no event left for news of the stream")
        }
    }

    /// What wakes the main thread, from any other: SDL's queue is the one part of it that may be
    /// used so. A queue that is full needs no waking.
    var wake: @Sendable () -> Void {
        { [newsType] in
            var event = unsafe SDL_Event()
            unsafe event.type = newsType
            unsafe SDL_PushEvent(&event)
        }
    }

    /// Waits for events until the deadline, and takes all that there are.
    func take(until deadline: Deadline) -> [WindowEvent] {
        var event = unsafe SDL_Event()
        var found: [WindowEvent] = []
        var isThere: CInt
        if let time = deadline.time {
            // Rounded up, so that the deadline has passed when nothing came.
            let milliseconds = (time.nanoseconds - MonotonicTime.now.nanoseconds + 999_999) / 1_000_000
            isThere = unsafe SDL_WaitEventTimeout(&event, CInt(clamping: max(0, milliseconds)))
        } else {
            isThere = unsafe SDL_WaitEvent(&event)
        }
        while isThere == 1 {
            if let known = unsafe read(event) { found.append(known) }
            isThere = unsafe SDL_PollEvent(&event)
        }
        return found
    }

    private func read(_ event: SDL_Event) -> WindowEvent? {
        if unsafe event.type == newsType { return .news }
        switch unsafe SDL_EventType(rawValue: event.type) {
        case SDL_QUIT: return .close
        case SDL_KEYDOWN:
            let key = unsafe event.key
            return keyCommand(code: key.keysym.sym, modifiers: key.keysym.mod, isRepeat: key.repeat != 0)
                .map { .key($0) }
        case SDL_RENDER_TARGETS_RESET, SDL_RENDER_DEVICE_RESET: return .texturesLost
        case SDL_WINDOWEVENT:
            switch SDL_WindowEventID(rawValue: UInt32(unsafe event.window.event)) {
            case SDL_WINDOWEVENT_CLOSE: return .close
            case SDL_WINDOWEVENT_RESIZED: return .resized
            case SDL_WINDOWEVENT_EXPOSED, SDL_WINDOWEVENT_SIZE_CHANGED: return .exposed
            case SDL_WINDOWEVENT_MINIMIZED, SDL_WINDOWEVENT_HIDDEN: return .hidden
            case SDL_WINDOWEVENT_RESTORED, SDL_WINDOWEVENT_SHOWN, SDL_WINDOWEVENT_MAXIMIZED: return .shown
            default: return nil
            }
        default: return nil
        }
    }
}
