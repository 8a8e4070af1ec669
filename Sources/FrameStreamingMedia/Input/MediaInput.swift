internal import CFFmpeg
internal import FrameStreamingCore
internal import FrameStreamingFiles
internal import FrameStreamingSystem

/// A file or a stream that FFmpeg has opened, and its video.
///
/// Unsafe code: the context is opened in the init, closed in the deinit, and used by one thread at
/// a time. FFmpeg keeps a pointer to the interrupt, which this object holds.
@safe final class MediaInput {
    let context: UnsafeMutablePointer<AVFormatContext>
    let stream: UnsafeMutablePointer<AVStream>
    let address: MediaAddress
    private let interrupt: MediaInterrupt
    private let timeout: Duration

    /// Opens what the address names. Waits for the network, at most for the options' timeout.
    init(_ address: MediaAddress, _ options: MediaOptions, _ interrupt: MediaInterrupt) throws(FrameStreamingError) {
        MediaFailure.begin()
        self.address = address
        self.interrupt = interrupt
        timeout = options.timeout
        Self.limit(interrupt, timeout)
        let opened = try unsafe Self.open(address, options, interrupt)
        do throws(FrameStreamingError) {
            try unsafe Self.checkPlaylist(opened, address)
            try unsafe Self.examine(opened, address, options, interrupt)
            var index: CInt = -1
            index = unsafe av_find_best_stream(opened, AVMEDIA_TYPE_VIDEO, -1, -1, nil, 0)
            guard index >= 0, let found = unsafe Self.stream(Int(index), of: opened) else {
                throw MediaFailure.error(fs_media_no_stream, about: address)
            }
            unsafe stream = found
        } catch {
            var closing: UnsafeMutablePointer<AVFormatContext>? = unsafe opened
            unsafe avformat_close_input(&closing)
            throw error
        }
        unsafe context = opened
        for other in 0..<Int(unsafe context.pointee.nb_streams) {
            guard let candidate = unsafe Self.stream(other, of: context), unsafe candidate != stream else { continue }
            unsafe candidate.pointee.discard = AVDISCARD_ALL
        }
    }

    deinit {
        // What closing says to a server may not take long.
        Self.limit(interrupt, .seconds(1))
        var closing: UnsafeMutablePointer<AVFormatContext>? = unsafe context
        unsafe avformat_close_input(&closing)
    }

    /// Whether it has an end that its headers state.
    var duration: Duration? {
        let stated = unsafe context.pointee.duration
        guard stated > 0 else { return nil }
        return MediaTime.duration(stated, in: AVRational(num: 1, den: AV_TIME_BASE))
    }

    /// The pictures a second that its headers state; nil = they do not.
    var statedRate: FrameRate? { unsafe MediaTime.rate(av_guess_frame_rate(context, stream, nil)) }

    /// When the film's time zero was, if a recorder of this package wrote it; nil for other films,
    /// whose dates may be those of a copy.
    var recordedStart: UTCTime? {
        guard note("encoder") == FilmRecorder.writerName else { return nil }
        // MP4 states its creation in seconds, and the date in microseconds.
        return (note("date") ?? note("creation_time")).flatMap { UTCTime($0) }
    }

    private func note(_ name: String) -> String? {
        guard let entry = unsafe av_dict_get(context.pointee.metadata, name, nil, 0),
            let value = unsafe entry.pointee.value
        else { return nil }
        return unsafe String(cString: value)
    }

    /// Whether its time stamps may jump, as those of a broadcast do.
    var mayJump: Bool { unsafe context.pointee.iformat.pointee.flags & AVFMT_TS_DISCONT != 0 }

    /// The name of its format, as FFmpeg has it: `mov,mp4,m4a,3gp,3g2,mj2`.
    var formatName: String { unsafe Self.formatName(context) }

    /// Reads the next packet of the video; false at the end.
    ///
    /// - Throws: `timedOut` if nothing has come until `deadline`, where only packets of other
    ///   streams were read; nothing is lost.
    func read(
        into packet: UnsafeMutablePointer<AVPacket>, until deadline: Deadline
    ) throws(FrameStreamingError) -> Bool {
        MediaFailure.begin()
        while true {
            Self.limit(interrupt, timeout)
            let code = unsafe av_read_frame(context, packet)
            if code == fs_media_end {
                // FFmpeg reports the loss of a connection as an end.
                let lost = unsafe context.pointee.pb.map { unsafe $0.pointee.error } ?? 0
                guard lost < 0, lost != fs_media_end else { return false }
                throw failed(lost)
            }
            if code == fs_media_again { continue }
            guard code >= 0 else { throw failed(code) }
            if unsafe packet.pointee.stream_index == stream.pointee.index { return true }
            unsafe av_packet_unref(packet)
            if deadline.hasPassed { throw .timedOut("a picture of \(address.name)") }
        }
    }

