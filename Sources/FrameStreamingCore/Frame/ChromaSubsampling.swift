/// How often chroma is sampled: J:a:b notation.
public struct ChromaSubsampling: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String { case yuv444 = "4:4:4", yuv422 = "4:2:2", yuv420 = "4:2:0", gray = "gray" }
    private let value: Value

    private init(value: Value) { self.value = value }

    /// A chroma sample for each pixel.
    public static let yuv444 = ChromaSubsampling(value: .yuv444)
    /// A chroma sample for two pixels across.
    public static let yuv422 = ChromaSubsampling(value: .yuv422)
    /// A chroma sample for two by two pixels.
    public static let yuv420 = ChromaSubsampling(value: .yuv420)
    /// No chroma.
    public static let gray = ChromaSubsampling(value: .gray)

    /// Every one, fullest first.
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
    public var description: String { value.rawValue }
}
