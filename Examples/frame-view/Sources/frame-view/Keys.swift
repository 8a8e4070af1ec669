internal import CSDL2

/// The command of a key.
enum KeyCommand: Hashable {
    case toggleFullscreen, snapshot, toggleOverlay, quit
    /// Leaves fullscreen; quits if the window is not in fullscreen.
    case back
}

/// Returns a key's command, by its label and not by its position; nil = none.
///
/// - Parameters:
///   - code: SDL's `keysym.sym`.
///   - modifiers: SDL's `keysym.mod`: with Ctrl, Alt or the Windows key
///     it is a shortcut of the desktop.
///   - isRepeat: Whether the key is held down, which must not take a snapshot of every frame.
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
