public import FrameStreamingCore
internal import FrameStreamingSystem

/// One stream of a ``PreviewServer``, which shows each frame that it is given.
///
/// Any thread may call it, and no call waits for a viewer. The newest frame is kept, its bytes
/// shared and not copied, and the server's own thread does the rest. Without viewers a frame costs
/// less than a microsecond. The kept frame holds one buffer of its pool or camera.
///
/// When the object is released, the stream is shown as ended.
public final class PreviewStream: Sendable {
    private let entry: StreamEntry
    private let owner: Int

    /// The address of the frames for other programs, as `multipart/x-mixed-replace`, such as
    /// `http://127.0.0.1:8080/streams/front%20door.mjpg`. If the server listens on all addresses,
    /// it has one that other machines can reach.
    public let address: String

    init(_ entry: StreamEntry, owner: Int, address: String) {
        self.entry = entry
        self.owner = owner
        self.address = address
    }

    deinit { entry.set(.ended, owner: owner, reason: "the receiver has finished", isLeaving: true) }

    /// The name on the page and in addresses: the requested name, with `-2` and so on where another
    /// stream has that.
    public var name: String { entry.name }

    /// Whether the stream has a place on the page. False: as many streams as
    /// ``PreviewOptions/maximumStreams`` allows are live, and this one is never shown.
    public var isListed: Bool { entry.isListed }

    /// The number of viewers of this stream at this moment.
    public var viewers: Int { entry.state.withLock { $0.viewers } }

    /// Shows a frame. After ``lost(_:)`` this also reports that the stream is back.
    ///
    /// - Parameters:
    ///   - frame: The frame. JPEG is passed on unchanged. Other formats are encoded by the server's
    ///     codec, and only while a viewer watches.
    ///   - localCaptureTime: The capture time on this machine's CLOCK_MONOTONIC; nil
    ///     = unknown, so no delay is shown.
    ///   - skipped: The frames that the sender dropped before this one; nil = unknown.
    ///   - clockError: The largest error of `localCaptureTime`; 0 on one machine, nil =
    ///     unknown.
    public func show(
        _ frame: Frame, localCaptureTime: MonotonicTime? = nil, skipped: Int? = nil, clockError: Duration? = nil
    ) {
        entry.show(
            frame, owner: owner, captured: localCaptureTime, skipped: skipped.map { max(0, $0) },
            clockError: clockError?.wholeNanoseconds
        )
    }

    /// Shows a frame as a receiver got it, and not as it was decoded, unless it is video: then the
    /// decoded picture is encoded for those who look, once for all.
    ///
    /// - Parameters:
    ///   - received: The result of `FrameReceiver.next()`.
    ///   - peer: The sender, `FrameReceiver.peer`, which knows whether frames say what was skipped.
    public func show(_ received: ReceivedFrame, from peer: Peer? = nil) {
        let tells = peer?.abilities.contains(.skipCounts) ?? true
        let encoded = received.encoded
        // Browsers get JPEGs: those that arrived, or pictures that the server encodes.
        let isShown = encoded.format.pixelFormat == .jpeg || encoded.format.planeCount > 0
        show(
            isShown ? encoded : received.frame, localCaptureTime: received.localCaptureTime,
            skipped: tells ? Int(received.info.skipped) : nil,
            clockError: received.captureError)
    }

    /// Reports that the frames stopped and may come back, for example because a camera was
    /// unplugged.
    ///
    /// - Parameter reason: The reason that viewers see.
    public func lost(_ reason: String) { entry.set(.lost, owner: owner, reason: reason) }

    /// Reports that the frames are back.
    public func restored() { entry.set(.live, owner: owner) }

    /// Reports that the connection broke and its sender may come back. The stream is shown as lost,
    /// and the next caller that asks the server for its name continues it.
    ///
    /// A stream that does not come back is forgotten like one that ended. This object can show
    /// nothing any more.
    ///
    /// - Parameter reason: The reason that viewers see.
    public func disconnected(_ reason: String) { entry.set(.lost, owner: owner, reason: reason, isLeaving: true) }

    /// Ends the stream. It stays listed for a while, and this object can show nothing any more.
    ///
    /// - Parameter reason: The reason that viewers see.
    public func end(_ reason: String) { entry.set(.ended, owner: owner, reason: reason, isLeaving: true) }

    /// Handles an event that a receiver reports beside its frames: the loss and the return of the
    /// source, and frames that did not decode.
    ///
    /// - Parameter event: The argument of the receiver's `onEvent`.
    public func note(_ event: ReceiverEvent) {
        switch event {
        case .sourceLost(let reason): lost(reason)
        case .sourceRestored: restored()
        case .undecodable: entry.update(owner: owner) { $0.dropped["undecodable", default: 0] &+= 1 }
        }
    }

    /// The number of frames in flight, as the sender reports it; nil = unknown, which is the
    /// default.
    public var window: Int? {
        get { entry.state.withLock { $0.window } }
        set { entry.update(owner: owner) { $0.window = newValue } }
    }
}
