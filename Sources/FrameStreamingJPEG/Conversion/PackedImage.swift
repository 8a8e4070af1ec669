internal import FrameStreamingCore

/// The address of a packed RGB frame. TurboJPEG takes full-range frames in place, with their
/// padding.
///
/// Unsafe code: safe as ``SourcePlane`` is; `room` has ``byteCount`` bytes.
struct PackedImage {
    var pixels: SourcePlane
    let width: Int
    let height: Int
    /// Bytes per line that hold pixels.
    private let rowBytes: Int
    private let isLimitedRange: Bool
    private let scale: PictureScale

    init(_ base: UnsafePointer<UInt8>, _ format: FrameFormat, _ scale: PictureScale) {
        let layout = format.plane(0)
        pixels = unsafe SourcePlane(start: base + layout.offset, stride: layout.stride)
        width = scale.scaled(format.width)
        height = scale.scaled(format.height)
        sourceHeight = format.height
        rowBytes = layout.rowBytes
        bytesPerPixel = layout.rowBytes / format.width
        isLimitedRange = format.colorRange == .limited
        self.scale = scale
    }

    private let sourceHeight: Int
    private let bytesPerPixel: Int

    /// The bytes that ``prepared(_:)`` needs; 0 = none, because the frame can be used in place.
    var byteCount: Int { isLimitedRange || scale != .full ? places.byteCount : 0 }

    private var stride: Int { (width * bytesPerPixel + 63) & ~63 }

    private var places: (offsets: [Int], byteCount: Int) {
        ScratchMemory.place([
            stride * height, scale == .full ? 0 : 2 * BoxAverage.sumCount(columns: rowBytes), stride,
        ])
    }

    /// Converts the frame to its final size and full range, in `room`. R, G and B have the range of
    /// luma. Alpha is expanded with them, because the encoder ignores it.
    func prepared(_ room: UnsafeMutablePointer<UInt8>) -> PackedImage {
        let target = unsafe TargetPlane(start: room, stride: stride)
        let offsets = places.offsets
        let sums = unsafe UnsafeMutableRawPointer(room + offsets[1]).assumingMemoryBound(to: UInt16.self)
        let box = unsafe scale == .full ? nil : BoxAverage(scale, room: sums, columns: rowBytes)
        for line in 0..<height {
            var samples = unsafe pixels.line(line * scale.denominator)
            if let box {
                let first = line * box.divisor
                let small = unsafe isLimitedRange ? room + offsets[2] : target.line(line)
                unsafe box.packedLine(
                    of: pixels, first: first, lines: min(box.divisor, sourceHeight - first), count: rowBytes,
                    size: bytesPerPixel, to: small)
                unsafe samples = UnsafePointer(small)
            }
            if isLimitedRange {
                unsafe LumaExpansion.expandLine(samples, to: target.line(line), count: width * bytesPerPixel)
            }
        }
        var result = self
        result.pixels = target.asSource
        return result
    }
}
