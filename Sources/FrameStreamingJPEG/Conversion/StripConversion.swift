internal import FrameStreamingCore

/// Scales a frame and converts its matrix, a strip of two result lines at a time. A strip fits the
/// first caches, and has whole groups of chroma in every pixel format.
///
/// The frame is scaled first, each plane separately (chroma at its own subsampling), then
/// converted.
///
/// Unsafe code, safe because: `room` has ``byteCount`` bytes. Strips are laid out in it by sizes
/// computed from the frame's, and lines of the source are counted from its own height.
@safe struct StripConversion {
    private let source: SourceImage
    /// Lines of the source per line of the result.
    private let divisor: Int
    private let width: Int
    private let height: Int

    /// Nil where the samples need neither scaling nor a matrix conversion.
    init?(_ source: SourceImage) {
        guard source.conversion != nil || source.scale != .full else { return nil }
        self.source = source
        divisor = source.scale.denominator
        width = source.scaledWidth
        height = source.scaledHeight
    }

    /// Three planes, with a given number of lines of luma.
    private struct Strip {
        let luma: TargetPlane
        let u: TargetPlane
        let v: TargetPlane

        init(_ factors: ChromaFactors, width: Int, lines: Int, at start: UnsafeMutablePointer<UInt8>) {
            let (stride, chromaStride) = Self.strides(factors, width)
            unsafe luma = TargetPlane(start: start, stride: stride)
            unsafe u = TargetPlane(start: start + lines * stride, stride: chromaStride)
            unsafe v = TargetPlane(start: u.start + factors.lines(lines) * chromaStride, stride: chromaStride)
        }

        static func byteCount(_ factors: ChromaFactors, width: Int, lines: Int) -> Int {
            let (stride, chromaStride) = strides(factors, width)
            return lines * stride + 2 * factors.lines(lines) * chromaStride
        }

        private static func strides(_ factors: ChromaFactors, _ width: Int) -> (Int, Int) {
            ((factors.paddedWidth(width) + 63) & ~63, (factors.columns(width) + 63) & ~63)
        }
    }

    /// The strip as the source has it, scaled, and converted; the corrections (or sums) of one
    /// line; and lines to split chroma. No loop works in place, because such a loop is not
    /// vectorised.
    private var places: (offsets: [Int], byteCount: Int) {
        ScratchMemory.place([
            Strip.byteCount(source.factors, width: source.width, lines: 2 * divisor),
            divisor == 1 ? 0 : Strip.byteCount(source.factors, width: width, lines: 2),
            source.conversion == nil ? 0 : Strip.byteCount(source.factors, width: width, lines: 2),
            2 * max(source.factors.paddedWidth(width), BoxAverage.sumCount(columns: source.width)),
            SourceImage.lineRoom(columns: source.factors.columns(source.width)),
        ])
    }

    /// The bytes that ``fill(_:room:)`` needs.
    var byteCount: Int { places.byteCount }

    /// Fills `target` with the frame.
    func fill(_ target: TargetImage, room: UnsafeMutablePointer<UInt8>) {
        let offsets = places.offsets
        let factors = source.factors
        let wide = unsafe Strip(factors, width: source.width, lines: 2 * divisor, at: room)
        let small = divisor == 1 ? wide : unsafe Strip(factors, width: width, lines: 2, at: room + offsets[1])
        let final =
            source.conversion == nil ? small : unsafe Strip(factors, width: width, lines: 2, at: room + offsets[2])
        let words = unsafe UnsafeMutableRawPointer(room + offsets[3])
        var hasChroma = target.chroma != nil || source.conversion != nil
        if case .none = source.chroma { hasChroma = false }
        let box =
            divisor == 1
            ? nil
            : unsafe BoxAverage(
                source.scale, room: words.assumingMemoryBound(to: UInt16.self), columns: source.width)
        for first in Swift.stride(from: 0, to: height, by: 2) {
            let lines = min(2, height - first)
            let sourceLines = min(2 * divisor, source.height - first * divisor)
            // Splits the samples, otherwise unchanged.
            unsafe TargetImage(
                luma: wide.luma, lumaWidth: source.width, lumaHeight: sourceLines,
                chroma: hasChroma ? (wide.u, wide.v) : nil, factors: factors, lines: room + offsets[4]
            ).fill(from: source.lines(from: first * divisor, height: sourceLines))
            if let box {
                shrink(wide.luma, to: small.luma, box, sourceLines: sourceLines, columns: source.width)
                if hasChroma {
                    for (from, to) in [(wide.u, small.u), (wide.v, small.v)] {
                        shrink(
                            from, to: to, box, sourceLines: factors.lines(sourceLines),
                            columns: factors.columns(source.width))
                    }
                }
            }
            if let conversion = source.conversion {
                unsafe convert(small, to: final, conversion, lines, words.assumingMemoryBound(to: Int16.self))
            }
            target.lines(from: first, isLast: first + lines == height).fill(
                from: SourceImage(
                    width: width, height: lines, luma: .plane(final.luma.asSource),
                    chroma: hasChroma ? .planes(u: final.u.asSource, v: final.v.asSource) : .none, factors: factors,
                    isLimitedRange: source.isLimitedRange && source.conversion == nil))
        }
    }

    private func shrink(
        _ wide: TargetPlane, to target: TargetPlane, _ box: BoxAverage, sourceLines: Int, columns: Int
    ) {
        for (line, first) in stride(from: 0, to: sourceLines, by: divisor).enumerated() {
            unsafe box.line(
                of: wide.asSource, first: first, lines: min(divisor, sourceLines - first), count: columns,
                to: target.line(line))
        }
    }

    private func convert(
        _ strip: Strip, to target: Strip, _ conversion: MatrixConversion, _ lines: Int,
        _ corrections: UnsafeMutablePointer<Int16>
    ) {
        let count = source.factors.columns(width)
        let down = source.factors.down
        for chromaLine in 0..<source.factors.lines(lines) {
            let (u, v) = unsafe (strip.u.line(chromaLine), strip.v.line(chromaLine))
            unsafe conversion.corrections(u, v, count: count, across: source.factors.across, to: corrections)
            for line in chromaLine * down..<min((chromaLine + 1) * down, lines) {
                unsafe conversion.convertLuma(
                    strip.luma.line(line), corrections, to: target.luma.line(line), count: width)
            }
            unsafe conversion.convertChroma(
                u, v, to: target.u.line(chromaLine), target.v.line(chromaLine), count: count)
        }
    }
}

extension SourceImage {
    /// Returns the part of the frame from line `first`, which begins a chroma group. Its samples
    /// are declared full range, so that they are copied unchanged.
    fileprivate func lines(from first: Int, height: Int) -> SourceImage {
        func below(_ plane: SourcePlane, _ line: Int) -> SourcePlane {
            unsafe SourcePlane(start: plane.line(line), stride: plane.stride)
        }
        var part = self
        part.height = height
        part.isLimitedRange = false
        part.conversion = nil
        part.scale = .full
        switch luma {
        case .plane(let plane): part.luma = .plane(below(plane, first))
        case .pairs(let plane, let shift): part.luma = .pairs(below(plane, first), shift: shift)
        }
        let line = first / factors.down
        switch chroma {
        case .none: break
        case .planes(let u, let v): part.chroma = .planes(u: below(u, line), v: below(v, line))
        case .pairs(let plane, let vFirst): part.chroma = .pairs(below(plane, line), vFirst: vFirst)
        case .quads(let plane, let shift): part.chroma = .quads(below(plane, line), shift: shift)
        }
        return part
    }
}
