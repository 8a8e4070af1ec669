internal import FrameStreamingCore

/// How many luma samples share a chroma sample, across and down: what both pixel formats and JPEGs have, and more
/// kinds of it than `ChromaSubsampling` names.
struct ChromaFactors: Hashable, Sendable {
    var across: Int
    var down: Int

    static let yuv444 = ChromaFactors(across: 1, down: 1)
    static let yuv422 = ChromaFactors(across: 2, down: 1)
    static let yuv420 = ChromaFactors(across: 2, down: 2)

    /// Nil for gray: there is no chroma.
    init?(_ subsampling: ChromaSubsampling) {
        switch subsampling {
        case .yuv444: self = .yuv444
        case .yuv422: self = .yuv422
        case .yuv420: self = .yuv420
        default: return nil
        }
    }

    init(across: Int, down: Int) {
        self.across = across
        self.down = down
    }

    /// Chroma samples across a picture of `width` pixels.
    func columns(_ width: Int) -> Int { (width + across - 1) / across }
    /// Lines of chroma of a picture of `height` pixels.
    func lines(_ height: Int) -> Int { (height + down - 1) / down }
    /// The luma samples of a line that TurboJPEG reads and writes: whole groups.
    func paddedWidth(_ width: Int) -> Int { columns(width) * across }
    /// The lines of luma that TurboJPEG reads and writes: whole groups.
    func paddedHeight(_ height: Int) -> Int { lines(height) * down }
    /// Whether a picture of this size consists of whole groups.
    func divides(width: Int, height: Int) -> Bool { width % across == 0 && height % down == 0 }
}

/// The sampling of a JPEG, as TurboJPEG numbers it (TJSAMP). A newer library may have more of them.
enum JPEGSampling: Hashable, Sendable {
    case colour(ChromaFactors)
    case gray
    /// Nothing that TurboJPEG can give as planes; it may still decode to RGB.
    case unknown

    init(code: CInt) {
        switch code {
        case 0: self = .colour(.yuv444)
        case 1: self = .colour(.yuv422)
        case 2: self = .colour(.yuv420)
        case 3: self = .gray
        case 4: self = .colour(ChromaFactors(across: 1, down: 2))
        case 5: self = .colour(ChromaFactors(across: 4, down: 1))
        case 6: self = .colour(ChromaFactors(across: 1, down: 4))
        default: self = .unknown
        }
    }

    var factors: ChromaFactors? {
        if case .colour(let factors) = self { factors } else { nil }
    }
}

extension ChromaSubsampling {
    /// TurboJPEG's number (TJSAMP).
    var code: CInt {
        switch self {
        case .yuv444: 0
        case .yuv422: 1
        case .yuv420: 2
        default: 3
        }
    }
}
