internal import CFFmpeg
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// FFmpeg's failures as errors with a remedy.
///
/// Unsafe code: FFmpeg's last words are a variable of this thread, which is read before another
/// call of FFmpeg changes it.
enum MediaFailure {
    /// Has FFmpeg leave its last words here, and print nothing. It has one log for the process.
    private static let hasLog: Void = { fs_media_keep_words() }()

    /// Forgets what FFmpeg said before, so that ``lastWords`` is about the next call.
    static func begin() {
        _ = hasLog
        fs_media_forget_words()
    }

    /// What FFmpeg said last on this thread. It may contain text of a file or a server.
    static var lastWords: String {
        let words = unsafe String(cString: fs_media_last_words())
        return words.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// The error of a call that failed with `code`.
    ///
    /// - Parameter isNetwork: Whether it concerns a URL.
    static func error(_ code: CInt, about address: MediaAddress) -> FrameStreamingError {
        let isNetwork = address.kind == .network || address.kind == .description
        let known = known(code, isNetwork: isNetwork)
        let words = lastWords
        guard words.isEmpty else {
            return FrameStreamingError(
                known.code, "\(known.words) (FFmpeg: ", peer: words, behind: ")", subject: address.name)
        }
        return FrameStreamingError(
            known.code, known.words, subject: address.name, errno: known.code == .system ? -code : nil)
    }

    private static func known(
        _ code: CInt, isNetwork: Bool
    ) -> (code: FrameStreamingError.Code, words: String) {
        switch code {
        case fs_media_invalid:
            return (.malformedInput, "is no video that FFmpeg understands, or is damaged")
        case fs_media_end: return (.truncatedInput, "ends before its first picture")
        case fs_media_no_stream: return (.unsupported, "has no video: name a file with pictures")
        case fs_media_no_demuxer, fs_media_no_decoder, fs_media_not_supported:
            return (.unsupported, "is of a kind that this FFmpeg cannot read")
        case fs_media_no_protocol:
            return (.unsupported, "leads to an address that it may not lead to, or that this FFmpeg cannot reach")
        case fs_media_http_unauthorized, fs_media_http_forbidden:
            return (
                .notAuthenticated,
                "the server refuses access: put the user and the password in front of the host, as in http://user:password@host/"
            )
        case fs_media_http_not_found: return (.notFound, "the server has nothing at this address")
        case fs_media_http_bad_request, fs_media_http_other, fs_media_http_server:
            return (.connectionFailed, "the server answers with an error")
        case -Errno.outOfMemory: return (.limitExceeded, "needs more memory than there is or may be used")
        case -Errno.inputOutput where isNetwork, -Errno.timedOut:
            return (.connectionFailed, "cannot be reached: is the host's name right, and the camera on?")
        case -Errno.invalid: return (.malformedInput, "is no video that FFmpeg understands, or is damaged")
        default:
            guard code < 0, code > -4096 else { return (.malformedInput, "cannot be read by FFmpeg") }
            let error = SystemError("FFmpeg", code: -code)
            return (FrameStreamingError(error).code, error.reason)
        }
    }
}
