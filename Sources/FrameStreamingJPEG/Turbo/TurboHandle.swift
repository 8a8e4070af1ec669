internal import CTurboJPEG
internal import FrameStreamingCore

/// A TurboJPEG instance, and the message of its last failure.
///
/// It uses only calls of the API 1.x to 2.0, which every libturbojpeg.so.0 has, up to 3.x.
///
/// Unsafe code, safe because: the handle lives from init to deinit and is destroyed once. The
/// holder of this object, from a ``HandlePool``, is the only user.
@safe struct TurboHandle: ~Copyable {
    let raw: tjhandle

    init(_ raw: tjhandle?) throws(FrameStreamingError) {
        guard let raw = unsafe raw else {
            throw FrameStreamingError(
                .system, "TurboJPEG could not be started (\(unsafe Self.text(nil))): free memory and try again")
        }
        unsafe self.raw = raw
    }

    deinit { unsafe tjDestroy(raw) }

    /// Returns the complaint of a call that returned non-zero. Must be called directly after it.
    func complaint() -> (isWarning: Bool, text: String) {
        let isWarning = unsafe tjGetErrorCode(raw) == CInt(bitPattern: TJERR_WARNING.rawValue)
        return unsafe (isWarning, Self.text(raw))
    }

    private static func text(_ raw: tjhandle?) -> String {
        guard let words = unsafe tjGetErrorStr2(raw) else { return "no reason given" }
        return unsafe String(cString: words)
    }

    /// Returns tjBufSize, the size of the largest JPEG that the library writes for a frame of this
    /// size. With TJFLAG_NOREALLOC the library assumes this much room, whatever size it is given,
    /// so every output buffer must have it.
    static func largestJPEG(width: Int, height: Int, sampling: CInt) throws(FrameStreamingError) -> Int {
        let size = tjBufSize(CInt(width), CInt(height), sampling)
        guard size != UInt.max, let count = Int(exactly: size) else {
            throw FrameStreamingError(
                .unsupported, "TurboJPEG cannot encode \(width)x\(height): crop or scale the picture first")
        }
        return count
    }

    static let maximumSide = JPEGCodec.maximumSide
}

extension FrameStreamingError {
    static func corruptImage(_ reason: String) -> FrameStreamingError {
        FrameStreamingError(
            .corruptImage,
            "the JPEG does not decode: \(reason); continue with the next picture, and if all are like it, look at them with another program"
        )
    }

    /// A JPEG that a tolerant codec decodes.
    static func strictlyRefused(_ reason: String) -> FrameStreamingError {
        FrameStreamingError(
            .corruptImage,
            "the JPEG decodes with a warning only: \(reason); to have it as far as it goes, decode without strictness")
    }
}
