public import FrameStreamingCore
internal import FrameStreamingSystem

/// One stream of a ``PreviewServer``: give it each picture, and it is on the page.
///
/// Any thread may call. Nothing here waits for a viewer: of the pictures the newest is kept, its bytes shared and not copied, and what
/// happens to it happens on the server's own thread. While nobody looks a picture costs less than a microsecond. The one that is kept
/// holds one buffer of the pool or the camera that it came from.
///
/// Let go of without a word, the stream is shown as ended.
public final class PreviewStream: Sendable {
    private let tile: StreamTile
    private let owner: Int

    init(_ tile: StreamTile, owner: Int) {
        self.tile = tile
        self.owner = owner
    }

    deinit { tile.set(.ended, owner: owner, reason: "the receiver is done with it", isLeaving: true) }

    /// What it is called on the page and in addresses: what was asked for, with `-2` and so on where somebody else has that.
    public var name: String { tile.name }

    /// Whether it has a place on the page. False: as many streams as ``PreviewOptions/maximumStreams`` allows are live, and this one is
    /// shown nowhere, whatever is done with it.
    public var isListed: Bool { tile.isListed }

    /// The programs and pages that look at it at this moment.
    public var viewers: Int { tile.state.withLock { $0.viewers } }

    /// Shows a picture. One that is shown after ``lost(_:)`` says that the stream is back.
    ///
    /// - Parameters:
    ///   - frame: A JPEG is handed on as it is. Anything else is encoded by the server's codec, and only while somebody looks.
    ///   - captured: When it was captured, on this machine's CLOCK_MONOTONIC; nil = not known, and there is no delay to show.
    ///   - skipped: Pictures that the sender left out before it; nil = not known.
    ///   - clockError: By how much `captured` may be wrong, in nanoseconds; 0 on one machine, nil = not known.
    public func show(
        _ frame: Frame, captured: MonotonicTime? = nil, skipped: Int? = nil, clockError: Int64? = nil
    ) {
        tile.show(
            frame, owner: owner, captured: captured, skipped: skipped.map { max(0, $0) }, clockError: clockError)
    }

    /// Shows a picture as a receiver has it: as it came, and not as it was decoded.
    ///
    /// - Parameters:
    ///   - received: What `FrameReceiver.next()` gave.
    ///   - peer: Who sent it: `FrameReceiver.peer`, which knows the clock's error. Asked for where there is one.
    public func show(_ received: ReceivedFrame, from peer: Peer? = nil) {
        // The text handshake does not tell what was left out.
        let tells = peer.map { $0.handshake != .text } ?? true
        show(
            received.encoded, captured: received.captureTime, skipped: tells ? Int(received.info.skipped) : nil,
            clockError: received.captureTime == nil ? nil : peer?.clockError)
    }

    /// The pictures stopped, and may come back: a camera was unplugged.
    ///
    /// - Parameter reason: What viewers are told.
    public func lost(_ reason: String) { tile.set(.lost, owner: owner, reason: reason) }

    /// The pictures are back.
    public func restored() { tile.set(.live, owner: owner) }

    /// The connection broke, and its sender may come back: shown as lost. Whoever asks the server for a stream of this name has its tile.
    /// One that does not come back is forgotten like one that ended. Nothing can be shown through this object any more.
    ///
    /// - Parameter reason: What viewers are told.
    public func disconnected(_ reason: String) { tile.set(.lost, owner: owner, reason: reason, isLeaving: true) }

    /// The stream is over. It stays listed for a while, and nothing can be shown through this object any more.
    ///
    /// - Parameter reason: What viewers are told.
    public func end(_ reason: String) { tile.set(.ended, owner: owner, reason: reason, isLeaving: true) }

    /// Takes note of what a receiver tells beside its frames: the loss and the return of the source, frames that did not decode.
    ///
    /// - Parameter event: What the receiver's `onEvent` was called with.
    public func note(_ event: ReceiverEvent) {
        switch event {
        case .sourceLost(let reason): lost(reason)
        case .sourceRestored: restored()
        case .undecodable: tile.update(owner: owner) { $0.dropped["undecodable", default: 0] &+= 1 }
        }
    }

    /// How many frames are under way, as the sender has it; nil = not known, which it is unless somebody says.
    public var window: Int? {
        get { tile.state.withLock { $0.window } }
        set { tile.update(owner: owner) { $0.window = newValue } }
    }
}
