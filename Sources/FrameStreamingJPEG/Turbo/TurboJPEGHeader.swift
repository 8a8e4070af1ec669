internal import CTurboJPEG
internal import FrameStreamingCore

/// The header of a JPEG, as TurboJPEG reports it.
struct TurboJPEGHeader: Hashable, Sendable {
    var width: Int
    var height: Int
    var sampling: JPEGSampling
    /// TurboJPEG's number (TJCS) of the colour space, -1 = unknown.
    var colourSpace: CInt

    /// Whether the colours are RGB, whose planes are not YUV.
    var isRGB: Bool { colourSpace == CInt(TJCS_RGB.rawValue) }

    /// Refuses four inks, which TurboJPEG returns neither as RGB nor as planes.
    func checkColours() throws(FrameStreamingError) {
        guard ![CInt(TJCS_CMYK.rawValue), CInt(TJCS_YCCK.rawValue)].contains(colourSpace) else {
            throw FrameStreamingError(.unsupported, "the JPEG is CMYK, for printers: convert it to YCbCr or RGB first")
        }
    }
}
