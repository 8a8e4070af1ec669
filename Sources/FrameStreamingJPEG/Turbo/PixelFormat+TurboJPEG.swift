internal import CTurboJPEG
internal import FrameStreamingCore

extension PixelFormat {
    /// TurboJPEG's number of a packed RGB format (TJPF); nil for all others.
    var packedCode: CInt? {
        switch self {
        case .rgb24: CInt(TJPF_RGB.rawValue)
        case .bgr24: CInt(TJPF_BGR.rawValue)
        case .rgba32: CInt(TJPF_RGBA.rawValue)
        case .bgra32: CInt(TJPF_BGRA.rawValue)
        default: nil
        }
    }

    /// The indices of the U and V planes, in formats with a plane for each.
    var chromaPlanes: (u: Int, v: Int)? {
        switch self {
        case .i420, .i422, .i444: (1, 2)
        case .yv12: (2, 1)
        default: nil
        }
    }
}
