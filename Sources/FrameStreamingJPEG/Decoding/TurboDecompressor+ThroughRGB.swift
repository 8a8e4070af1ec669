internal import CTurboJPEG
internal import FrameStreamingCore

extension TurboDecompressor {
    /// Decodes a JPEG by way of RGB to any target. For JPEGs of which TurboJPEG does not return what
    /// is wanted: planes of RGB and of unusual samplings, and anything of four inks. Returns whether
    /// the JPEG had warnings.
    ///
    /// Unsafe code, safe because: `base` has room for `format`, and the scratch memory has the image
    /// in RGB or inks, a line of RGB, and two lines of each plane with the room that
    /// ``TargetImage/fill(from:)`` needs.
    ///
    /// - Parameters:
    ///   - isInk: Whether the JPEG is CMYK or YCCK.
    ///   - format: The target, of the exact scaled size.
    func decodeThroughRGB(
        _ jpeg: UnsafeRawBufferPointer, isInk: Bool, to base: UnsafeMutablePointer<UInt8>, _ format: FrameFormat,
        _ strictness: JPEGCodec.Strictness
    ) throws(FrameStreamingError) -> Bool {
        let (width, height) = (format.width, format.height)
        let source = try FrameFormat(width: width, height: height, pixelFormat: isInk ? .rgba32 : .rgb24)
        let stride = (width + 63) & ~63
        let (offsets, count) = ScratchMemory.place([
            source.byteCount, 3 * width, 2 * stride, 2 * stride, 2 * stride, SourceImage.lineRoom(columns: width),
        ])
        let start = unsafe planes.room(count)
        let code = isInk ? TJPF_CMYK : TJPF_RGB
        let warned = try unsafe decode(
            jpeg, to: start, width: width, height: height, layout: source.plane(0), code: CInt(code.rawValue),
            strictness: strictness)
        let rgb = unsafe start + offsets[1]
        func rgbLine(_ line: Int) -> UnsafePointer<UInt8> {
            let decoded = unsafe start + line * source.plane(0).stride
            guard isInk else { return unsafe UnsafePointer(decoded) }
            unsafe RGBConversion.inkLine(decoded, to: rgb, count: width)
            return unsafe UnsafePointer(rgb)
        }
        func plane(_ index: Int) -> TargetPlane {
            let layout = format.plane(index)
            return unsafe TargetPlane(start: base + layout.offset, stride: layout.stride)
        }
        let luma = plane(0)
        guard let factors = format.pixelFormat.sampling.flatMap({ ChromaFactors($0) }) else {
            for line in 0..<height {
                if format.pixelFormat == .gray8 {
                    unsafe RGBConversion.lumaLine(rgbLine(line), to: luma.line(line), count: width)
                } else {
                    unsafe RGBConversion.packedLine(
                        rgbLine(line), to: luma.line(line), format.pixelFormat, count: width)
                }
            }
            return warned
        }
        let strip = (2...4).map { unsafe TargetPlane(start: start + offsets[$0], stride: stride) }
        let chroma = format.pixelFormat.chromaPlanes ?? (u: 1, v: 2)
        let target = unsafe TargetImage(
            luma: luma, lumaWidth: width, lumaHeight: height, chroma: (plane(chroma.u), plane(chroma.v)),
            factors: factors, lines: start + offsets[5])
        for first in Swift.stride(from: 0, to: height, by: 2) {
            let lines = min(2, height - first)
            for line in 0..<lines {
                let pixels = unsafe rgbLine(first + line)
                unsafe RGBConversion.lumaLine(pixels, to: strip[0].line(line), count: width)
                unsafe RGBConversion.chromaLine(pixels, toU: strip[1].line(line), strip[2].line(line), count: width)
            }
            target.lines(from: first, isLast: first + lines == height).fill(
                from: SourceImage(
                    width: width, height: lines, luma: .plane(strip[0].asSource),
                    chroma: .planes(u: strip[1].asSource, v: strip[2].asSource), factors: .yuv444,
                    isLimitedRange: false))
        }
        return warned
    }
}
