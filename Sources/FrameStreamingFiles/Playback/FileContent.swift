public import FrameStreamingCore

/// What a ``FileSource`` reads.
@nonexhaustive
public enum FileContent: Hashable, Sendable {
    /// What the first bytes say: Y4M, or JPEGs.
    case recognized
    /// JPEGs, whatever the input begins with.
    case jpeg
    /// Headerless frames of this shape, without padding.
    case raw(FrameFormat)
}
