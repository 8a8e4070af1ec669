internal import FrameStreamingCore

/// What a node agreed to deliver, as the driver said it (v4l2_pix_format and v4l2_pix_format_mplane in one).
package struct NodeFormat: Hashable, Sendable {
    /// One buffer's memory for a plane, in bytes.
    package struct Plane: Hashable, Sendable {
        /// bytesperline: 0 where the format is compressed.
        package var stride: Int
        /// sizeimage.
        package var size: Int

        package init(stride: Int, size: Int) {
            self.stride = stride
            self.size = size
        }
    }

    package var width: Int
    package var height: Int
    package var fourcc: UInt32
    /// enum v4l2_field.
    package var field: UInt32
    /// enum v4l2_colorspace, v4l2_quantization, v4l2_ycbcr_encoding.
    package var colorspace: UInt32
    package var quantization: UInt32
    package var encoding: UInt32
    /// Memory planes: one, but for the formats of multi-planar nodes whose planes lie apart.
    package var planes: [Plane]

    package init(
        width: Int, height: Int, fourcc: UInt32, field: UInt32 = 1, colorspace: UInt32 = 0, quantization: UInt32 = 0,
        encoding: UInt32 = 0, planes: [Plane] = []
    ) {
        self.width = width
        self.height = height
        self.fourcc = fourcc
        self.field = field
        self.colorspace = colorspace
        self.quantization = quantization
        self.encoding = encoding
        self.planes = planes
    }

    /// The fourcc as people write it.
    package var name: String { PixelFormat(rawValue: fourcc).fourcc }
}

extension NodeFormat {
    /// V4L2_MAP_COLORSPACE_DEFAULT, for a driver of an HDMI input that leaves the colorspace open: SMPTE170M for standard definition,
    /// REC709 above.
    mutating func assumeColorspace(ofSignal signal: SignalTimings) {
        if colorspace == 0 { colorspace = signal.height < 720 ? 1 : 3 }
    }

    /// Which values black and white have: V4L2_MAP_QUANTIZATION_DEFAULT where the driver leaves it open.
    func colorRange(of pixelFormat: PixelFormat) -> ColorRange {
        // A JPEG says for itself, and JFIF is full.
        guard pixelFormat != .jpeg else { return .full }
        return switch quantization {
        case 1: .full
        case 2: .limited
        // RGB, and V4L2_COLORSPACE_JPEG.
        default: !pixelFormat.isYUV || colorspace == 7 ? .full : .limited
        }
    }

    /// Which weights made the luma: V4L2_MAP_YCBCR_ENC_DEFAULT where the driver leaves it open.
    func colorMatrix(of pixelFormat: PixelFormat) -> ColorMatrix {
        guard pixelFormat.isYUV || pixelFormat == .jpeg else { return .unspecified }
        switch encoding {
        case 1, 3, 5: return .bt601
        case 2, 4: return .bt709
        case 6, 7: return .bt2020
        case 0: break
        default: return .unspecified
        }
        return switch colorspace {
        case 0: .unspecified
        // REC709, DCI_P3.
        case 3, 12: .bt709
        case 10: .bt2020
        // SMPTE240M has weights of its own, which have no name here.
        case 2: .unspecified
        default: .bt601
        }
    }
}
