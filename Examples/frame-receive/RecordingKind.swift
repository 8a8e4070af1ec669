/// What a recording's name asks for.
enum RecordingKind {
    case video, motionJPEG, directory

    /// Nil for an ending that is none of these: `x.avi` would become a directory of that name.
    init?(path: String) {
        let lowered = path.lowercased()
        let name = lowered.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        if path.hasSuffix("/") {
            self = .directory
        } else if name.isEmpty {
            return nil
        } else if name.hasSuffix(".y4m") {
            self = .video
        } else if name.hasSuffix(".mjpg") || name.hasSuffix(".mjpeg") {
            self = .motionJPEG
        } else if name == ".." || !name.dropFirst().contains(".") {
            // The dot of a hidden directory's name does not begin an ending.
            self = .directory
        } else {
            return nil
        }
    }
}
