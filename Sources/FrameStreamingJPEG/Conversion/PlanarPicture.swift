internal import FrameStreamingCore

/// A plane that is read, by address.
///
/// Unsafe code: safe as long as the memory is, which the frame or scratch block that it was made from keeps; none
/// outlives a call.
@safe struct SourcePlane {
    let start: UnsafePointer<UInt8>
    let stride: Int

    @inline(__always) func line(_ index: Int) -> UnsafePointer<UInt8> { unsafe start + index &* stride }
}

/// A plane that is written, by address. Safe as ``SourcePlane`` is.
@safe struct TargetPlane {
    let start: UnsafeMutablePointer<UInt8>
    let stride: Int

    @inline(__always) func line(_ index: Int) -> UnsafeMutablePointer<UInt8> { unsafe start + index &* stride }

    var asSource: SourcePlane { unsafe SourcePlane(start: UnsafePointer(start), stride: stride) }
}

/// Where a YUV picture's samples are, in any of the layouts that pixel formats have.
struct SourcePicture {
    enum Luma {
        case plane(SourcePlane)
        /// In the lower (`shift` 0) or upper (8) byte of each pair.
        case pairs(SourcePlane, shift: UInt16)
    }

    enum Chroma {
        case none
        case planes(u: SourcePlane, v: SourcePlane)
        /// U and V by turns, or V and U.
        case pairs(SourcePlane, vFirst: Bool)
        /// U and V by turns in the lower (`shift` 0) or upper (8) byte of each pair; luma is in the other.
        case quads(SourcePlane, shift: UInt16)
    }

    var width: Int
    var height: Int
    var luma: Luma
    var chroma: Chroma
    /// Of the chroma; of no meaning where there is none.
    var factors: ChromaFactors
    var isLimitedRange: Bool
    /// What makes its luma and chroma those of JFIF; nil = they are. With chroma only.
    var conversion: MatrixConversion?
    /// By how much it is to be made smaller; `width` and `height` are those before.
    var scale = PictureScale.full

    var scaledWidth: Int { scale.scaled(width) }
    var scaledHeight: Int { scale.scaled(height) }

    /// Bytes that ``TargetPicture/lines`` has: two lines of chroma to resample, and two by turns.
    static func lineRoom(columns: Int) -> Int { 4 * columns }
}

/// Where planes of a picture are to be written; nil = not wanted. Safe as ``SourcePlane`` is.
@safe struct TargetPicture {
    var luma: TargetPlane?
    /// The samples of luma that are written: the picture's, or whole groups, filled up with the last one.
    var lumaWidth: Int
    var lumaHeight: Int
    var chroma: (u: TargetPlane, v: TargetPlane)?
    var factors: ChromaFactors
    /// ``SourcePicture/lineRoom(columns:)`` of the source's chroma.
    var lines: UnsafeMutablePointer<UInt8>?
}

extension TargetPicture {
    /// Fills the planes: range, split and chroma resampling in one pass over the source, a group of lines at a time.
    ///
    /// Chroma that becomes less is averaged; chroma that becomes more is repeated.
    func fill(from source: SourcePicture) {
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
        _ target: UnsafeMutablePointer<UInt8>, line: Int, from source: SourcePicture
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
            // Literals, so that each shift has a loop of its own.
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
        _ target: (u: TargetPlane, v: TargetPlane), line: Int, from source: SourcePicture
    ) {
        // Which line or lines of the source's chroma this line of ours is made of.
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
        from source: SourcePicture
    ) {
        if source.isLimitedRange {
            unsafe fillLines(u, v, above, below, count, from: source, ChromaExpansion.self)
        } else {
            unsafe fillLines(u, v, above, below, count, from: source, NoExpansion.self)
        }
    }

    /// A line of each chroma plane with as many samples across as the source has.
    @inline(__always)
    private func fillLines<Expansion: RangeExpansion>(
        _ u: UnsafeMutablePointer<UInt8>, _ v: UnsafeMutablePointer<UInt8>, _ above: Int, _ below: Int, _ count: Int,
        from source: SourcePicture, _: Expansion.Type
    ) {
        switch source.chroma {
        case .none:
            // No colour is 128 in either range.
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
            // Half a step by itself: in words of 16 bits, which vector code has twice as many of as quads of 32.
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
