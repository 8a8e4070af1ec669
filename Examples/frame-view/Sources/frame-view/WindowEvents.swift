internal import CSDL2
internal import FrameStreaming

/// An event of the window.
enum WindowEvent: Hashable {
    case key(KeyCommand)
    /// The user closed it, or the desktop session ends.
    case close
    /// The user gave it another size.
    case resized
    /// A part of it must be drawn again.
    case exposed
    case hidden, shown
    /// The display's memory lost the textures.
    case texturesLost
    /// Another thread has news.
    case news
}

/// SDL's event queue. The main thread waits here for everything, including news from
/// the network, so nothing is polled.
///
/// Unsafe code, safe because: the event is a local, and only the union's
/// member that its type names is read.
struct Events {
    private let newsType: UInt32

    /// - Throws: `limitExceeded` if SDL has no event number left.
    init() throws(FrameStreamingError) {
        newsType = SDL_RegisterEvents(1)
        guard newsType != UInt32.max else {
            throw FrameStreamingError(.limitExceeded, "SDL has no event left for news of the stream")
        }
    }

    /// Wakes the main thread from any other thread: SDL's queue is its only part that allows
    /// this. A full queue needs no waking.
    var wake: @Sendable () -> Void {
        { [newsType] in
            var event = unsafe SDL_Event()
            unsafe event.type = newsType
            unsafe SDL_PushEvent(&event)
        }
    }

    /// Waits for an event until the deadline, and takes all events that have arrived.
    func take(until deadline: Deadline) -> [WindowEvent] {
        var event = unsafe SDL_Event()
        var found: [WindowEvent] = []
        var isThere: CInt
        if let time = deadline.time {
            // Rounded up, so that the deadline has passed when the wait ends without an event.
            let left = milliseconds(MonotonicTime.now.duration(to: time)).rounded(.up)
            isThere = unsafe SDL_WaitEventTimeout(&event, CInt(min(max(0, left), Double(CInt.max))))
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
