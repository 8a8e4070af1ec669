internal import FrameStreaming
internal import FrameStreamingFiles

#if Media
    internal import FrameStreamingMedia
#endif

/// Inputs that FFmpeg reads: films, numbered pictures and URLs. The programs that `make full` builds
/// have it.
enum FilmInput {
    /// What the user wants of it.
    struct Wishes {
        var playback: PlaybackOptions
        var start: Duration
        var log: FilmLog
    }

    /// Whether only FFmpeg reads this input: a URL, a film, or the pattern of numbered pictures.
    static func isFilm(_ path: String) -> Bool {
        guard path != "-" else { return false }
        return path.contains("://") || path.lowercased().hasSuffix(".sdp") || InputKind.isFilm(path: path)
    }

    #if Media
        static func open(_ path: String, _ wishes: Wishes) throws(FrameStreamingError) -> any FrameSource {
            var options = MediaOptions(playback: wishes.playback, start: wishes.start)
            options.onEvent = { wishes.log.note($0) }
            return try MediaSource(path: path, options: options)
        }
    #else
        /// Says why this program does not read the input, and which programs do.
        static func open(_ path: String, _ wishes: Wishes) throws(FrameStreamingError) -> any FrameSource {
            do throws(FrameStreamingError) {
                return try FileSource(path: path, options: wishes.playback)
            } catch {
                guard error.code == .unsupported else { throw error }
                throw FrameStreamingError(
                    error.code, "\(error.message); or use the programs that make full builds, which read it as it is",
                    subject: error.subject)
            }
        }
    #endif
}
