internal import CFFmpeg
public import FrameStreamingCore

/// A way to compress video in which frames depend on those before them.
public enum VideoFormat: String, CaseIterable, Sendable {
    /// H.264 (ITU-T H.264), in Annex B form.
    case h264
    /// VP8 (RFC 6386).
    case vp8
    /// VP9.
    case vp9

    /// The pixel format of its frames.
    public var pixelFormat: PixelFormat {
        switch self {
        case .h264: .h264
        case .vp8: .vp8
        case .vp9: .vp9
        }
    }

    /// The format with this pixel format; nil = there is none.
    public init?(_ pixelFormat: PixelFormat) {
        guard let format = Self.allCases.first(where: { $0.pixelFormat == pixelFormat }) else { return nil }
        self = format
    }

    /// The name that people know.
    public var name: String {
        switch self {
        case .h264: "H.264"
        case .vp8: "VP8"
        case .vp9: "VP9"
        }
    }

    /// FFmpeg's encoder that every Debian has.
    var usualEncoder: String {
        switch self {
        case .h264: "libx264"
        case .vp8: "libvpx"
        case .vp9: "libvpx-vp9"
        }
    }

    var identifier: AVCodecID {
        switch self {
        case .h264: AV_CODEC_ID_H264
        case .vp8: AV_CODEC_ID_VP8
        case .vp9: AV_CODEC_ID_VP9
        }
    }
}
