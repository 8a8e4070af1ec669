public import FrameStreamingCore

/// Produces ``TestPattern`` frames, numbered from 0, at a given rate, as a camera would.
///
/// A live source (the default) keeps its rate whether or not its frames are taken: frames whose
/// time has passed are never drawn, and `Frame/sequence` shows the gap. Copies are independent of
/// each other.
public struct TestPatternSource: FrameSource, Sendable {
    /// Whether late frames are dropped.
    public let isLive: Bool
    /// The frames' shape.
    public var format: FrameFormat { pattern.format }
    /// Frames per second.
    public var frameRate: FrameRate { pattern.rate }
    /// The number of frames, and so the first number that does not exist; nil = endless.
    public let frameCount: UInt64?

    private let pattern: TestPattern
    private let pace: Pacing
    private let clock: any FrameClock
    private let pool: FramePool
    private var pacer: Pacer
    private var start: MonotonicTime?
    private var upcoming: UInt64 = 0

    /// Creates a source of test frames.
    ///
    /// - Parameters:
    ///   - width: Pixels across, 1...65,535.
    ///   - height: Pixels down, 1...65,535.
    ///   - pixelFormat: One of ``TestPattern/pixelFormats``.
    ///   - rate: Frames per second.
    ///   - colorRange: nil = limited for YUV and full for RGB.
    ///   - live: Whether late frames are dropped; false = each is drawn, however late.
    ///   - pace: `.maximum` draws as fast as the frames are taken, which is never live.
    ///   - frameCount: The number of frames, 0 ..< frameCount; nil = endless.
    ///   - poolCapacity: How many frames may be held at once before each costs an allocation.
    ///   - clock: The source of the time.
    /// - Throws: `invalidArgument` for an invalid size; `unsupported` for a pixel format that
    ///   cannot be drawn.
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

    /// Returns the next frame when it is due; nil at the end. The capture time of a live frame is
    /// the time at which it was due.
    ///
    /// - Throws: `timedOut` when the frame was not due by the deadline.
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

    /// Skips the frames whose time has passed, waits for the next and returns its due time; nil at
    /// the end.
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
