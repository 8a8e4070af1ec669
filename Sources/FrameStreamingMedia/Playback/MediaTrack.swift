internal import CFFmpeg
internal import FrameStreamingCore
internal import FrameStreamingFiles

/// The pictures of an opened input, one after the other. One thread at a time uses it.
///
/// Unsafe code: the packet is made in the init, freed in the deinit, and used by one thread at a
/// time.
@safe final class MediaTrack {
    /// What comes next.
    enum Step {
        case picture(Frame, MediaStamp)
        /// A picture was damaged, and is left out.
        case damaged(FrameStreamingError)
        case ended
    }

    let input: MediaInput
    private let decoder: MediaDecoder
    private let packet: UnsafeMutablePointer<AVPacket>
    private let pool: FramePool
    private let options: MediaOptions
    /// Whether packets are JPEGs that need no turn, and so pass untouched.
    private let passesJPEG: Bool
    /// The time of the first picture in the film's own time; nil = it is not stated.
    private let startTime: Duration?
    /// Pictures before this time are left out: a film can only be entered at a key frame.
    private var beginsAt: Duration?
    /// Pictures since the input was opened, by which they are counted where they have no stamps.
    private var decodedCount: UInt64 = 0
    /// Whether the input has ended, and the decoder gives what it has held back.
    private var isDraining = false

    /// Opens the input. Waits for the network.
    ///
    /// - Parameter isLive: Tells whether the opened input is live.
    init(
        _ address: MediaAddress, _ options: MediaOptions, _ interrupt: MediaInterrupt, _ pool: FramePool,
        isLive: (MediaInput) -> Bool
    ) throws(FrameStreamingError) {
        input = try MediaInput(address, options, interrupt)
        decoder = try MediaDecoder(input, isLive: isLive(input), options, pool)
        guard let packet = unsafe av_packet_alloc() else {
            throw FrameStreamingError(.system, "there is no memory for a packet", subject: address.name)
        }
        unsafe self.packet = packet
        self.pool = pool
        self.options = options
        let parameters = unsafe input.stream.pointee.codecpar
        passesJPEG =
            unsafe parameters?.pointee.codec_id == AV_CODEC_ID_MJPEG
            && (PictureOrientation.turn(fs_media_stream_matrix(input.stream)) ?? PictureTurn.none) == PictureTurn.none
        startTime = unsafe MediaTime.duration(input.stream.pointee.start_time, in: input.stream.pointee.time_base)
    }

    deinit {
        var freed: UnsafeMutablePointer<AVPacket>? = unsafe packet
        unsafe av_packet_free(&freed)
    }

    /// Returns the next picture, in the order in which they are shown.
    ///
    /// - Throws: `timedOut` if there was none by the deadline: nothing is lost. Other errors are
    ///   the input's.
    func next(until deadline: Deadline) throws(FrameStreamingError) -> Step {
        while true {
            if let step = decoded() { return step }
            guard try unsafe input.read(into: packet, until: deadline) else {
                isDraining = true
                _ = unsafe decoder.send(nil, arrival: options.playback.clock.now)
                continue
            }
            let step = taken()
            unsafe av_packet_unref(packet)
            if let step { return step }
            if deadline.hasPassed { throw .timedOut("a picture of \(input.address.name)") }
        }
    }

    /// Goes to the picture that is shown at `time`, counted from the first.
    ///
    /// - Returns: False if the input cannot be entered there.
    func seek(to time: Duration) -> Bool {
        guard startTime != nil, input.seek(to: time) else { return false }
        decoder.flush()
        isDraining = false
        skip(to: time)
        return true
    }

    /// Leaves out what is shown before `time`.
    func skip(to time: Duration) { beginsAt = time > .zero ? time : nil }

    /// What the decoder has; nil = it needs a packet.
    private func decoded() -> Step? {
        while true {
            switch decoder.next() {
            case .picture(let frame, let stamp):
                if isEarly(stamp) { continue }
                return .picture(frame, stamp)
            case .damaged(let error): return .damaged(error)
            case .needsPacket: return isDraining ? .ended : nil
            case .ended: return .ended
            }
        }
    }

    /// What becomes of the packet; nil = the decoder has it, or it is left out.
    private func taken() -> Step? {
        let arrival = options.playback.clock.now
        if passesJPEG {
            do throws(FrameStreamingError) {
                let content = try unsafe MotionJPEGPacket.content(
                    of: packet, pool: pool, options)
                if case .frame(let frame) = content {
                    let stamp = stamp(arrival)
                    return isEarly(stamp) ? nil : .picture(frame, stamp)
                }
            } catch {
                return .damaged(error)
            }
        }
        return unsafe decoder.send(packet, arrival: arrival).map(Step.damaged)
    }

    private func stamp(_ arrival: MonotonicTime) -> MediaStamp {
        let base = unsafe input.stream.pointee.time_base
        let time = unsafe MediaTime.duration(packet.pointee.pts, in: base)
        return unsafe MediaStamp(
            time: time ?? MediaTime.duration(packet.pointee.dts, in: base),
            duration: MediaTime.duration(packet.pointee.duration, in: base), arrival: arrival)
    }

    private func isEarly(_ stamp: MediaStamp) -> Bool {
        defer { decodedCount += 1 }
        guard let beginsAt else { return false }
        let usual = (input.statedRate ?? MediaPacing.usualRate).time(ofFrame: decodedCount)
        if (stamp.time.map { $0 - (startTime ?? .zero) } ?? usual) < beginsAt { return true }
        self.beginsAt = nil
        return false
    }
}
