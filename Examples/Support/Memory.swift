internal import Glibc

/// Keeps a program's memory flat over days of connections that come and go. Called before the first
/// thread is started.
///
/// Each connection has figures of some 100 kB, which the thread that makes them takes from its own
/// arena. By glibc's defaults there are eight arenas for each core, and what is freed in them lies
/// between other blocks, and is not given back: after 300 breaks a receiver had 5.0 MB of the
/// system's, of which 2.2 MB were in use. With two arenas, and large blocks on pages of their own, it
/// stays as it is after the first breaks. Frames are in pools, which ask for memory seldom.
///
/// Unsafe code: `mallopt(3)` is in no module of Swift, so it is looked up, and called by its type.
func limitArenas() {
    guard let found = unsafe dlsym(nil, "mallopt") else { return }
    let mallopt = unsafe unsafeBitCast(found, to: (@convention(c) (CInt, CInt) -> CInt).self)
    // M_ARENA_MAX and M_MMAP_THRESHOLD of malloc.h.
    _ = mallopt(-8, 2)
    _ = mallopt(-3, 32 << 10)
}
