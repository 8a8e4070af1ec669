internal import FrameStreamingCore
internal import FrameStreamingSystem

/// One session with a node, from the opening to the end: agreed format, buffers, and the way from a filled one to a Frame.
///
/// Used by the capturing thread.
struct CameraStream {
    let node: VideoNode
    let ring: BufferRing
    let granted: CameraFormat
    let format: NodeFormat
    let shape: FrameShape
    let converter: (any FrameConverter)?
    /// Room for a converted picture, in bytes.
    let convertedBytes: Int
    let signal: SignalTimings?
    let truncated: TruncatedFramePolicy
    let pool: FramePool

    /// Failures in a row of a kind that may pass.
    private var refusals = 0
    private var ioErrors = 0
    private var pollErrors = 0
    private var emptyWakes = 0
    /// What went wrong after a picture that was handed out first.
    private var postponed: Step?
    private var discarded = false

    init(
        node: VideoNode, ring: BufferRing, granted: CameraFormat, format: NodeFormat, shape: FrameShape,
        converter: (any FrameConverter)?, convertedBytes: Int, signal: SignalTimings?,
        truncated: TruncatedFramePolicy, pool: FramePool
    ) {
        self.node = node
        self.ring = ring
        self.granted = granted
        self.format = format
        self.shape = shape
        self.converter = converter
        self.convertedBytes = convertedBytes
        self.signal = signal
        self.truncated = truncated
        self.pool = pool
    }

    /// What a wait came to.
    enum Step {
        case frame(Frame)
        /// No picture by the deadline, or a look in vain.
        case nothing
        case woken
        case signalChanged
        case failed(SystemError, isGone: Bool)
    }

    /// What goes on from one session to the next.
    struct Readers {
        var stamps = StampReader()
        var sequences = SequenceReader()
        var statistics = CameraStatistics()
    }

    private static let patience = 3

    /// Waits once for the driver, takes everything that it has, and makes a Frame of the newest good picture.
    mutating func step(until deadline: Int64?, wakeUp: WakeUp?, clock: any FrameClock, _ readers: inout Readers) -> Step
    {
        if let postponed {
            self.postponed = nil
            return postponed
        }
        if let failure = queueRefused() { return failure }
        let events: Int16
        do throws(SystemError) {
            switch try node.calls.poll(
                node.descriptor, for: PollEvents.input | PollEvents.priority, until: deadline, wakeUp: wakeUp)
            {
            case .timedOut: return .nothing
            case .woken: return .woken
            case .ready(let ready): events = ready
            }
        } catch {
            return Self.failure(error)
        }
        if events & PollEvents.priority != 0, node.takeSourceChange() { return .signalChanged }
        var taken = 0
        let result = drain(clock: clock, &readers, &taken)
        if case .nothing = result { return lookedInVain(events, taken: taken, clock: clock) }
        return result
    }

    private static func failure(_ error: SystemError) -> Step {
        .failed(error, isGone: [Errno.noDevice, Errno.noSuchAddress, Errno.noEntry].contains(error.code))
    }

    /// Buffers that the driver refused are offered again, a few times.
    private mutating func queueRefused() -> Step? {
        do throws(SystemError) {
            try ring.queueAll()
            refusals = 0
            return nil
        } catch {
            refusals += 1
            if refusals < Self.patience, ring.queued > 0 { return nil }
            return refusals < Self.patience && error.code != Errno.noDevice ? .nothing : Self.failure(error)
        }
    }

    /// poll said that there is something, and there was nothing. Never an error by itself, and never a spin.
    private mutating func lookedInVain(_ events: Int16, taken: Int, clock: any FrameClock) -> Step {
        if events & PollEvents.hangUp != 0 { return .failed(SystemError("poll", code: Errno.noDevice), isGone: true) }
        if events & (PollEvents.error | PollEvents.invalid) != 0 {
            // With nothing queued poll says POLLERR too, and the next step queues.
            pollErrors += 1
            if pollErrors >= Self.patience {
                pollErrors = 0
                return .failed(SystemError("poll", code: Errno.inputOutput), isGone: false)
            }
        }
        emptyWakes = taken == 0 ? emptyWakes + 1 : 0
        if emptyWakes >= Self.patience { clock.sleep(until: clock.now.advanced(by: .milliseconds(2))) }
        return .nothing
    }

    /// Dequeues until there is nothing left: the newest good picture becomes a Frame, all others go straight back.
    private mutating func drain(clock: any FrameClock, _ readers: inout Readers, _ taken: inout Int) -> Step {
        var newest: GoodBuffer?
        var failure: Step?
        // Bounded: a driver that fills faster than we take must not keep us.
        while taken < 4 * ring.count {
            do throws(SystemError) {
                guard let buffer = try ring.dequeue().buffer(&readers.statistics) else { break }
                taken += 1
                ioErrors = 0
                pollErrors = 0
                let (number, dropped) = readers.sequences.read(buffer.sequence)
                readers.statistics.driverDrops += dropped
                guard let good = check(buffer, number: number, &readers.statistics) else {
                    ring.giveBack(buffer.index)
                    continue
                }
                if let older = newest {
                    ring.giveBack(older.buffer.index)
                    readers.statistics.skipped += 1
                }
                newest = good
            } catch {
                failure = dequeueFailure(error)
                break
            }
        }
        guard let newest else { return failure ?? .nothing }
        postponed = failure
        let now = clock.now
        let (time, isReplaced) = readers.stamps.captureTime(
            stamp: newest.buffer.stamp, flags: newest.buffer.flags, now: now)
        if isStale(time, now, taken: taken) {
            ring.giveBack(newest.buffer.index)
            readers.statistics.skipped += 1
            discarded = true
            return .nothing
        }
        if isReplaced { readers.statistics.restamped += 1 }
        guard let frame = makeFrame(newest, time, &readers.statistics) else { return .nothing }
        discarded = false
        readers.statistics.frames += 1
        return .frame(frame)
    }

    /// EIO may pass; nothing tells which buffer it was.
    private mutating func dequeueFailure(_ error: SystemError) -> Step? {
        guard error.code == Errno.inputOutput else { return Self.failure(error) }
        ioErrors += 1
        guard ioErrors >= Self.patience else { return nil }
        ioErrors = 0
        return Self.failure(error)
    }

    /// Whether the driver had run out of buffers while nobody took them, so that even the newest picture is an old one: the
    /// next will be fresh.
    private func isStale(_ time: CaptureTime, _ now: MonotonicTime, taken: Int) -> Bool {
        guard !discarded, taken >= ring.count - ring.leased else { return false }
        let interval = granted.rate.map { $0.nanoseconds(ofFrame: 1) } ?? 0
        return now.nanoseconds &- time.nanoseconds > max(100_000_000, 3 * interval)
    }

    func retire() { ring.retire() }
}

extension BufferRing.Dequeued {
    /// The buffer, if there is one; one that contradicts itself is counted.
    fileprivate func buffer(_ statistics: inout CameraStatistics) throws(SystemError) -> FilledBuffer? {
        switch self {
        case .filled(let buffer): return buffer
        case .nothing: return nil
        case .nonsense:
            // A buffer is missing now: only a restart brings it back.
            statistics.invalidBuffers += 1
            throw SystemError("VIDIOC_DQBUF", code: Errno.protocolError)
        }
    }
}
