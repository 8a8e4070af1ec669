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
/// A Frame is the driver's buffer itself, without a copy. It returns to the driver when the last
/// copy of the Frame is released, on any thread, also after ``close()``. If the consumer holds all
/// buffers but one, it gets copies, so that the driver always has a buffer to fill. Each Frame is
/// the newest one; ``statistics`` counts those that were dropped.
///
/// If the camera stalls, fails or is unplugged, ``next(until:)`` returns `lost` and tries to open
/// it again every 0.25 s to 5 s, by its path, else by its bus address and name. It returns
/// `restored` before the next frame.
///
/// One thread at a time may call ``next(until:)``. All other calls are safe from any thread.
public final class V4L2Camera: FrameSource, Sendable {
    /// Always true: a camera's newest frame counts.
    public var isLive: Bool { true }
    /// The path that the camera was opened with.
    public let path: String

    let options: V4L2CameraOptions
    let clock: any FrameClock
    let calls: any VideoCalls
    let wakeUp: WakeUp
    let pool: FramePool
    let identity: CameraIdentity
    let capture: Monitor<Capture>
    let shared: Monitor<Shared>

    /// The state that only the capturing thread uses.
    struct Capture {
        var stream: CameraStream?
        var readers = CameraStream.Readers()
        /// The pauses between attempts to open a lost camera. They are not random, because no other
        /// machine competes for the device.
        var backOff = BackOff(upTo: .seconds(5))
        /// When to try again to open a lost camera.
        var retryAt = MonotonicTime(nanoseconds: 0)
        /// Whether `next` returned `lost` and has not returned `restored` since.
        var isLost = false
        var pending: SourceEvent?
        /// Whether streaming was restarted since the last frame.
        var hasRestarted = false
        var hasFrame = false
        var openedAt: MonotonicTime
        /// The time of the last progress, from which a stall is measured.
        var progressAt: MonotonicTime
        var faults = FaultReader()
        /// When `next` last returned. The time that the caller spends elsewhere is no stall.
        var returnedAt: MonotonicTime
    }

    /// The state that other threads read.
    struct Shared {
        var isClosed = false
        var statistics = CameraStatistics()
        var granted: CameraFormat
        var ring: BufferRing?
        var controls: [CameraControlSetting]
    }

    /// Opens a camera and starts streaming.
    ///
    /// - Parameters:
    ///   - path: `/dev/videoN`, or a link that stays the same when the camera is replugged, such as
    ///     those in `/dev/v4l/by-id`.
    ///   - options: Size, format, rate and controls.
    ///   - clock: The source of time.
    /// - Throws: `notFound`, `notPermitted`, `busy`; `unsupported` if the path is not a camera or
    ///   the camera lacks the requested format; `limitExceeded` if the USB bus has no bandwidth
    ///   left; `sourceLost` if an input has no signal.
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
        capture = Monitor(Capture(stream: stream, openedAt: now, progressAt: now, returnedAt: now))
        shared = Monitor(Shared(granted: stream.granted, ring: stream.ring, controls: options.controls))
    }

    deinit { shared.withLock(\.ring)?.retire() }

    /// The format, size and rate that the camera delivers. They may change with an HDMI signal and
    /// when the camera comes back.
    public var granted: CameraFormat { shared.withLock(\.granted) }

    /// Counts of what the camera delivered so far.
    public var statistics: CameraStatistics { shared.withLock(\.statistics) }

    /// The camera's name, which the device chose: print it through `String(printable:)`.
    public var card: String { identity.card }

    /// Ends capturing. A `next` that waits returns nil, Frames stay valid, and the camera is
    /// free for other programs at once.
    ///
    /// May be called from any thread and more than once, but not
    /// from ``V4L2CameraOptions/onEvent``.
    public func close() {
        shared.withLock { $0.isClosed = true }
        wakeUp.signal()
        let (stream, pending) = capture.withLock { capture in
            defer { (capture.stream, capture.pending) = (nil, nil) }
            return (capture.stream, capture.pending)
        }
        stream?.retire()
        // A frame that was never returned is released outside the lock.
        _ = pending
        shared.withLock { $0.ring = nil }
    }

    /// Returns the next frame, or that the camera was lost or restored; nil after ``close()``.
    ///
    /// - Throws: `timedOut` if there was no frame by the deadline. If
    ///   ``V4L2CameraOptions/waitsForLostCamera`` is off, also `sourceLost`
    ///   and other failures of the camera.
    public func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        try capture.withLock { capture throws(FrameStreamingError) in
            let now = clock.now
            capture.progressAt = capture.progressAt.advanced(by: now.since(capture.returnedAt))
            defer {
                capture.returnedAt = clock.now
                let statistics = capture.readers.statistics
                shared.withLock { $0.statistics = statistics }
            }
            while !shared.withLock(\.isClosed) {
                if let event = capture.pending {
                    capture.pending = nil
                    return event
                }
                if let event = try capture.stream == nil
                    ? retryOpening(&capture, until: deadline) : waitForFrame(&capture, until: deadline)
                {
                    return event
                }
            }
            return nil
        }
    }
}
