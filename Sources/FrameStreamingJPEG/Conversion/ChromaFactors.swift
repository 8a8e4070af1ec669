internal import FrameStreamingCore

/// How many luma samples share a chroma sample, across and down. Describes pixel formats and JPEGs,
/// which have more kinds than `ChromaSubsampling` names.
struct ChromaFactors: Hashable, Sendable {
    var across: Int
    var down: Int

    static let yuv444 = ChromaFactors(across: 1, down: 1)
    static let yuv422 = ChromaFactors(across: 2, down: 1)
    static let yuv420 = ChromaFactors(across: 2, down: 2)

    /// Nil for gray, which has no chroma.
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

    /// Chroma samples per line of a frame that is `width` pixels wide.
    func columns(_ width: Int) -> Int { (width + across - 1) / across }
    /// Lines of chroma in a frame that is `height` pixels high.
    func lines(_ height: Int) -> Int { (height + down - 1) / down }
    /// Luma samples per line that TurboJPEG reads and writes: whole groups.
    func paddedWidth(_ width: Int) -> Int { columns(width) * across }
    /// Lines of luma that TurboJPEG reads and writes: whole groups.
    func paddedHeight(_ height: Int) -> Int { lines(height) * down }
    /// Whether a frame of this size consists of whole groups.
    func divides(width: Int, height: Int) -> Bool { width % across == 0 && height % down == 0 }
}
