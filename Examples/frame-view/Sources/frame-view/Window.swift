internal import CSDL2
internal import FrameStreaming
internal import Glibc

/// The window: SDL's, with a renderer. On the main thread alone, as SDL demands.
///
/// Unsafe code, safe because: only this class has the addresses of window and
/// renderer, from its init to its deinit; all other arguments of calls are locals and
/// strings that live as long as the call.
@safe final class Window {
    private let window: OpaquePointer
    private let renderer: OpaquePointer
    private var picture: PictureTexture?
    private(set) var isFullscreen = false
    /// The largest texture.
    let largestTexture: Size
    /// What draws, by SDL's name: `opengl`, `software`, ...
    let rendererName: String

    /// Opens a window.
    ///
    /// - Parameters:
    ///   - scaleQuality: SDL's name of the method that scales pictures.
    ///   - vsync: Whether each picture waits for the display's next refresh. At 60 Hz this takes
    ///     8 ms on average and 17 at most, and drivers that keep a queue of pictures add whole
    ///     refreshes. Without it the picture may change in the middle of a refresh, unless there
    ///     is a compositor.
    /// - Throws: `notFound` without a display; `system` where SDL cannot draw on it.
    init(scaleQuality: String, vsync: Bool, fullscreen: Bool) throws(FrameStreamingError) {
        // `Interruption` handles Ctrl-C.
        unsafe SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1")
        unsafe SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, scaleQuality)
        // SDL switches off the desktop's compositor, as games want
        // it. A window among others must not.
        unsafe SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, fullscreen ? "1" : "0")
        try Self.connect()
        // JPEG has BT.601, full range. By default SDL assumes
        // limited range, and shows grey 40 as 28.
        SDL_SetYUVConversionMode(SDL_YUV_CONVERSION_JPEG)
        let flags = SDL_WINDOW_RESIZABLE.rawValue | SDL_WINDOW_ALLOW_HIGHDPI.rawValue
        guard
            let window = unsafe SDL_CreateWindow(
                "frame-view", fs_window_centred, fs_window_centred, 640, 480,
                flags | (fullscreen ? SDL_WINDOW_FULLSCREEN_DESKTOP.rawValue : 0))
        else {
            defer { SDL_Quit() }
            throw .sdl("no window could be opened")
        }
        guard
            let renderer = unsafe SDL_CreateRenderer(
                window, -1, vsync ? SDL_RENDERER_PRESENTVSYNC.rawValue : 0)
        else {
            defer {
                unsafe SDL_DestroyWindow(window)
                SDL_Quit()
            }
            throw .sdl("the window cannot be drawn in: try SDL_RENDER_DRIVER=software")
        }
        unsafe self.window = window
        unsafe self.renderer = renderer
        var info = unsafe SDL_RendererInfo()
        unsafe SDL_GetRendererInfo(renderer, &info)
        rendererName = unsafe info.name.map { unsafe String(cString: $0) } ?? "unknown"
        // 0 = no limit, as in SDL's software renderer.
        largestTexture = unsafe Size(
            width: info.max_texture_width > 0 ? Int(info.max_texture_width) : FrameFormat.maximumSide,
            height: info.max_texture_height > 0 ? Int(info.max_texture_height) : FrameFormat.maximumSide)
        isFullscreen = fullscreen
        if fullscreen { SDL_ShowCursor(SDL_DISABLE) }
        unsafe SDL_SetRenderDrawBlendMode(renderer, SDL_BLENDMODE_BLEND)
        unsafe SDL_SetWindowMinimumSize(window, 64, 48)
    }

    /// Finds a display.
    private static func connect() throws(FrameStreamingError) {
        let isThere = SDL_Init(SDL_INIT_VIDEO) == 0
        let reason = isThere ? "" : " (SDL: \(unsafe String(cString: SDL_GetError())))"
        // SDL's last resort is an invisible window, which is right
        // only if the user chose that driver.
        let isUnseen = unsafe SDL_GetCurrentVideoDriver().map { unsafe String(cString: $0) } == "offscreen"
        let isWanted = unsafe getenv("SDL_VIDEODRIVER") != nil
        if isThere, !isUnseen || isWanted { return }
        SDL_Quit()
        throw FrameStreamingError(
            .notFound,
            "no display: set DISPLAY or WAYLAND_DISPLAY, or SDL_VIDEODRIVER=dummy for a window that nobody sees\(reason)"
        )
    }

    deinit {
        picture = nil
        unsafe SDL_DestroyRenderer(renderer)
        unsafe SDL_DestroyWindow(window)
        SDL_Quit()
    }

    /// The drawable size in pixels of the screen: on high-resolution displays larger
    /// than the window's size in points.
    var size: Size {
        var (width, height): (CInt, CInt) = (0, 0)
        unsafe SDL_GetRendererOutputSize(renderer, &width, &height)
        return Size(width: max(1, Int(width)), height: max(1, Int(height)))
    }

    var title: String = "frame-view" {
        didSet { if title != oldValue { unsafe SDL_SetWindowTitle(window, title) } }
    }

    /// Removes the window from the screen at once: the rest of the program needs no window.
    func hide() { unsafe SDL_HideWindow(window) }

    func toggleFullscreen() throws(FrameStreamingError) {
        // The desktop's own resolution: switching the display's mode takes seconds, and
        // leaves other windows in disorder.
        let flags = isFullscreen ? 0 : SDL_WINDOW_FULLSCREEN_DESKTOP.rawValue
        guard unsafe SDL_SetWindowFullscreen(window, flags) == 0 else {
            throw .sdl("the window cannot fill the screen")
        }
        isFullscreen.toggle()
        SDL_ShowCursor(isFullscreen ? SDL_DISABLE : SDL_ENABLE)
    }

    /// Makes the window as large as the picture, or as the screen allows.
    func fit(to picture: Size) {
        guard !isFullscreen else { return }
        var bounds = SDL_Rect()
        guard unsafe SDL_GetDisplayUsableBounds(max(0, SDL_GetWindowDisplayIndex(window)), &bounds) == 0 else {
            return
        }
        var (top, left, bottom, right): (CInt, CInt, CInt, CInt) = (0, 0, 0, 0)
        // Not every display knows the width of its windows' borders; then they are taken for 0.
        _ = unsafe SDL_GetWindowBordersSize(window, &top, &left, &bottom, &right)
        // SDL sizes windows in points.
        let (points, pixels) = (pointSize, size)
        let room = Size(
            width: max(1, Int(bounds.w - left - right) * pixels.width / points.width),
            height: max(1, Int(bounds.h - top - bottom) * pixels.height / points.height))
        let wanted = windowSize(for: picture, room: room)
        let width = CInt(wanted.width * points.width / pixels.width)
        let height = CInt(wanted.height * points.height / pixels.height)
        unsafe SDL_SetWindowSize(window, width, height)
        unsafe SDL_SetWindowPosition(
            window, bounds.x + left + (bounds.w - left - right - width) / 2,
            bounds.y + top + (bounds.h - top - bottom - height) / 2)
    }

    private var pointSize: Size {
        var (width, height): (CInt, CInt) = (0, 0)
        unsafe SDL_GetWindowSize(window, &width, &height)
        return Size(width: max(1, Int(width)), height: max(1, Int(height)))
    }

    // MARK: Drawing

    /// Copies a picture to the display's memory. ``draw(dimmed:_:)`` shows it.
    func load(_ frame: Frame) throws(FrameStreamingError) {
        if picture?.takes(frame.format) != true {
            picture = nil
            picture = unsafe try PictureTexture(frame.format, on: renderer)
        }
        try picture?.update(frame)
    }

    /// Releases the picture after the display lost its memory: it must be loaded again.
    func unload() { picture = nil }

    /// Draws the picture, if any, with texts over it, and shows it.
    func draw(dimmed: Bool, _ texts: [TextLayout]) {
        unsafe SDL_SetRenderDrawColor(renderer, 0, 0, 0, 255)
        unsafe SDL_RenderClear(renderer)
        if let picture {
            var place = SDL_Rect(letterbox(picture.size, in: size))
            unsafe SDL_RenderCopy(renderer, picture.pointer, nil, &place)
            if dimmed {
                unsafe SDL_SetRenderDrawColor(renderer, 0, 0, 0, 160)
                unsafe SDL_RenderFillRect(renderer, &place)
            }
        }
        for text in texts {
            var box = SDL_Rect(text.box)
            unsafe SDL_SetRenderDrawColor(renderer, 0, 0, 0, 160)
            unsafe SDL_RenderFillRect(renderer, &box)
            unsafe SDL_SetRenderDrawColor(renderer, 255, 255, 255, 255)
            let dots = text.dots.map(SDL_Rect.init)
            unsafe SDL_RenderFillRects(renderer, dots, CInt(dots.count))
        }
        unsafe SDL_RenderPresent(renderer)
    }
}

extension SDL_Rect {
    fileprivate init(_ area: Area) {
        self.init(x: CInt(area.x), y: CInt(area.y), w: CInt(area.width), h: CInt(area.height))
    }
}
