public import FrameStreamingCore

/// A camera without a camera: ``TestPattern`` pictures, numbered from 0, at a rate.
///
/// A live one (the default) goes on whether or not anybody takes its pictures, as a camera does: those whose time has passed are
/// never drawn, and `Frame/sequence` shows the gap. Copies go on independently of each other.
public struct TestPatternSource: FrameSource, Sendable {
    /// Whether pictures that are late are left out.
    public let isLive: Bool
    /// The pictures' shape.
    public var format: FrameFormat { pattern.format }
    /// Pictures per second.
    public var frameRate: FrameRate { pattern.rate }
    /// The number of the first frame that does not come any more; nil = it goes on for ever.
    public let frameCount: UInt64?

    private let pattern: TestPattern
    private let pace: Pacing
    private let clock: any FrameClock
    private let pool: FramePool
    private var pacer: Pacer
    private var start: MonotonicTime?
    private var upcoming: UInt64 = 0

    /// A source of test pictures.
    ///
    /// - Parameters:
    ///   - width: Pixels across, 1...65,535.
    ///   - height: Pixels down, 1...65,535.
    ///   - pixelFormat: One of ``TestPattern/pixelFormats``.
    ///   - rate: Pictures per second.
    ///   - colorRange: Limited for YUV and full for RGB, unless given.
    ///   - live: Whether late pictures are left out; false = each is drawn, however late.
    ///   - pace: `.maximum` draws as fast as they are taken, which is never live.
    ///   - frameCount: How many there are: numbers 0 ..< frameCount; nil = no end.
    ///   - poolCapacity: How many pictures may be held at once before each costs an allocation.
    ///   - clock: Where the time comes from.
    /// - Throws: `invalidArgument` for a size that cannot be; `unsupported` for a pixel format that it does not draw.
    public init(
        width: Int = 640, height: Int = 480, pixelFormat: PixelFormat = .i420, rate: FrameRate = .thirty,
        colorRange: ColorRange? = nil, live: Bool = true, pace: Pacing = .realtime, frameCount: UInt64? = nil,
        poolCapacity: Int = 8, clock: any FrameClock = SystemClock()
    ) throws(FrameStreamingError) {
        let format = try FrameFormat(
            width: width, height: height, pixelFormat: pixelFormat, colorRange: pixelFormat.isYUV ? colorRange : nil,
            colorMatrix: pixelFormat.isYUV ? .bt601 : .unspecified)
        pattern = try TestPattern(format: format, rate: rate)
        isLive = live && pace == .realtime
        self.pace = pace
        self.frameCount = frameCount
        self.clock = clock
        pool = FramePool(capacity: poolCapacity)
        pacer = Pacer(rate: rate)
    }

    /// The next picture, when its time has come; nil at the end. A live picture's capture time is when it was due.
    ///
    /// - Throws: `timedOut` when its time had not come by the deadline.
    public mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        let captureTime: MonotonicTime
        if isLive {
            guard let due = try nextDue(until: deadline) else { return nil }
            captureTime = due
        } else {
            if let frameCount, upcoming >= frameCount { return nil }
            if pace == .realtime { try pacer.wait(on: clock, until: deadline) }
            captureTime = clock.now
            pacer.handedOut()
        }
        var buffer = pool.buffer(byteCount: pattern.format.byteCount)
        var bytes = buffer.bytes
        pattern.draw(upcoming, into: &bytes)
        let frame = try buffer.makeFrame(
            format: pattern.format, captureTime: CaptureTime(captureTime), sequence: upcoming)
        upcoming += 1
        return .frame(frame)
    }

    /// Leaves out the pictures whose time is over, waits for the next and says when it was due; nil at the end.
    private mutating func nextDue(until deadline: Deadline) throws(FrameStreamingError) -> MonotonicTime? {
        let now = clock.now
        let start = start ?? now
        self.start = start
        let current = pattern.rate.frame(atNanoseconds: now.nanoseconds &- start.nanoseconds)
        upcoming = max(upcoming, current)
        if let frameCount, upcoming >= frameCount { return nil }
        let due = start.advanced(by: .nanoseconds(pattern.rate.nanoseconds(ofFrame: upcoming)))
        try Pacer.sleep(until: due, on: clock, deadline: deadline)
        return due
    }
}
