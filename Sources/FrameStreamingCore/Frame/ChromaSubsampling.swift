/// The chroma subsampling, in J:a:b notation.
@nonexhaustive
public enum ChromaSubsampling: String, Sendable, CustomStringConvertible {
    /// A chroma sample for each pixel.
    case yuv444 = "4:4:4"
    /// A chroma sample for two pixels across.
    case yuv422 = "4:2:2"
    /// A chroma sample for two by two pixels.
    case yuv420 = "4:2:0"
    /// No chroma.
    case gray = "gray"

    /// All subsamplings, the one with the most chroma first.
    public static let all: [ChromaSubsampling] = [.yuv444, .yuv422, .yuv420, .gray]

    /// `4:2:0` or `420`, `gray` or `grey`.
    public init?(name: String) {
        let plain = name.lowercased().filter { $0 != ":" }
        guard let match = Self.all.first(where: { $0.description.filter { $0 != ":" } == plain }) else {
            guard plain == "grey" else { return nil }
            self = .gray
            return
        }
        self = match
    }

    /// `4:2:0` and the like, or `gray`.
    public var description: String { rawValue }
}
