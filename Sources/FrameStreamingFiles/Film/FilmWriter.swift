/// Lays out a film as bytes: what precedes each frame, and what ends the film. A value, so that a
/// frame that could not be written leaves it as it was.
///
/// Each frame with its lead can be read as soon as it is there, so a film is whole behind each frame.
protocol FilmWriter: Sendable {
    /// Returns what precedes a frame in the file; before the first, the film's head.
    mutating func lead(of sample: FilmSample, in track: FilmTrack) -> [UInt8]

    /// What makes a film that has frames quicker to open and to seek in.
    func ending(duration: Int64) -> FilmEnding
}

/// A frame's place in a film.
struct FilmSample: Hashable, Sendable {
    /// Microseconds since the first frame.
    var stamp: Int64
    /// Microseconds for which the frame before was shown; nil = there is none.
    var step: Int64?
    /// Whether it stands alone.
    var isKey: Bool
    var byteCount: Int
}

/// The end of a film.
struct FilmEnding: Hashable, Sendable {
    /// Bytes to add.
    var tail: [UInt8]
    /// Bytes that replace those from `offset` on.
    var patches: [Patch]

    struct Patch: Hashable, Sendable {
        var offset: Int
        var bytes: [UInt8]
    }
}
