internal import CFFmpeg
internal import FrameStreamingCore

/// The turn that makes a picture upright, from the display matrix of a film: a phone that is held
/// upright films lying on its side, and says so.
enum PictureOrientation {
    /// The turn of a matrix: the first two numbers of its first two rows, of which the signs count.
    /// One that is no multiple of a quarter turn is taken as the nearest.
    ///
    /// - Parameters:
    ///   - a: How far to the right a step to the right leads.
    ///   - b: How far down a step to the right leads.
    ///   - c: How far to the right a step down leads.
    ///   - d: How far down a step down leads.
    static func turn(_ a: Int32, _ b: Int32, _ c: Int32, _ d: Int32) -> PictureTurn {
        if a.magnitude >= b.magnitude {
            switch (a < 0, d < 0) {
            case (false, false): return .none
            case (true, true): return .rotate180
            case (true, false): return d == 0 ? .none : .flipHorizontally
            case (false, true): return a == 0 ? .none : .flipVertically
            }
        }
        switch (b < 0, c < 0) {
        case (false, true): return .rotate90
        case (true, false): return .rotate270
        case (false, false): return .transpose
        case (true, true): return .transverse
        }
    }

    /// The turn of a matrix of FFmpeg's, which has nine numbers; nil = there is none.
    static func turn(_ matrix: UnsafePointer<Int32>?) -> PictureTurn? {
        guard let matrix = unsafe matrix else { return nil }
        return unsafe turn(matrix[0], matrix[1], matrix[3], matrix[4])
    }
}
