internal import CSDL2
internal import FrameStreaming

/// A picture in the display's memory: a streaming texture of the picture's own size and layout.
///
/// Unsafe code, safe because: only this class uses the texture, on the main thread, and destroys
/// it before `Window` destroys the renderer. SDL reads a frame's bytes during a call only, and the
/// frame's format says where the planes are.
@safe final class PictureTexture {
    let pointer: OpaquePointer
    let size: Size
    let pixelFormat: PixelFormat

    init(_ format: FrameFormat, on renderer: OpaquePointer) throws(FrameStreamingError) {
        size = Size(width: format.width, height: format.height)
        pixelFormat = format.pixelFormat
        let layout = pixelFormat == .i420 ? SDL_PIXELFORMAT_IYUV : SDL_PIXELFORMAT_BGRA32
        guard
            let texture = unsafe SDL_CreateTexture(
                renderer, layout.rawValue, CInt(SDL_TEXTUREACCESS_STREAMING.rawValue), CInt(size.width),
                CInt(size.height))
        else { throw .sdl("a picture of \(format) cannot be shown here") }
        unsafe pointer = texture
    }

    deinit { unsafe SDL_DestroyTexture(pointer) }

    /// Whether a picture of this format can be written into it.
    func takes(_ format: FrameFormat) -> Bool {
        size == Size(width: format.width, height: format.height) && pixelFormat == format.pixelFormat
    }

    /// Copies a picture's planes, as they are, into the texture.
    func update(_ frame: Frame) throws(FrameStreamingError) {
        precondition(takes(frame.format))
        let format = frame.format
        let code = unsafe frame.withUnsafeBytes { bytes -> CInt in
            guard let base = unsafe bytes.bindMemory(to: UInt8.self).baseAddress else { return -1 }
            func start(_ index: Int) -> UnsafePointer<UInt8> { unsafe base + format.plane(index).offset }
            func stride(_ index: Int) -> CInt { CInt(format.plane(index).stride) }
            if pixelFormat == .i420 {
                return unsafe SDL_UpdateYUVTexture(
                    pointer, nil, start(0), stride(0), start(1), stride(1), start(2), stride(2))
            }
            return unsafe SDL_UpdateTexture(pointer, nil, start(0), stride(0))
        }
        if code != 0 { throw .sdl("a picture of \(format) cannot be shown") }
    }
}

extension FrameStreamingError {
    /// Returns an error with SDL's text about the last failed call on this thread.
    static func sdl(_ words: String) -> FrameStreamingError {
        FrameStreamingError(.system, "\(words) (SDL: \(unsafe String(cString: SDL_GetError())))")
    }
}
