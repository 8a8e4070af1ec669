public import FrameStreamingCore
public import FrameStreamingFiles
internal import FrameStreamingSystem

/// Reads what FFmpeg opens: films (MP4, Matroska, AVI, MOV, WebM, ...), numbered pictures, and
/// streams of the network (RTSP, HTTP with MJPEG or HLS, RTP by a session's description).
///
/// A film is played by its own time stamps, so that a rate that varies stays as it is. A stream
/// without an end is live: a thread of the source, fs-read, reads and decodes it, the newest frame
/// counts, and a break is repaired, with `lost` and `restored` as from a camera.
///
/// JPEGs in a film or a stream pass untouched. Other pictures are frames over FFmpeg's own memory,
/// without a copy, where their layout has a name here, and are converted where it has none. They
/// keep their colour range and matrix. A film that has to be turned sets `Frame.uprightTurn`.
///
/// A film that `FilmRecorder` wrote states when each frame was captured: its `Frame.metadata` then is
/// the text `captured=2026-11-30T10:46:05.123456Z` (RFC 3339). The capture time itself is new.
///
/// One thread at a time may use the source; it may be created on another.
public final class MediaSource: FrameSource {
    /// Whether the newest frame counts. A URL says false until it was opened.
    public var isLive: Bool { reader?.isLive ?? film.withLock { $0.isLive } }
    /// The film's length as its headers state it; nil = they do not, or it is a URL.
    public var duration: Duration? { reader == nil ? film.withLock { $0.duration } : nil }
    /// Counts what the input delivers.
    public let meter = InputMeter()

    private let film: Monitor<MediaPlayer>
    private let interrupt = MediaInterrupt()
    /// Reads what may have to be waited for, on a thread of its own; nil = the caller reads it.
    private var reader: LiveReader?

    /// Opens a file, or begins to open a URL, for which the first ``next(until:)`` waits.
    ///
    /// - Parameters:
    ///   - path: The path of a regular file, a pattern of numbered pictures (`frame-%04d.png`), a
    ///     session's description (`.sdp`), or a URL: http, https, rtsp, rtsps, rtp, udp, tcp, srt,
    ///     rtmp or rtmps. A file may lead to files only, and a URL to the network only.
    ///   - options: Loop, pace, start and limits.
    /// - Throws: `notFound`, `notPermitted`; `invalidArgument` for a directory; `unsupported` for
    ///   a pipe, a device, another kind of URL, a codec that this FFmpeg lacks, a file without
    ///   video; `malformedInput` and `truncatedInput` for a damaged file; `system` if no thread can
    ///   be started.
    public init(path: String, options: MediaOptions = MediaOptions()) throws(FrameStreamingError) {
        let address = try MediaAddress(path)
        let player = MediaPlayer(address, options, interrupt, meter)
        switch address.kind {
        case .file, .sequence:
            try player.open()
            let isLive = player.isLive
            film = Monitor(player)
            if isLive { reader = try LiveReader(film, .live, meter) }
        case .description, .network:
            if options.playback.loop {
                throw FrameStreamingError(
                    .unsupported, "cannot be read again from the start: loop over a file instead",
                    subject: address.name)
            }
            film = Monitor(player)
            reader = try LiveReader(film, .recognizing, meter)
        }
    }

    deinit { interrupt.stop() }

    /// Goes on at this time of the film, counted from its first picture, with the picture that is shown
    /// then. It is due at once, and a film that has ended plays again. Behind the last picture the
    /// film ends, or begins again in a loop.
    ///
    /// Any thread may call, also while another waits in ``next(until:)``, for which it waits as long
    /// as that call's deadline allows.
    ///
    /// - Parameter time: At least zero.
    /// - Throws: `invalidArgument` for a negative time; `unsupported` for what is live, and for a film
    ///   on the network, which is read ahead: open it again with ``MediaOptions/start``. An error
    ///   with which the film has ended.
    public func seek(to time: Duration) throws(FrameStreamingError) {
        guard time >= .zero else {
            throw FrameStreamingError(
                .invalidArgument, "a film begins at 0 s, and has no picture at \(time.inSeconds) s")
        }
        guard reader == nil else {
            throw FrameStreamingError(
                .unsupported,
                "a stream of the network is read ahead, and cannot be played from elsewhere: open it again with MediaOptions.start"
            )
        }
        try film.withLock { film throws(FrameStreamingError) in try film.seek(to: time) }
    }

    /// Returns the next frame, when it is due or has arrived, a report of damaged ones, or that the
    /// stream was lost or restored; nil at the end.
    ///
    /// The capture time is the time of handing out for a film, and that of arrival for a live
    /// stream.
    ///
    /// - Throws: `timedOut` when no frame had arrived or was due by the deadline. At the end of an
    ///   input without a single frame: the error of the first damaged one, or `truncatedInput`.
    ///   For a URL that does not answer at first: `connectionFailed`, `notFound`,
    ///   `notAuthenticated`, and the errors of a file. Each later call throws the same error.
    public func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        if let reader {
            switch reader.take(until: deadline) {
            case .event(let event): return event
            case .ended(nil): return nil
            case .ended(let error?): throw error
            case .direct, nil: throw .timedOut("a frame")
            }
        }
        return try film.withLock { film throws(FrameStreamingError) in try film.next(until: deadline) }
    }
}
