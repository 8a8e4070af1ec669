internal import FrameStreamingCore

/// The addresses of the planes to write; nil = not wanted. Unsafe as ``SourcePlane`` is.
@safe struct TargetImage {
    var luma: TargetPlane?
    /// Samples of luma per line to write: the frame's width, or whole groups, padded with the last
    /// sample.
    var lumaWidth: Int
    var lumaHeight: Int
    var chroma: (u: TargetPlane, v: TargetPlane)?
    var factors: ChromaFactors
    /// Scratch memory for lines of chroma, of ``SourceImage/lineRoom(columns:)`` bytes.
    var lines: UnsafeMutablePointer<UInt8>?
}

extension TargetImage {
    /// Fills the planes: expands the range, splits and resamples chroma in one pass over the
    /// source, a group of lines at a time.
    ///
    /// Chroma is averaged where there will be less of it, and repeated where there will be more.
    func fill(from source: SourceImage) {
        let down = chroma == nil ? 1 : factors.down
        for group in 0..<(max(lumaHeight, source.height) + down - 1) / down {
            if let luma {
                for line in group * down..<min((group + 1) * down, lumaHeight) {
                    unsafe fillLuma(luma.line(line), line: min(line, source.height - 1), from: source)
                }
            }
            if let chroma { fillChroma(chroma, line: group, from: source) }
        }
    }

    private func fillLuma(
        _ target: UnsafeMutablePointer<UInt8>, line: Int, from source: SourceImage
    ) {
        switch source.luma {
        case .plane(let plane):
            let samples = unsafe plane.line(line)
            if source.isLimitedRange {
                unsafe LumaExpansion.expandLine(samples, to: target, count: source.width)
            } else {
                unsafe target.update(from: samples, count: source.width)
            }
        case .pairs(let plane, let shift):
            let words = unsafe plane.line(line)
            // Literals give each shift a loop of its own.
            switch (source.isLimitedRange, shift) {
            case (true, 0):
                unsafe SampleRows.pickOfPairs(
                    words, nil, shift: 0, to: target, count: source.width, LumaExpansion.self)
            case (true, _):
                unsafe SampleRows.pickOfPairs(
                    words, nil, shift: 8, to: target, count: source.width, LumaExpansion.self)
            case (false, 0):
                unsafe SampleRows.pickOfPairs(words, nil, shift: 0, to: target, count: source.width, NoExpansion.self)
            case (false, _):
                unsafe SampleRows.pickOfPairs(words, nil, shift: 8, to: target, count: source.width, NoExpansion.self)
            }
        }
        for column in source.width..<max(lumaWidth, source.width) {
            unsafe target[column] = target[source.width - 1]
        }
    }

    private func fillChroma(
        _ target: (u: TargetPlane, v: TargetPlane), line: Int, from source: SourceImage
    ) {
        // The line or lines of the source's chroma from which this line is made.
        let last = source.factors.lines(source.height) - 1
        let above = min(line * factors.down / source.factors.down, last)
        let below = source.factors.down < factors.down ? min(above + 1, last) : above
        let u = unsafe target.u.line(line)
        let v = unsafe target.v.line(line)
        let columns = source.factors.columns(source.width)
        if source.factors.across == factors.across {
            unsafe fillLines(u, v, above, below, columns, from: source)
            return
        }
        guard let lines = unsafe lines else { preconditionFailure("resampling across needs room for two lines") }
        let wholeV = unsafe lines + columns
        unsafe fillLines(lines, wholeV, above, below, columns, from: source)
        if source.factors.across < factors.across {
            unsafe SampleRows.halve(lines, count: columns, to: u)
            unsafe SampleRows.halve(wholeV, count: columns, to: v)
        } else {
            let factor = source.factors.across / factors.across
            let count = factors.columns(source.width)
            unsafe SampleRows.stretch(lines, by: factor, to: u, count: count)
            unsafe SampleRows.stretch(wholeV, by: factor, to: v, count: count)
        }
    }

    private func fillLines(
        _ u: UnsafeMutablePointer<UInt8>, _ v: UnsafeMutablePointer<UInt8>, _ above: Int, _ below: Int, _ count: Int,
        from source: SourceImage
    ) {
        if source.isLimitedRange {
            unsafe fillLines(u, v, above, below, count, from: source, ChromaExpansion.self)
        } else {
            unsafe fillLines(u, v, above, below, count, from: source, NoExpansion.self)
        }
    }

    /// Fills a line of each chroma plane, with as many samples across as the source has.
    @inline(__always)
    private func fillLines<Expansion: RangeExpansion>(
        _ u: UnsafeMutablePointer<UInt8>, _ v: UnsafeMutablePointer<UInt8>, _ above: Int, _ below: Int, _ count: Int,
        from source: SourceImage, _: Expansion.Type
    ) {
        switch source.chroma {
        case .none:
            // Neutral chroma is 128 in either range.
            unsafe u.update(repeating: 128, count: count)
            unsafe v.update(repeating: 128, count: count)
        case .planes(let uPlane, let vPlane):
            if above == below {
                unsafe Expansion.expandLine(uPlane.line(above), to: u, count: count)
                unsafe Expansion.expandLine(vPlane.line(above), to: v, count: count)
            } else {
                unsafe SampleRows.average(uPlane.line(above), uPlane.line(below), to: u, count: count, Expansion.self)
                unsafe SampleRows.average(vPlane.line(above), vPlane.line(below), to: v, count: count, Expansion.self)
            }
        case .pairs(let plane, let vFirst):
            let lower = above == below ? nil : unsafe plane.line(below)
            unsafe SampleRows.splitPairs(
                plane.line(above), lower, to: vFirst ? v : u, vFirst ? u : v, count: count, Expansion.self)
        case .quads(let plane, let shift):
            // Split in two steps: words of 16 bits fill twice as many vector lanes as quads of 32.
            guard let lines = unsafe lines else { preconditionFailure("chroma between luma needs room for two lines") }
            let turns = unsafe lines + 2 * count
            let lower = above == below ? nil : unsafe plane.line(below)
            if shift == 0 {
                unsafe SampleRows.pickOfPairs(
                    plane.line(above), lower, shift: 0, to: turns, count: 2 * count, Expansion.self)
            } else {
                unsafe SampleRows.pickOfPairs(
                    plane.line(above), lower, shift: 8, to: turns, count: 2 * count, Expansion.self)
            }
            unsafe SampleRows.splitPairs(turns, nil, to: u, v, count: count, NoExpansion.self)
        }
    }
}

extension TargetImage {
    /// Returns the part from line `first`, which begins a chroma group: two lines, or the rest.
    func lines(from first: Int, isLast: Bool) -> TargetImage {
        func below(_ plane: TargetPlane, _ line: Int) -> TargetPlane {
            unsafe TargetPlane(start: plane.line(line), stride: plane.stride)
        }
        var part = self
        part.luma = luma.map { below($0, first) }
        part.chroma = chroma.map { (below($0.u, first / factors.down), below($0.v, first / factors.down)) }
        part.lumaHeight = isLast ? lumaHeight - first : 2
        return part
    }
}
