internal import FrameStreamingCore

/// The addresses of a YUV frame's samples, in any layout that pixel formats have.
struct SourceImage {
    enum Luma {
        case plane(SourcePlane)
        /// In the lower (`shift` 0) or upper (8) byte of each pair.
        case pairs(SourcePlane, shift: UInt16)
    }

    enum Chroma {
        case none
        case planes(u: SourcePlane, v: SourcePlane)
        /// U and V alternate, or V and U.
        case pairs(SourcePlane, vFirst: Bool)
        /// U and V alternate in the lower (`shift` 0) or upper (8) byte of each pair; the other
        /// byte is luma.
        case quads(SourcePlane, shift: UInt16)
    }

    var width: Int
    var height: Int
    var luma: Luma
    var chroma: Chroma
    /// The subsampling of the chroma; meaningless without chroma.
    var factors: ChromaFactors
    var isLimitedRange: Bool
    /// Converts luma and chroma to those of JFIF; nil = they already are. Only with chroma.
    var conversion: MatrixConversion?
    /// How much the frame is to be scaled down. `width` and `height` are the size before.
    var scale = PictureScale.full

    var scaledWidth: Int { scale.scaled(width) }
    var scaledHeight: Int { scale.scaled(height) }

    /// The bytes that ``TargetImage/lines`` has: two lines of chroma to resample, and two of
    /// alternating chroma.
    static func lineRoom(columns: Int) -> Int { 4 * columns }
}

extension SourceImage {
    /// Locates the samples of a YUV frame at `base`; nil for other formats.
    ///
    /// - Precondition: `base` is the start of a frame of this format, so all planes lie in its
    ///   bytes.
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
        // Gray is the same in every matrix, and luma without its chroma cannot be distinguished
        // from gray.
        conversion = sampling == .gray ? nil : MatrixConversion(from: format.colorMatrix, format.colorRange)
    }
}
