internal import CTurboJPEG

/// The header of a JPEG, as TurboJPEG reports it.
struct TurboJPEGHeader: Hashable, Sendable {
    var width: Int
    var height: Int
    var sampling: JPEGSampling
    /// TurboJPEG's number (TJCS) of the colour space, -1 = unknown.
    var colourSpace: CInt

    /// Whether the colours are RGB, whose planes are not YUV.
    var isRGB: Bool { colourSpace == CInt(TJCS_RGB.rawValue) }

    /// Whether the colours are four inks, for printers. TurboJPEG returns them neither as RGB nor as
    /// planes.
    var isInk: Bool { [CInt(TJCS_CMYK.rawValue), CInt(TJCS_YCCK.rawValue)].contains(colourSpace) }

    /// The sampling of the YUV planes that TurboJPEG returns; nil = it returns none.
    var planeFactors: ChromaFactors? { isRGB || isInk ? nil : sampling.factors }
}
