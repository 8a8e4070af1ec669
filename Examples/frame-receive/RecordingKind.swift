import FrameStreaming

/// The kind of a recording, chosen by its name.
enum RecordingKind: Hashable {
    case video, motionJPEG, directory
    /// Compressed frames with their times.
    case film(FilmContainer)

    /// Nil for any other file extension: `x.avi` would become a directory of that name. Standard
    /// output, a FIFO and a device take JPEGs, unless their name says that they take video.
    init?(path: String) {
        let lowered = path.lowercased()
        let name = lowered.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        if name.hasSuffix(".y4m") {
            self = .video
        } else if let container = FilmContainer(path: path) {
            self = .film(container)
        } else if name.hasSuffix(".mjpg") || name.hasSuffix(".mjpeg") || RecordingPath.isStream(path) {
            self = .motionJPEG
        } else if path.hasSuffix("/") {
            self = .directory
        } else if name.isEmpty {
            return nil
        } else if name == ".." || !name.dropFirst().contains(".") {
            // The dot of a hidden directory's name does not begin an extension.
            self = .directory
        } else {
            return nil
        }
    }
}
