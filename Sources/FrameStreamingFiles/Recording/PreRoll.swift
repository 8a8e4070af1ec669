public import FrameStreamingCore

/// The last seconds of a stream in memory, for a recording that is to begin before it was asked for. A value
/// without a clock.
///
/// ```swift
/// var preRoll = PreRoll(duration: .seconds(10), maximumByteCount: 64 << 20)
/// while let received = try receiver.next() {
///     if preRoll.add(received.forwarded(), at: .now) { try receiver.request(.keyFrame) }
///     guard isOfInterest(received) else { continue }
///     for frame in preRoll.takeAll() { try recorder.write(frame) }
/// }
/// ```
///
/// It begins with a frame that stands alone, and holds copies, so that no pool waits for its buffers. A
/// frame in memory that was acknowledged is lost with the program.
public struct PreRoll: Sendable {
    private struct Item: Sendable {
        var frame: Frame
        var time: MonotonicTime
    }

    /// The time that it holds: at least, since it begins with a frame that stands alone.
    public let duration: Duration
    /// The bytes that it holds at most. Where they are fewer than the time needs, it holds less.
    public let maximumByteCount: Int

    private var items: [Item] = []
    private var lastKey: MonotonicTime?
    private var askedAt: MonotonicTime?
    /// The bytes of the frames in it.
    public private(set) var byteCount = 0
    /// The frames in it.
    public var frameCount: Int { items.count }

    /// - Parameters:
    ///   - duration: The time that it holds.
    ///   - maximumByteCount: The bytes that it holds at most.
    public init(duration: Duration, maximumByteCount: Int) {
        self.duration = duration
        self.maximumByteCount = maximumByteCount
    }

    /// Adds the newest frame, and forgets frames that are too old.
    ///
    /// - Parameters:
    ///   - frame: The frame, of which a copy is kept.
    ///   - now: The present time.
    /// - Returns: Whether the sender is to be asked for a frame that stands alone, because the last
    ///   one is long ago.
    public mutating func add(_ frame: Frame, at now: MonotonicTime) -> Bool {
        if !frame.dependsOnPrevious { lastKey = now }
        if !items.isEmpty || !frame.dependsOnPrevious, frame.byteCount <= maximumByteCount {
            items.append(Item(frame: frame.copy(), time: now))
            byteCount += frame.byteCount
        } else {
            // What follows would depend on a frame that is not there.
            removeFirst(items.count)
        }
        forget(at: now)
        guard frame.dependsOnPrevious else { return false }
        if let lastKey, lastKey.duration(to: now) < duration / 2 { return false }
        if let askedAt, askedAt.duration(to: now) < max(.seconds(1), duration / 2) { return false }
        askedAt = now
        return true
    }

    /// Returns all frames, the oldest first, and forgets them.
    public mutating func takeAll() -> [Frame] {
        defer { removeFirst(items.count) }
        return items.map(\.frame)
    }

    private mutating func forget(at now: MonotonicTime) {
        // The last frame that stands alone and is old enough: what precedes it is not needed.
        if let start = items.lastIndex(where: { !$0.frame.dependsOnPrevious && $0.time.duration(to: now) >= duration })
        {
            removeFirst(start)
        }
        while byteCount > maximumByteCount {
            removeFirst(items.dropFirst().firstIndex { !$0.frame.dependsOnPrevious } ?? items.count)
        }
    }

    private mutating func removeFirst(_ count: Int) {
        byteCount -= items.prefix(count).reduce(0) { $0 + $1.frame.byteCount }
        items.removeFirst(count)
    }
}
