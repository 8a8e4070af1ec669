public import FrameStreamingCore
internal import FrameStreamingSystem

/// A camera of Linux (V4L2): a webcam, a capture card, a camera module.
///
/// ```swift
/// var camera = try V4L2Camera(path: "/dev/video0")
/// print(camera.granted)
/// try sender.run(&camera)
/// ```
///
/// Each Frame is the driver's own buffer, which goes back when the last copy of the Frame is gone, from any thread, also after
/// ``close()``. A consumer that holds all buffers but one gets copies, so the driver always has one to fill. Pictures are the newest that
/// there are; what was dropped is in ``statistics``.
///
/// A camera that stalls, fails or is unplugged is not the end: ``next(until:)`` returns `lost`, looks for it (0.25 s to 5 s apart,
/// by its path, else by its bus address and name), and returns `restored` before its next picture.
///
/// ``next(until:)`` is for one thread at a time; everything else may be called from any thread meanwhile.
public final class V4L2Camera: FrameSource, Sendable {
    /// Always: the newest picture counts.
    public var isLive: Bool { true }
    /// The path that it was opened by.
    public let path: String

    let options: V4L2CameraOptions
    let clock: any FrameClock
    let calls: any VideoCalls
    let wakeUp: WakeUp
    let pool: FramePool
    let identity: CameraIdentity
    let capture: Monitor<Capture>
    let shared: Monitor<Shared>

    /// What the capturing thread alone needs.
    struct Capture {
        var stream: CameraStream?
        var readers = CameraStream.Readers()
        /// Of a lost camera: it is this machine's own, so nobody else waits for it, and a known pause is better than a random one.
        var backOff = BackOff(upTo: .seconds(5))
        /// Of a lost camera: when to look again.
        var retryAt = MonotonicTime(nanoseconds: 0)
        /// The receiver was told `lost`, and not yet `restored`.
        var isLost = false
        var pending: SourceEvent?
        /// Whether a restart was tried since the last picture.
        var hasRestarted = false
        var hasPicture = false
        var openedAt: MonotonicTime
        /// The last picture, or what counts as one, for the watchdog.
        var progressAt: MonotonicTime
        var faults = FaultReader()
        /// When `next` last returned: what the caller does meanwhile is no stall.
        var leftAt: MonotonicTime
    }

    /// What others may look at meanwhile.
    struct Shared {
        var isClosed = false
        var statistics = CameraStatistics()
        var granted: CameraFormat
        var ring: BufferRing?
        var controls: [CameraControlSetting]
    }

    /// Opens a camera and starts it.
    ///
    /// - Parameters:
    ///   - path: `/dev/videoN`, or a link that stays the same over replugs, such as those in `/dev/v4l/by-id`.
    ///   - options: Size, format, rate, controls.
    ///   - clock: Where the time comes from.
    /// - Throws: `notFound`, `notPermitted`, `busy`; `unsupported` for what is no camera or does not have the format that was asked for;
    ///   `limitExceeded` where the USB bus has no bandwidth left; `sourceLost` where an input has no signal.
    public convenience init(
        path: String, options: V4L2CameraOptions = V4L2CameraOptions(), clock: any FrameClock = SystemClock()
    ) throws(FrameStreamingError) {
        try self.init(path: path, options: options, clock: clock, calls: SystemVideoCalls())
    }

    package init(
        path: String, options: V4L2CameraOptions, clock: any FrameClock, calls: any VideoCalls
    ) throws(FrameStreamingError) {
        self.path = path
        self.options = options
        self.clock = clock
        self.calls = calls
        pool = FramePool(capacity: 8)
        do throws(SystemError) {
            wakeUp = try WakeUp()
        } catch {
            throw FrameStreamingError(error, subject: path)
        }
        let node: VideoNode
        do throws(SystemError) {
            node = try VideoNode(path, calls)
        } catch {
            throw CameraErrors.opening(error, path)
        }
        identity = CameraIdentity(node, index: calls.nodeIndex(calls.resolve(path)))
        let stream = try CameraStream.open(node, options, pool: pool, isFirst: true) { options.onEvent?($0) }
        options.onEvent?(CameraEvent(.opened, "\(path): \(identity.card), \(stream.granted)", granted: stream.granted))
        let now = clock.now
        capture = Monitor(Capture(stream: stream, openedAt: now, progressAt: now, leftAt: now))
        shared = Monitor(Shared(granted: stream.granted, ring: stream.ring, controls: options.controls))
    }

    deinit { shared.withLock(\.ring)?.retire() }

    /// What the camera agreed to deliver. Changes when an HDMI signal changes, or when it came back otherwise.
    public var granted: CameraFormat { shared.withLock(\.granted) }

    /// What it delivered so far.
    public var statistics: CameraStatistics { shared.withLock(\.statistics) }

    /// The camera's own name.
    public var card: String { identity.card }

    /// Ends capturing, from any thread, again and again: a `next` that waits returns nil. Frames that are still held stay
    /// valid, and the camera is free for others at once. Not to be called from ``V4L2CameraOptions/onEvent``.
    public func close() {
        shared.withLock { $0.isClosed = true }
        wakeUp.signal()
        let (stream, pending) = capture.withLock { capture in
            defer { (capture.stream, capture.pending) = (nil, nil) }
            return (capture.stream, capture.pending)
        }
        stream?.retire()
        // A picture that nobody took goes back outside of the lock.
        _ = pending
        shared.withLock { $0.ring = nil }
    }

    /// The next picture, or what became of the camera; nil after ``close()``.
    ///
    /// - Throws: `timedOut` when there was none by the deadline. `sourceLost` and the like only where
    ///   ``V4L2CameraOptions/waitsForLostCamera`` is off.
    public func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        try capture.withLock { capture throws(FrameStreamingError) in
            let now = clock.now
            capture.progressAt = capture.progressAt.advanced(by: now.since(capture.leftAt))
            defer {
                capture.leftAt = clock.now
                let statistics = capture.readers.statistics
                shared.withLock { $0.statistics = statistics }
            }
            while !shared.withLock(\.isClosed) {
                if let event = capture.pending {
                    capture.pending = nil
                    return event
                }
                if let event = try capture.stream == nil
                    ? lookForCamera(&capture, until: deadline) : takePicture(&capture, until: deadline)
                {
                    return event
                }
            }
            return nil
        }
    }
}
