package import FrameStreaming

/// The first pictures of a source: what `--frames N` takes.
package struct LimitedSource: FrameSource {
    private var source: any FrameSource
    private let limit: Int?
    private var taken = 0
    /// Called with the first picture that is JPEG already.
    private var onCompressed: (() -> Void)?

    package init(_ source: any FrameSource, frames: Int?, onCompressed: (() -> Void)? = nil) {
        self.source = source
        self.onCompressed = onCompressed
        limit = frames
    }

    package var isLive: Bool { source.isLive }

    /// The file or pipe that is read; nil = the pictures come from elsewhere.
    package var file: FileSource? { source as? FileSource }

    package mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        if let limit, taken >= limit { return nil }
        let event = try source.next(until: deadline)
        if case .frame(let frame) = event {
            taken += 1
            if frame.format.pixelFormat == .jpeg { onCompressed.take()?() }
        }
        return event
    }

    /// How many pictures there will be, if that is known.
    package func expectedFrames(loops: Bool) -> Int? {
        let inFile = loops ? nil : file?.frameCount
        return [limit, inFile].compactMap(\.self).min()
    }
}
