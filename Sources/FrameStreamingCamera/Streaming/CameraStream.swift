internal import FrameStreamingCore
internal import FrameStreamingSystem

/// One streaming session with a node: the granted format, the buffers, and how a filled buffer
/// becomes a Frame.
///
/// Only the capturing thread uses it.
struct CameraStream {
    let node: VideoNode
    let ring: BufferRing
    let granted: CameraFormat
    let format: NodeFormat
    let shape: FrameShape
    let converter: (any FrameConverter)?
    /// The bytes to allocate for a converted image.
    let convertedBytes: Int
    let signal: SignalTimings?
    let truncated: TruncatedFramePolicy
    let pool: FramePool

    /// Consecutive failures of kinds that may pass by themselves.
    private var refusals = 0
    private var ioErrors = 0
    private var pollErrors = 0
    private var emptyWakes = 0
    /// A failure that followed a frame, and is returned after it.
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

    /// The outcome of one wait.
    enum Step {
        case frame(Frame)
        /// No frame by the deadline, or a wake-up without one.
        case nothing
        case woken
        case signalChanged
        case failed(SystemError, isGone: Bool)
    }

    /// State that continues from one session to the next.
    struct Readers {
        var stamps = StampReader()
        var sequences = SequenceReader()
        var statistics = CameraStatistics()
    }

    private static let toleratedFailures = 3

    /// Waits once for the driver, dequeues all filled buffers, and makes a Frame of the newest good
    /// one.
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
        if case .nothing = result { return wokenWithoutFrame(events, taken: taken, clock: clock) }
        return result
    }

    private static func failure(_ error: SystemError) -> Step {
        .failed(error, isGone: [Errno.noDevice, Errno.noSuchAddress, Errno.noEntry].contains(error.code))
    }

    /// Queues buffers again that the driver refused, a few times.
    private mutating func queueRefused() -> Step? {
        do throws(SystemError) {
            try ring.queueAll()
            refusals = 0
            return nil
        } catch {
            refusals += 1
            if refusals < Self.toleratedFailures, ring.queued > 0 { return nil }
            return refusals < Self.toleratedFailures && error.code != Errno.noDevice ? .nothing : Self.failure(error)
        }
    }

    /// Handles a poll that returned although no frame was ready. That alone is no error,
    /// but it must not become a busy loop.
    private mutating func wokenWithoutFrame(_ events: Int16, taken: Int, clock: any FrameClock) -> Step {
        if events & PollEvents.hangUp != 0 { return .failed(SystemError("poll", code: Errno.noDevice), isGone: true) }
        if events & (PollEvents.error | PollEvents.invalid) != 0 {
            // poll also reports POLLERR if no buffer is queued; the next step queues some.
            pollErrors += 1
            if pollErrors >= Self.toleratedFailures {
                pollErrors = 0
                return .failed(SystemError("poll", code: Errno.inputOutput), isGone: false)
            }
        }
        emptyWakes = taken == 0 ? emptyWakes + 1 : 0
        if emptyWakes >= Self.toleratedFailures { clock.sleep(until: clock.now.advanced(by: .milliseconds(2))) }
        return .nothing
    }

    /// Dequeues all filled buffers. The newest good one becomes a Frame; the others return to the
    /// driver.
    private mutating func drain(clock: any FrameClock, _ readers: inout Readers, _ taken: inout Int) -> Step {
        var newest: ValidBuffer?
        var failure: Step?
        // Bounded: a driver may fill buffers faster than this loop dequeues them.
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

    /// Turns an error of dequeuing into a step. EIO may pass by
    /// itself, so the first ones are ignored.
    private mutating func dequeueFailure(_ error: SystemError) -> Step? {
        guard error.code == Errno.inputOutput else { return Self.failure(error) }
        ioErrors += 1
        guard ioErrors >= Self.toleratedFailures else { return nil }
        ioErrors = 0
        return Self.failure(error)
    }

    /// Returns whether the newest image is stale, because the consumer was away and the driver had
    /// filled all buffers. The next image will be fresh.
    private func isStale(_ time: CaptureTime, _ now: MonotonicTime, taken: Int) -> Bool {
        guard !discarded, taken >= ring.count - ring.leased else { return false }
        let interval = granted.rate.map { $0.nanoseconds(ofFrame: 1) } ?? 0
        return now.nanoseconds &- time.nanoseconds > max(100_000_000, 3 * interval)
    }

    func retire() { ring.retire() }
}

extension BufferRing.Dequeued {
    /// The buffer, if any. An inconsistent one is counted.
    fileprivate func buffer(_ statistics: inout CameraStatistics) throws(SystemError) -> FilledBuffer? {
        switch self {
        case .filled(let buffer): return buffer
        case .nothing: return nil
        case .inconsistent:
            // The driver has lost a buffer, and only a restart recovers it.
            statistics.invalidBuffers += 1
            throw SystemError("VIDIOC_DQBUF", code: Errno.protocolError)
        }
    }
}