    /// Goes to the key frame at or before `time`, counted from the first picture.
    ///
    /// - Returns: False if it cannot be reached.
    func seek(to time: Duration) -> Bool {
        MediaFailure.begin()
        Self.limit(interrupt, timeout)
        let base = unsafe stream.pointee.time_base
        guard base.num > 0, base.den > 0 else { return false }
        let units = Int128(time.wholeNanoseconds) * Int128(base.den) / Int128(base.num) / 1_000_000_000
        let start = unsafe stream.pointee.start_time
        let (target, overflow) = Int64(clamping: units).addingReportingOverflow(start == fs_media_no_time ? 0 : start)
        guard !overflow else { return false }
        return unsafe av_seek_frame(context, stream.pointee.index, target, AVSEEK_FLAG_BACKWARD) >= 0
    }

    private func failed(_ code: CInt) -> FrameStreamingError {
        if code == fs_media_interrupted {
            if interrupt.isStopped { return .cancelled("reading \(address.name)") }
            return FrameStreamingError(
                .connectionLost, "nothing came for \(timeout.inSeconds) s", subject: address.name)
        }
        if code == -Errno.inputOutput, address.kind == .network {
            return FrameStreamingError(.connectionLost, "the stream broke off", subject: address.name)
        }
        return MediaFailure.error(code, about: address)
    }
}

/// Opening.
extension MediaInput {
    private static func limit(_ interrupt: MediaInterrupt, _ time: Duration) {
        interrupt.begins(until: MonotonicTime.now.advanced(by: time))
    }

    private static func stream(
        _ index: Int, of context: UnsafeMutablePointer<AVFormatContext>
    ) -> UnsafeMutablePointer<AVStream>? {
        guard index < Int(unsafe context.pointee.nb_streams) else { return nil }
        return unsafe context.pointee.streams[index]
    }

    private static func formatName(_ context: UnsafeMutablePointer<AVFormatContext>) -> String {
        unsafe String(cString: context.pointee.iformat.pointee.name)
    }

    private static func open(
        _ address: MediaAddress, _ options: MediaOptions, _ interrupt: MediaInterrupt
    ) throws(FrameStreamingError) -> UnsafeMutablePointer<AVFormatContext> {
        guard let made = unsafe avformat_alloc_context() else {
            throw MediaFailure.error(-12, about: address)
        }
        unsafe interrupt.attach(to: made)
        var settings: OpaquePointer?
        defer { unsafe av_dict_free(&settings) }
        for (name, value) in MediaSettings.opening(address, options) {
            unsafe av_dict_set(&settings, name, value, 0)
        }
        let format = address.kind == .sequence ? unsafe av_find_input_format("image2") : nil
        // A failure frees the context.
        var context: UnsafeMutablePointer<AVFormatContext>? = unsafe made
        let code = unsafe avformat_open_input(&context, address.url, format, &settings)
        guard code >= 0, let context = unsafe context else {
            if code == fs_media_interrupted {
                if interrupt.isStopped { throw .cancelled("opening \(address.name)") }
                throw FrameStreamingError(
                    .connectionFailed, "did not answer within \(options.timeout.inSeconds) s", subject: address.name)
            }
            throw MediaFailure.error(code, about: address)
        }
        return unsafe context
    }

    /// Refuses a playlist whose name says that it is something else: it would have other files sent
    /// than the one that was named.
    private static func checkPlaylist(
        _ context: UnsafeMutablePointer<AVFormatContext>, _ address: MediaAddress
    ) throws(FrameStreamingError) {
        let name = unsafe formatName(context)
        let endings: [String: [String]] = [
            "hls": [".m3u8", ".m3u"], "concat": [".ffconcat"], "dash": [".mpd"], "imf": [".xml"], "sdp": [".sdp"],
        ]
        guard address.kind != .network, let wanted = endings[name],
            !wanted.contains(where: { address.name.lowercased().hasSuffix($0) })
        else { return }
        throw FrameStreamingError(
            .unsupported,
            "is a playlist, which would have other files sent, and its name does not say so: give it a name that ends with \(wanted[0]) if you trust it",
            subject: address.name)
    }

    /// Reads as far as the properties of the streams are known.
    private static func examine(
        _ context: UnsafeMutablePointer<AVFormatContext>, _ address: MediaAddress, _ options: MediaOptions,
        _ interrupt: MediaInterrupt
    ) throws(FrameStreamingError) {
        let count = Int(unsafe context.pointee.nb_streams)
        var settings = unsafe [OpaquePointer?](repeating: nil, count: max(count, 1))
        for index in unsafe settings.indices {
            unsafe av_dict_set(&settings[index], "max_pixels", "\(options.maximumPixelCount)", 0)
        }
        let code = unsafe avformat_find_stream_info(context, &settings)
        for index in unsafe settings.indices { unsafe av_dict_free(&settings[index]) }
        guard code < 0 else { return }
        if code == fs_media_interrupted, !interrupt.isStopped {
            throw FrameStreamingError(
                .connectionFailed, "sent no picture within \(options.timeout.inSeconds) s", subject: address.name)
        }
        throw MediaFailure.error(code, about: address)
    }
}
