internal import FrameStreamingCore

/// What has to be done to a picture's samples beside taking them apart, a strip of two lines at a time: small enough for
/// the first cache, and whole groups of chroma in every pixel format.
///
/// Unsafe code, safe because: `room` has ``byteCount`` bytes; strips lie in it by sizes that follow from the picture's, and
/// lines of the source are counted from its own height.
@safe struct PictureStrips {
    let source: SourcePicture
    let conversion: MatrixConversion
    private let stride: Int
    private let chromaStride: Int
    private let chromaLines: Int

    init(_ source: SourcePicture, _ conversion: MatrixConversion) {
        self.source = source
        self.conversion = conversion
        stride = (source.factors.paddedWidth(source.width) + 63) & ~63
        chromaStride = (source.factors.columns(source.width) + 63) & ~63
        chromaLines = 2 / source.factors.down
    }

    private var lineRoom: Int { SourcePicture.lineRoom(columns: source.factors.columns(source.width)) }

    /// Room that ``fill(_:room:)`` needs: for a strip, for the corrections of a line, and for lines to take chroma apart.
    var byteCount: Int { 2 * stride + 2 * chromaLines * chromaStride + 2 * stride + lineRoom }

    /// Fills `target` with the picture, converted.
    func fill(_ target: TargetPicture, room: UnsafeMutablePointer<UInt8>) {
        let luma = unsafe TargetPlane(start: room, stride: stride)
        let u = unsafe TargetPlane(start: room + 2 * stride, stride: chromaStride)
        let v = unsafe TargetPlane(start: u.start + chromaLines * chromaStride, stride: chromaStride)
        let corrections = unsafe UnsafeMutableRawPointer(v.start + chromaLines * chromaStride)
            .bindMemory(to: Int16.self, capacity: stride)
        let lines = unsafe v.start + chromaLines * chromaStride + 2 * stride
        for first in Swift.stride(from: 0, to: source.height, by: 2) {
            let height = min(2, source.height - first)
            // The samples as they are, taken apart.
            unsafe TargetPicture(
                luma: luma, lumaWidth: source.width, lumaHeight: height, chroma: (u, v), factors: source.factors,
                lines: lines
            ).fill(from: source.lines(from: first, height: height))
            for chromaLine in 0..<source.factors.lines(height) {
                let count = source.factors.columns(source.width)
                let (uLine, vLine) = unsafe (u.line(chromaLine), v.line(chromaLine))
                unsafe conversion.corrections(
                    uLine, vLine, count: count, across: source.factors.across, to: corrections)
                let down = source.factors.down
                for line in chromaLine * down..<min((chromaLine + 1) * down, height) {
                    let samples = unsafe luma.line(line)
                    unsafe conversion.convertLuma(samples, corrections, to: samples, count: source.width)
                }
                unsafe conversion.convertChroma(uLine, vLine, to: uLine, vLine, count: count)
            }
            target.lines(from: first, isLast: first + height == source.height).fill(
                from: SourcePicture(
                    width: source.width, height: height, luma: .plane(luma.asSource),
                    chroma: .planes(u: u.asSource, v: v.asSource), factors: source.factors, isLimitedRange: false))
        }
    }
}

extension SourcePicture {
    /// The part of the picture from line `first`, which begins a group, with its samples taken for full range: as they are.
    fileprivate func lines(from first: Int, height: Int) -> SourcePicture {
        func below(_ plane: SourcePlane, _ line: Int) -> SourcePlane {
            unsafe SourcePlane(start: plane.line(line), stride: plane.stride)
        }
        var part = self
        part.height = height
        part.isLimitedRange = false
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

extension TargetPicture {
    /// The part from line `first`, which begins a group: two lines, or what is left.
    fileprivate func lines(from first: Int, isLast: Bool) -> TargetPicture {
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
