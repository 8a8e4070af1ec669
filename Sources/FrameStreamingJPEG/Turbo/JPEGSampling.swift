internal import FrameStreamingCore

/// The sampling of a JPEG, in TurboJPEG's numbering (TJSAMP). A newer library may define more.
enum JPEGSampling: Hashable, Sendable {
    case colour(ChromaFactors)
    case gray
    /// A sampling that TurboJPEG cannot return as planes; it may still decode to RGB.
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
