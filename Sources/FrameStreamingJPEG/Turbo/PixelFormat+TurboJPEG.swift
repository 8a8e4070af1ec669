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

    /// Which planes hold U and V, where the format has a plane for each.
    var chromaPlanes: (u: Int, v: Int)? {
        switch self {
        case .i420, .i422, .i444: (1, 2)
        case .yv12: (2, 1)
        default: nil
        }
    }
}

extension SourcePicture {
    /// The samples of a YUV frame at `base`, wherever the format's planes and strides put them; nil for other formats.
    ///
    /// - Precondition: `base` is the start of a frame of this format, so all planes lie in its bytes.
    init?(_ base: UnsafePointer<UInt8>, _ format: FrameFormat) {
        func plane(_ index: Int) -> SourcePlane {
            let layout = format.plane(index)
            return unsafe SourcePlane(start: base + layout.offset, stride: layout.stride)
        }
        guard let sampling = format.pixelFormat.sampling else { return nil }
        switch format.pixelFormat {
        case .nv12, .nv21:
            luma = .plane(plane(0))
            chroma = .pairs(plane(1), vFirst: format.pixelFormat == .nv21)
        case .yuyv:
            luma = .pairs(plane(0), shift: 0)
            chroma = .quads(plane(0), shift: 8)
        case .uyvy:
            luma = .pairs(plane(0), shift: 8)
            chroma = .quads(plane(0), shift: 0)
        case .gray8:
            luma = .plane(plane(0))
            chroma = .none
        default:
            guard let chromaPlanes = format.pixelFormat.chromaPlanes else { return nil }
            luma = .plane(plane(0))
            chroma = .planes(u: plane(chromaPlanes.u), v: plane(chromaPlanes.v))
        }
        width = format.width
        height = format.height
        factors = ChromaFactors(sampling) ?? .yuv444
        isLimitedRange = format.colorRange == .limited
        // Gray is the same in every matrix, and luma without its chroma cannot be told from it.
        conversion = sampling == .gray ? nil : MatrixConversion(from: format.colorMatrix, format.colorRange)
    }
}
