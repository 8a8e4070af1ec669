import CSDL2
import Testing

@testable import frame_view

@Suite struct KeysTests {
    private func command(_ key: SDL_KeyCode, _ modifiers: SDL_Keymod = KMOD_NONE, isRepeat: Bool = false) -> KeyCommand?
    {
        keyCommand(
            code: Int32(bitPattern: key.rawValue), modifiers: UInt16(modifiers.rawValue), isRepeat: isRepeat)
    }

    @Test func eachKeyHasItsCommand() {
        #expect(command(SDLK_f) == .toggleFullscreen && command(SDLK_F11) == .toggleFullscreen)
        #expect(command(SDLK_s) == .snapshot)
        #expect(command(SDLK_i) == .toggleOverlay)
        #expect(command(SDLK_q) == .quit)
        #expect(command(SDLK_ESCAPE) == .back)
    }

    @Test func otherKeysHaveNone() {
        for key in [SDLK_a, SDLK_SPACE, SDLK_RETURN, SDLK_F1, SDLK_F10] { #expect(command(key) == nil) }
    }

    @Test func capitalLettersCount() {
        #expect(command(SDLK_s, KMOD_LSHIFT) == .snapshot && command(SDLK_q, KMOD_CAPS) == .quit)
        // Num Lock is not a modifier.
        #expect(command(SDLK_f, KMOD_NUM) == .toggleFullscreen)
    }

    @Test(arguments: [KMOD_LCTRL, KMOD_RCTRL, KMOD_LALT, KMOD_RALT, KMOD_LGUI, KMOD_RGUI])
    func shortcutsOfTheDesktopAreLeftAlone(modifier: SDL_Keymod) {
        for key in [SDLK_f, SDLK_s, SDLK_i, SDLK_q, SDLK_ESCAPE] { #expect(command(key, modifier) == nil) }
    }

    @Test func aKeyThatIsHeldCountsOnce() {
        for key in [SDLK_f, SDLK_s, SDLK_i, SDLK_q, SDLK_ESCAPE] { #expect(command(key, isRepeat: true) == nil) }
    }
}
