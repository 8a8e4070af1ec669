internal import FrameStreamingCore
internal import FrameStreamingFiles

/// Plays a film by its time stamps, or hands out what a live stream brings. One thread at a time
/// uses it.
final class MediaPlayer: LiveInput {
    private enum Phase {
        /// It was not opened yet, or is to be opened again.
        case unopened
        case playing(MediaTrack)
        /// Each later call reports the same.
        case ended(FrameStreamingError?)
    }

    private let address: MediaAddress
    private let options: MediaOptions
    private let interrupt: MediaInterrupt
    private let meter: InputMeter
    private let pool: FramePool
    private var phase = Phase.unopened
    private var nature = Nature()
    private var pacing = MediaPacing(rate: nil, mayJump: false)
    private var pacer: Pacer?
    /// When the time zero of a recording of this package was.
    private var recordedStart: UTCTime?
    private var recovery: LiveRecovery
    private var damage = DamageReport()
    /// The picture that is not due yet.
    private var pending: (frame: Frame, stamp: MediaStamp)?
    /// What is returned before anything else.
    private var next: SourceEvent?
    private var delivered: UInt64 = 0
    private var deliveredSinceStart: UInt64 = 0
    /// Whether the place was chosen while it played. Behind the end it then ends like any film.
    private var wasSought = false

    /// What an opened input is.
    private struct Nature {
        /// Whether its newest frame counts.
        var isLive = false
        /// Whether its frames come when they are taken by a camera, and not in pieces of seconds.
        var hasOwnPace = false
    }

    init(_ address: MediaAddress, _ options: MediaOptions, _ interrupt: MediaInterrupt, _ meter: InputMeter) {
        self.address = address
        self.options = options
        self.interrupt = interrupt
        self.meter = meter
        pool = FramePool(capacity: options.playback.poolCapacity)
        recovery = LiveRecovery(isEnabled: options.reconnects, at: options.playback.clock.now)
    }

    private var clock: any FrameClock { options.playback.clock }

    /// The film's length as its headers state it; nil = they do not, or it is not open.
    var duration: Duration? { if case .playing(let track) = phase { track.input.duration } else { nil } }

    /// Whether the newest frame counts, once it is open.
    var isLive: Bool { nature.isLive }

    /// Opens the input, which tells whether it is live. Waits for the network.
    func open() throws(FrameStreamingError) {
        guard case .unopened = phase else { return }
        var nature = Nature()
        let track = try MediaTrack(address, options, interrupt, pool) { input in
            nature = self.nature(of: input)
            return nature.isLive
        }
        self.nature = nature
        let rate = track.input.statedRate
        recordedStart = track.input.recordedStart
        pacing = MediaPacing(rate: rate, mayJump: track.input.mayJump)
        let isPaced = self.isPaced
        pacer = options.playback.rate.map(Pacer.init(rate:))
        meter.states(isPaced ? options.playback.rate ?? rate : nil)
        recovery.connected(at: clock.now)
        phase = .playing(track)
        if options.start > .zero, !nature.isLive, !track.seek(to: options.start) { track.skip(to: options.start) }
    }

    private func nature(of input: MediaInput) -> Nature {
        let isRemote = address.kind == .network || address.kind == .description
        let isEndless = isRemote && (address.isLiveByScheme || input.duration == nil)
        let isPieces = ["hls", "dash"].contains { input.formatName.hasPrefix($0) }
        return Nature(isLive: options.playback.live ?? isEndless, hasOwnPace: isEndless && !isPieces)
    }

    private var isPaced: Bool {
        options.playback.pace == .realtime || options.playback.pace == nil && !nature.hasOwnPace
    }

    func mode(until deadline: Deadline) throws(FrameStreamingError) -> LiveInbox.Mode {
        do throws(FrameStreamingError) {
            try open()
            return nature.isLive ? .live : .keeping
        } catch {
            phase = .ended(error)
            throw error
        }
    }

