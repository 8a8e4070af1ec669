/// A file format that holds compressed frames with their times.
public enum FilmContainer: String, CaseIterable, Sendable {
    /// Matroska: `.mkv`.
    case matroska
    /// MP4, in a fragment for each frame: `.mp4`.
    case mp4

    /// The container that the ending of a path names; nil = it names none.
    public init?(path: String) {
        let lowered = path.lowercased()
        guard let container = Self.allCases.first(where: { lowered.hasSuffix($0.ending) }) else { return nil }
        self = container
    }

    /// The ending of its files: `.mkv` or `.mp4`.
    public var ending: String {
        switch self {
        case .matroska: ".mkv"
        case .mp4: ".mp4"
        }
    }

    /// The name that people know.
    public var name: String {
        switch self {
        case .matroska: "Matroska"
        case .mp4: "MP4"
        }
    }

    var writer: any FilmWriter {
        switch self {
        case .matroska: MatroskaWriter()
        case .mp4: MP4Writer()
        }
    }
}
