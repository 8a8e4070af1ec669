internal import CSDL2

/// What a key asks for.
enum KeyCommand: Hashable {
    case toggleFullscreen, snapshot, toggleOverlay, quit
    /// Out of fullscreen; else it quits.
    case back
}

/// What a key does, by what is printed on it and not by its place; nil = nothing.
///
/// - Parameters:
///   - code: SDL's `keysym.sym`.
///   - modifiers: SDL's `keysym.mod`: with Ctrl, Alt or the Windows key it
///     is a shortcut of somebody else's.
///   - isRepeat: Whether the key is held down. A snapshot a frame is nobody's wish.
func keyCommand(code: Int32, modifiers: UInt16, isRepeat: Bool) -> KeyCommand? {
    let others = UInt16(KMOD_CTRL.rawValue | KMOD_ALT.rawValue | KMOD_GUI.rawValue)
    guard !isRepeat, modifiers & others == 0 else { return nil }
    switch SDL_KeyCode(rawValue: UInt32(bitPattern: code)) {
    case SDLK_f, SDLK_F11: return .toggleFullscreen
    case SDLK_s: return .snapshot
    case SDLK_i: return .toggleOverlay
    case SDLK_q: return .quit
    case SDLK_ESCAPE: return .back
    default: return nil
    }
}
