package import FrameStreaming

/// The first pictures of a source, turned: what `--frames N` and `--rotate` take.
package struct LimitedSource: FrameSource {
    private var source: any FrameSource
    private let limit: Int?
    /// The input that is read; nil = the pictures come from elsewhere.
    package let input: (any MeteredSource)?
    private var taken = 0
    /// Called with the first picture that is JPEG already.
    private var onCompressed: (() -> Void)?

    /// - Parameter turn: How the pictures are turned, after they were made upright; nil = not at
    ///   all.
    package init(
        _ source: any FrameSource, frames: Int?, turn: PictureTurn? = nil, onCompressed: (() -> Void)? = nil
    ) {
        input = source as? any MeteredSource
        self.source = turn.map { TurnedSource(source, turn: $0) } ?? source
        self.onCompressed = onCompressed
        limit = frames
    }

    package var isLive: Bool { source.isLive }

    package mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        if let limit, taken >= limit { return nil }
        let event = try source.next(until: deadline)
        if case .frame(let frame) = event {
            taken += 1
            if frame.format.pixelFormat == .jpeg { onCompressed.take()?() }
        }
        return event
    }

    /// How many pictures there will be, if that is known: a pipe may end before the limit.
    package func expectedFrames(loops: Bool) -> Int? {
        guard let input, !loops else { return limit }
        return input.frameCount.map { count in min(count, limit ?? count) }
    }
}
