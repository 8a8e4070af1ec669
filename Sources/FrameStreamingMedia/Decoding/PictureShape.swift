internal import CFFmpeg
internal import FrameStreamingCore

/// FFmpeg's pixel formats as this package's: which are taken as they are, and what the others are
/// converted to.
enum PictureShape {
    /// The format with the same bytes. An alpha plane behind the others is left out.
    static func pixelFormat(of format: AVPixelFormat) -> PixelFormat? {
        switch format {
        case AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVA420P: .i420
        case AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUVA422P: .i422
        case AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUVA444P: .i444
        case AV_PIX_FMT_NV12: .nv12
        case AV_PIX_FMT_NV21: .nv21
        case AV_PIX_FMT_YUYV422: .yuyv
        case AV_PIX_FMT_UYVY422: .uyvy
        case AV_PIX_FMT_GRAY8: .gray8
        case AV_PIX_FMT_RGB24: .rgb24
        case AV_PIX_FMT_BGR24: .bgr24
        case AV_PIX_FMT_RGBA, AV_PIX_FMT_RGB0: .rgba32
        case AV_PIX_FMT_BGRA, AV_PIX_FMT_BGR0: .bgra32
        default: nil
        }
    }

    /// FFmpeg's format with the same bytes, of those that are converted to.
    static func format(of pixelFormat: PixelFormat) -> AVPixelFormat {
        switch pixelFormat {
        case .i420: AV_PIX_FMT_YUV420P
        case .i422: AV_PIX_FMT_YUV422P
        case .i444: AV_PIX_FMT_YUV444P
        case .gray8: AV_PIX_FMT_GRAY8
        case .nv12: AV_PIX_FMT_NV12
        case .nv21: AV_PIX_FMT_NV21
        case .yuyv: AV_PIX_FMT_YUYV422
        case .uyvy: AV_PIX_FMT_UYVY422
        case .bgr24: AV_PIX_FMT_BGR24
        case .rgba32: AV_PIX_FMT_RGBA
        case .bgra32: AV_PIX_FMT_BGRA
        default: AV_PIX_FMT_RGB24
        }
    }

    /// The format that keeps most of a picture: its chroma where it has some, in eight bits. Nil =
    /// the format is not known.
    static func nearest(to format: AVPixelFormat) -> PixelFormat? {
        if let same = pixelFormat(of: format) { return same }
        guard let description = unsafe av_pix_fmt_desc_get(format) else { return nil }
        let flags = unsafe description.pointee.flags
        if flags & (fs_media_is_rgb | fs_media_is_palette | fs_media_is_bayer) != 0 { return .rgb24 }
        if unsafe description.pointee.nb_components < 3 { return .gray8 }
        let (across, down) = unsafe (description.pointee.log2_chroma_w, description.pointee.log2_chroma_h)
        return across == 0 ? .i444 : down == 0 ? .i422 : .i420
    }

    /// The colour range; nil = it is not stated, and the format's default holds.
    static func range(of frame: UnsafePointer<AVFrame>) -> ColorRange? {
        switch unsafe frame.pointee.color_range {
        case AVCOL_RANGE_JPEG: return .full
        case AVCOL_RANGE_MPEG: return .limited
        default: break
        }
        return switch AVPixelFormat(unsafe frame.pointee.format) {
        case AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUVJ411P:
            .full
        default: nil
        }
    }

    static func matrix(of frame: UnsafePointer<AVFrame>) -> ColorMatrix {
        switch unsafe frame.pointee.colorspace {
        case AVCOL_SPC_BT709: .bt709
        case AVCOL_SPC_BT470BG, AVCOL_SPC_SMPTE170M, AVCOL_SPC_FCC: .bt601
        case AVCOL_SPC_BT2020_NCL, AVCOL_SPC_BT2020_CL: .bt2020
        default: .unspecified
        }
    }
}