    func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        try meter.measure(on: clock) { () throws(FrameStreamingError) in try step(until: deadline) }
    }

    private func step(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        while true {
            if let event = next.take() { return event }
            if let report = damage.take(at: clock.now) { return report }
            if let (frame, stamp) = pending { return try handOut(frame, stamp, until: deadline) }
            switch phase {
            case .ended(let error):
                if let report = damage.take(at: clock.now, isLast: true) { return report }
                if let error { throw error }
                return nil
            case .unopened: try reopen(until: deadline)
            case .playing(let track): try advance(track, until: deadline)
            }
        }
    }

    /// Takes the next picture from the track.
    private func advance(_ track: MediaTrack, until deadline: Deadline) throws(FrameStreamingError) {
        do throws(FrameStreamingError) {
            switch try track.next(until: deadline) {
            case .picture(let frame, let stamp): pending = (frame, stamp)
            case .damaged(let error):
                meter.damages()
                damage.note(
                    FrameStreamingError(error.code, "picture \(delivered): \(error.message)", subject: address.name))
                if deadline.hasPassed { throw .timedOut("a picture of \(address.name)") }
            case .ended: try finish(track)
            }
        } catch {
            if error.code == .timedOut { throw error }
            fails(error)
        }
    }

    /// Hands a picture out when it is due.
    private func handOut(
        _ picture: Frame, _ stamp: MediaStamp, until deadline: Deadline
    ) throws(FrameStreamingError) -> SourceEvent {
        if isPaced {
            if pacer != nil {
                try pacer?.wait(on: clock, until: deadline)
            } else {
                try Pacer.sleep(until: pacing.due(stamp, now: clock.now), on: clock, deadline: deadline)
            }
        }
        pending = nil
        pacing.handedOut(stamp)
        pacer?.handedOut()
        var frame = picture
        frame.captureTime = CaptureTime(isPaced ? clock.now : stamp.arrival)
        frame.sequence = delivered
        if let recordedStart, let time = stamp.time,
            let moment = recordedStart.advanced(byMicroseconds: time.wholeNanoseconds / 1_000)
        {
            frame.metadata = Array("captured=\(moment.text)".utf8)
        }
        if let range = options.playback.colorRange { frame.sourceColorRange = range }
        delivered += 1
        deliveredSinceStart += 1
        guard nature.isLive, recovery.delivers(at: clock.now) else { return .frame(frame) }
        options.onEvent?(MediaEvent(.restored, "\(address.name): the stream is back"))
        next = .frame(frame)
        return .restored
    }
}

/// Another place in the film.
extension MediaPlayer {
    /// Goes on at `time`, at once; after the end, too.
    ///
    /// - Throws: `unsupported` for a live stream; the error with which the film has ended; those of
    ///   opening it again.
    func seek(to time: Duration) throws(FrameStreamingError) {
        guard !nature.isLive else {
            throw FrameStreamingError(.unsupported, "is live, and has one place only", subject: address.name)
        }
        switch phase {
        case .playing(let track) where track.seek(to: time): break
        case .playing, .ended(nil):
            let again = try MediaTrack(address, options, interrupt, pool) { _ in false }
            if time > .zero, !again.seek(to: time) { again.skip(to: time) }
            phase = .playing(again)
        case .ended(let error?): throw error
        case .unopened: break
        }
        pending = nil
        wasSought = true
        pacing.restarts()
        pacer = options.playback.rate.map(Pacer.init(rate:))
    }
}

/// How a film and a stream end.
extension MediaPlayer {
    /// Begins again, or ends.
    private func finish(_ track: MediaTrack) throws(FrameStreamingError) {
        if nature.isLive, address.kind != .file, address.kind != .sequence {
            throw FrameStreamingError(.connectionLost, "the stream has ended", subject: address.name)
        }
        guard deliveredSinceStart > 0 || wasSought else {
            if let first = damage.first, delivered == 0 { throw first }
            throw options.start > .zero
                ? FrameStreamingError(
                    .invalidArgument, "has no picture at \(options.start.inSeconds) s: begin earlier",
                    subject: address.name)
                : FrameStreamingError(.truncatedInput, "ends before its first picture", subject: address.name)
        }
        guard options.playback.loop else {
            phase = .ended(nil)
            return
        }
        deliveredSinceStart = 0
        pacing.jumps()
        guard !track.seek(to: options.start) else { return }
        let again = try MediaTrack(address, options, interrupt, pool) { _ in false }
        if options.start > .zero { again.skip(to: options.start) }
        phase = .playing(again)
    }

    /// Ends after a failure, or waits for a live stream to come back.
    private func fails(_ error: FrameStreamingError) {
        switch nature.isLive && !interrupt.isStopped ? recovery.failed(at: clock.now) : .end {
        case .end:
            let isEnd = nature.isLive && error.code == .connectionLost && delivered > 0
            phase = .ended(isEnd ? nil : error)
        case .lost(let pause):
            phase = .unopened
            options.onEvent?(MediaEvent(.lost, "\(error)", error: error, retryAfter: pause))
            next = .lost(error: error)
        case .stillLost(let pause):
            phase = .unopened
            options.onEvent?(MediaEvent(.stillLost, "\(error)", error: error, retryAfter: pause))
        }
    }

    /// Waits until the next attempt is due, and makes it.
    private func reopen(until deadline: Deadline) throws(FrameStreamingError) {
        if let retryAt = recovery.retryAt {
            try Pacer.sleep(until: retryAt, on: clock, deadline: deadline)
        }
        do throws(FrameStreamingError) {
            try open()
        } catch {
            fails(error)
        }
    }
}
