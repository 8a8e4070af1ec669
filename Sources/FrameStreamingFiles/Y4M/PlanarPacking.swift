import FrameStreamingCore

/// Packs a YUV frame as a file stores it: planes Y, U and V one behind the other, without padding.
///
/// Unsafe code, in plain loops over pointers so that they vectorise. Safe because each row's source
/// range is sliced from a span, which checks it. Each row's target is sliced from a buffer as large
/// as the target's format says.
struct PlanarPacking {
    /// The shape of the packed frame.
    let target: FrameFormat
    private let planes: [Part]
    private let compressesRange: Bool

    /// The place of a plane's samples in the source.
    private struct Part {
        var plane: Int
        var first: Int
        var step: Int
    }

    /// Nil for a format that is not YUV.
    ///
    /// - Parameters:
    ///   - format: The frame's format.
    ///   - sourceRange: The range of the frame's source. A full-range frame that was made from a
    ///     limited one becomes limited again.
    init?(for format: FrameFormat, sourceRange: ColorRange) throws(FrameStreamingError) {
        func part(_ plane: Int, _ first: Int = 0, _ step: Int = 1) -> Part {
            Part(plane: plane, first: first, step: step)
        }
        let layout: PixelFormat
        switch format.pixelFormat {
        case .i420: (layout, planes) = (.i420, [part(0), part(1), part(2)])
        case .yv12: (layout, planes) = (.i420, [part(0), part(2), part(1)])
        case .nv12: (layout, planes) = (.i420, [part(0), part(1, 0, 2), part(1, 1, 2)])
        case .nv21: (layout, planes) = (.i420, [part(0), part(1, 1, 2), part(1, 0, 2)])
        case .i422: (layout, planes) = (.i422, [part(0), part(1), part(2)])
        case .yuyv: (layout, planes) = (.i422, [part(0, 0, 2), part(0, 1, 4), part(0, 3, 4)])
        case .uyvy: (layout, planes) = (.i422, [part(0, 1, 2), part(0, 0, 4), part(0, 2, 4)])
        case .i444: (layout, planes) = (.i444, [part(0), part(1), part(2)])
        case .gray8: (layout, planes) = (.gray8, [part(0)])
        default: return nil
        }
        compressesRange = format.colorRange == .full && sourceRange == .limited
        target = try FrameFormat(
            width: format.width, height: format.height, pixelFormat: layout,
            colorRange: compressesRange ? .limited : format.colorRange, colorMatrix: format.colorMatrix)
    }

    /// Whether the first `target.byteCount` bytes of `frame` already are the result.
    func isIdentity(for frame: Frame) -> Bool {
        !compressesRange && frame.format.pixelFormat == target.pixelFormat && frame.format.isTightlyPacked
    }

    /// Writes the packed frame to the start of `bytes`, which must be large enough.
    func pack(_ frame: Frame, into bytes: inout [UInt8]) {
        precondition(bytes.count >= target.byteCount)
        unsafe bytes.withUnsafeMutableBufferPointer { memory in
            for (index, part) in planes.enumerated() {
                let to = target.plane(index)
                let source = frame.plane(part.plane)
                for line in 0..<to.height {
                    let row = unsafe UnsafeMutableBufferPointer(
                        rebasing: memory[to.offset + line * to.stride..<to.offset + line * to.stride + to.rowBytes])
                    unsafe source.row(line).withUnsafeBytes {
                        unsafe Self.gather($0, part.first, part.step, into: row)
                    }
                    if compressesRange {
                        unsafe index == 0 ? Self.compressLuma(row) : Self.compressChroma(row)
                    }
                }
            }
        }
    }

    private static func gather(
        _ source: UnsafeRawBufferPointer, _ first: Int, _ step: Int, into row: UnsafeMutableBufferPointer<UInt8>
    ) {
        let count = row.count
        precondition(count > 0 && first + (count - 1) * step < source.count)
        guard let from = source.baseAddress, let to = row.baseAddress else { return }
        let samples = unsafe (from + first).assumingMemoryBound(to: UInt8.self)
        // With constant steps each loop becomes vector shuffles.
        switch step {
        case 1: unsafe to.update(from: samples, count: count)
        case 2: for index in 0..<count { unsafe to[index] = samples[index &* 2] }
        default: for index in 0..<count { unsafe to[index] = samples[index &* 4] }
        }
    }

    // 0...255 to 16...235: 16 + y * 219 / 255, rounded. x / 255 = (x + 1 + x >> 8) >> 8 for every x
    // below 65,535. All of it fits into 16 bits, which gives a vector the most lanes.
    static func compressLuma(_ row: UnsafeMutableBufferPointer<UInt8>) {
        guard let samples = row.baseAddress else { return }
        for index in 0..<row.count {
            let scaled = unsafe UInt16(samples[index]) &* 219 &+ 127
            unsafe samples[index] = UInt8(truncatingIfNeeded: (scaled &+ 1 &+ (scaled >> 8)) >> 8 &+ 16)
        }
    }

    // 0...255 around 128 to 16...240: 128 + (c - 128) * 224 / 255 = (c * 224 + 128 * 31) / 255,
    // rounded.
    static func compressChroma(_ row: UnsafeMutableBufferPointer<UInt8>) {
        guard let samples = row.baseAddress else { return }
        for index in 0..<row.count {
            let scaled = unsafe UInt16(samples[index]) &* 224 &+ (128 * 31 + 127)
            unsafe samples[index] = UInt8(truncatingIfNeeded: (scaled &+ 1 &+ (scaled >> 8)) >> 8)
        }
    }
}
