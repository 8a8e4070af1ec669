internal import FrameStreamingCore

/// A picture of packed RGB, by address. TurboJPEG takes it as it is, with its padding, where it is of full range.
///
/// Unsafe code: safe as ``SourcePlane`` is; `room` has ``byteCount`` bytes.
struct PackedPicture {
    var pixels: SourcePlane
    let width: Int
    let height: Int
    /// Bytes of a line that hold pixels.
    private let rowBytes: Int
    private let isLimitedRange: Bool

    init(_ base: UnsafePointer<UInt8>, _ format: FrameFormat) {
        let layout = format.plane(0)
        pixels = unsafe SourcePlane(start: base + layout.offset, stride: layout.stride)
        width = format.width
        height = format.height
        rowBytes = layout.rowBytes
        isLimitedRange = format.colorRange == .limited
    }

    /// Room that ``prepared(_:)`` needs; 0 = none, the picture is ready as it is.
    var byteCount: Int { isLimitedRange ? stride * height : 0 }

    private var stride: Int { (rowBytes + 63) & ~63 }

    /// The picture in `room`, of full range: R, G and B have the range of luma. So becomes alpha, which nobody looks at.
    func prepared(_ room: UnsafeMutablePointer<UInt8>) -> PackedPicture {
        let target = unsafe TargetPlane(start: room, stride: stride)
        for line in 0..<height {
            unsafe LumaExpansion.expandLine(pixels.line(line), to: target.line(line), count: rowBytes)
        }
        var result = self
        result.pixels = target.asSource
        return result
    }
}
