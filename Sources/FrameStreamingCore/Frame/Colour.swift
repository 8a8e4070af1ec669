/// Which sample values black and white have (V4L2's quantization).
public struct ColorRange: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String { case limited, full }
    private let value: Value

    private init(value: Value) { self.value = value }

    /// Luma 16...235, chroma 16...240: what cameras and video files have unless they say otherwise (ITU-R BT.601).
    public static let limited = ColorRange(value: .limited)
    /// 0...255: what JFIF demands, and what RGB nearly always has.
    public static let full = ColorRange(value: .full)

    /// `limited` or `full`.
    public init?(name: String) {
        guard let value = Value(rawValue: name.lowercased()) else { return nil }
        self.value = value
    }

    /// `limited` or `full`.
    public var description: String { value.rawValue }
}

/// Which weights turn RGB into luma and chroma (V4L2's ycbcr_enc).
public struct ColorMatrix: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String { case unspecified, bt601, bt709, bt2020 }
    private let value: Value

    /// Not told; taken as BT.601, which JFIF demands.
    public static let unspecified = ColorMatrix(value: .unspecified)
    /// ITU-R BT.601: standard definition video and JFIF.
    public static let bt601 = ColorMatrix(value: .bt601)
    /// ITU-R BT.709: high definition video.
    public static let bt709 = ColorMatrix(value: .bt709)
    /// ITU-R BT.2020: ultra high definition video.
    public static let bt2020 = ColorMatrix(value: .bt2020)

    /// The matrix's name.
    public var description: String { value.rawValue }
}
