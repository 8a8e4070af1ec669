internal import FrameStreamingCore

/// The format that a node granted, from v4l2_pix_format or v4l2_pix_format_mplane.
package struct NodeFormat: Hashable, Sendable {
    /// The memory of one plane in a buffer, in bytes.
    package struct Plane: Hashable, Sendable {
        /// The stride (bytesperline); 0 for a compressed format.
        package var stride: Int
        /// The size (sizeimage).
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
    /// The memory planes: one, except for formats of multi-planar nodes with separate planes.
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

    /// The fourcc as four characters.
    package var name: String { PixelFormat(rawValue: fourcc).fourcc }
}

extension NodeFormat {
    /// Sets the colorspace of an HDMI signal if the driver leaves it open, as
    /// V4L2_MAP_COLORSPACE_DEFAULT does: SMPTE170M for standard definition, REC709 above.
    mutating func assumeColorspace(ofSignal signal: SignalTimings) {
        if colorspace == 0 { colorspace = signal.height < 720 ? 1 : 3 }
    }

    /// Returns the color range. If the driver leaves it open,
    /// V4L2_MAP_QUANTIZATION_DEFAULT decides.
    func colorRange(of pixelFormat: PixelFormat) -> ColorRange {
        // JFIF is full range, whatever the node says.
        guard pixelFormat != .jpeg else { return .full }
        return switch quantization {
        case 1: .full
        case 2: .limited
        // RGB and V4L2_COLORSPACE_JPEG are full range.
        default: !pixelFormat.isYUV || colorspace == 7 ? .full : .limited
        }
    }

    /// Returns the color matrix. If the driver leaves it open, V4L2_MAP_YCBCR_ENC_DEFAULT decides.
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
        // SMPTE240M has a matrix of its own, which ColorMatrix does not name.
        case 2: .unspecified
        default: .bt601
        }
    }
}
