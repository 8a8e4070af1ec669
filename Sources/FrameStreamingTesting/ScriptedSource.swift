public import FrameStreamingCore

/// A source that plays a script: frames, losses and errors, in the given order.
public struct ScriptedSource: FrameSource {
    /// A step of the script.
    public enum Step: Sendable {
        /// An event to return.
        case event(SourceEvent)
        /// An error to throw; after `timedOut` the caller may try again.
        case failure(FrameStreamingError)
    }

    /// Whether the source claims to be live.
    public let isLive: Bool
    private var steps: ArraySlice<Step>

    /// Creates a source that returns `frames` and ends.
    public init(_ frames: [Frame], isLive: Bool = false) {
        self.init(steps: frames.map { .event(.frame($0)) }, isLive: isLive)
    }

    /// Creates a source that plays `steps` and ends.
    public init(steps: [Step], isLive: Bool = false) {
        self.steps = steps[...]
        self.isLive = isLive
    }

    /// Returns the next step.
    public mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        switch steps.popFirst() {
        case .event(let event): return event
        case .failure(let error): throw error
        case nil: return nil
        }
    }
}

extension Frame {
    /// Creates a frame filled by a function of the byte's offset: for tests that compare what
    /// arrives.
    public static func filled(
        _ format: FrameFormat, sequence: UInt64 = 0, captureTime: CaptureTime? = nil, byteCount: Int? = nil,
        _ value: (Int) -> UInt8
    ) throws(FrameStreamingError) -> Frame {
        var buffer = FramePool(capacity: 0).buffer(byteCount: max(1, byteCount ?? format.byteCount))
        var samples = buffer.samples
        for index in samples.indices { samples[index] = value(index) }
        return try buffer.makeFrame(format: format, captureTime: captureTime, sequence: sequence)
    }
}
