public import FrameStreaming

/// The first pictures of a source: what `--frames N` takes.
public struct LimitedSource: FrameSource {
    private var source: any FrameSource
    private let limit: Int?
    private var taken = 0

    public init(_ source: any FrameSource, frames: Int?) {
        self.source = source
        limit = frames
    }

    public var isLive: Bool { source.isLive }

    public mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        if let limit, taken >= limit { return nil }
        let event = try source.next(until: deadline)
        if case .frame = event { taken += 1 }
        return event
    }

    /// How many pictures there will be, where that is known.
    public func expectedFrames(loops: Bool) -> Int? {
        let inFile = loops ? nil : (source as? RawFileSource)?.frameCount
        return [limit, inFile].compactMap(\.self).min()
    }
}
