// Swift's own `main` is the program's; SDL's would rename it.
#define SDL_MAIN_HANDLED
#include <SDL.h>

// A function-like macro, which Swift does not import.
static const int fs_window_centred = SDL_WINDOWPOS_CENTERED;
