internal import FrameStreamingCore

/// What a film says about its frames.
struct FilmTrack: Hashable, Sendable {
    /// How the frames are compressed.
    enum Coding: Hashable, Sendable {
        case jpeg
        /// In length-prefixed form, with its parameter sets in the film's head.
        case h264(AVCConfiguration)
        case vp8
        /// - profile: 0...3.
        case vp9(profile: UInt8)
    }

    var coding: Coding
    /// The size as it is shown.
    var width: Int
    var height: Int
    var range: ColorRange
    var matrix: ColorMatrix
    /// The stream's name; nil = it has none.
    var title: String?
    /// When the first frame was captured.
    var start: UTCTime

    /// The size as it is compressed: H.264 in 4:2:0 has even sides.
    var codedWidth: Int { coding.hasEvenSides ? width + width % 2 : width }
    var codedHeight: Int { coding.hasEvenSides ? height + height % 2 : height }

    /// The matrix as ITU-T H.273 numbers it.
    var matrixNumber: UInt8 {
        switch matrix {
        case .unspecified: 2
        case .bt601: 6
        case .bt709: 1
        case .bt2020: 9
        }
    }

    /// The program's name in the file.
    static let writer = "FrameStreaming"
}

extension FilmTrack.Coding {
    fileprivate var hasEvenSides: Bool { if case .h264 = self { true } else { false } }
}
