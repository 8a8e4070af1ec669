internal import CTurboJPEG
internal import FrameStreamingCore

/// A TurboJPEG instance and what it says of its last failure.
///
/// Only calls of the API 1.x to 2.0 are used: they are in every libturbojpeg.so.0, up to 3.x.
///
/// Unsafe code, safe because: the handle lives from init to deinit and is destroyed once; whoever holds this object,
/// out of a ``HandlePool``, is the only one that uses it.
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

    /// What a call that returned non-zero complains of. To be asked at once after it, and after nothing else.
    func complaint() -> (isWarning: Bool, text: String) {
        let isWarning = unsafe tjGetErrorCode(raw) == CInt(bitPattern: TJERR_WARNING.rawValue)
        return unsafe (isWarning, Self.text(raw))
    }

    private static func text(_ raw: tjhandle?) -> String {
        guard let words = unsafe tjGetErrorStr2(raw) else { return "no reason given" }
        return unsafe String(cString: words)
    }

    /// tjBufSize: the largest JPEG of this size that the library writes. With TJFLAG_NOREALLOC it takes this much
    /// room for granted, whatever size it is told, so every output buffer has at least this.
    static func largestJPEG(width: Int, height: Int, sampling: CInt) throws(FrameStreamingError) -> Int {
        let size = tjBufSize(CInt(width), CInt(height), sampling)
        guard size != UInt.max, let count = Int(exactly: size) else {
            throw FrameStreamingError(
                .unsupported, "TurboJPEG cannot encode \(width)x\(height): crop or scale the picture first")
        }
        return count
    }

    static let largestSide = JPEGCodec.largestSide
}

extension FrameStreamingError {
    static func corruptImage(_ reason: String) -> FrameStreamingError {
        FrameStreamingError(
            .corruptImage, "the JPEG does not decode: \(reason); drop it and go on with the next picture")
    }
}
