/// Which sample values black and white have (V4L2's quantization).
public enum ColorRange: String, Sendable, CustomStringConvertible {
    /// Luma 16...235, chroma 16...240: the default of cameras and video files (ITU-R BT.601).
    case limited
    /// 0...255: what JFIF demands, and what RGB nearly always has.
    case full

    /// `limited` or `full`.
    public init?(name: String) {
        guard let range = ColorRange(rawValue: name.lowercased()) else { return nil }
        self = range
    }

    /// `limited` or `full`.
    public var description: String { rawValue }
}

/// Which weights turn RGB into luma and chroma (V4L2's ycbcr_enc).
@nonexhaustive
public enum ColorMatrix: String, Sendable, CustomStringConvertible {
    /// Not known; taken as BT.601, which JFIF demands.
    case unspecified
    /// ITU-R BT.601: standard definition video and JFIF.
    case bt601
    /// ITU-R BT.709: high definition video.
    case bt709
    /// ITU-R BT.2020: ultra high definition video.
    case bt2020

    /// The matrix's name.
    public var description: String { rawValue }
}
