internal import CTurboJPEG
public import FrameStreamingCore

extension JPEGCodec {
    /// The picture in a JPEG frame.
    ///
    /// RGB24, BGR24, RGBA32, BGRA32 (alpha 255) and GRAY8 come from TurboJPEG as they are. I420, YV12, I422 and I444
    /// are the JPEG's own planes where it has that subsampling (``nativePlaneFormat(of:)`` tells), and else made from
    /// them: chroma is averaged or repeated; a gray JPEG's is 128. All are full range and BT.601, as JFIF has it and
    /// whatever the frame's format says, without padding between lines, at 1, 1/2, 1/4 or 1/8 of the size. The size is the JPEG's, also where the frame's format says otherwise.
    ///
    /// - Throws: `corruptImage` where it does not decode, or with warnings under ``Strictness/strict``;
    ///   `limitExceeded` beyond ``maximumPixels`` (of the whole picture, also for a smaller scale), ``maximumScans`` and
    ///   ``maximumScannedSamples``, before anything is decoded; `unsupported` for a frame that is no JPEG, another target format, CMYK, and planes of a JPEG that has none of YUV.
    public func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        guard frame.format.pixelFormat == .jpeg else { throw Self.notJPEG(frame) }
        guard Self.targets.contains(settings.pixelFormat) else {
            throw FrameStreamingError(
                .unsupported,
                "a JPEG is not decoded to \(settings.pixelFormat): ask for one of \(Self.targets.map(\.description).joined(separator: ", "))"
            )
        }
        let decompressor = try decompressors.checkOut()
        defer { decompressors.giveBack(decompressor) }
        var result = try unsafe frame.withUnsafeBytes { (jpeg) throws(FrameStreamingError) -> Frame in
            try unsafe decode(jpeg, settings, decompressor)
        }
        result.takeDescription(of: frame)
        result.quality = nil
        return result
    }

    /// The pixel format that ``decode(_:_:)`` can give of a JPEG frame without a resampling of its chroma: I420,
    /// I422, I444 or GRAY8. For a recorder that keeps what the JPEG has. For the kinds without a pixel format of
    /// their own it is the next that loses nothing: I444 for 4:4:0, I422 for 4:1:1. Reads the header alone, which
    /// takes microseconds.
    ///
    /// - Throws: `corruptImage`, `limitExceeded` and `unsupported` as ``decode(_:_:)`` does.
    public func nativePlaneFormat(of frame: Frame) throws(FrameStreamingError) -> PixelFormat {
        guard frame.format.pixelFormat == .jpeg else { throw Self.notJPEG(frame) }
        let decompressor = try decompressors.checkOut()
        defer { decompressors.giveBack(decompressor) }
        let header = try unsafe frame.withUnsafeBytes { (jpeg) throws(FrameStreamingError) in
            try unsafe decompressor.header(jpeg, scanLimits)
        }
        try check(header)
        if header.sampling == .gray { return .gray8 }
        switch try Self.planeFactors(header) {
        case .yuv420: return .i420
        case .yuv422, ChromaFactors(across: 4, down: 1): return .i422
        default: return .i444
        }
    }

    private static let targets: [PixelFormat] = [
        .bgr24, .rgb24, .bgra32, .rgba32, .gray8, .i420, .yv12, .i422, .i444,
    ]

    static func notJPEG(_ frame: Frame) -> FrameStreamingError {
        FrameStreamingError(
            .unsupported, "a frame of \(frame.format) is no JPEG: encode it first, or use it as it is")
    }

    func check(_ header: JPEGHeader) throws(FrameStreamingError) {
        try checkSize(width: header.width, height: header.height)
        try header.checkColours()
    }

    /// The sampling of a JPEG that has planes of YUV.
    private static func planeFactors(_ header: JPEGHeader) throws(FrameStreamingError) -> ChromaFactors {
        guard let factors = header.sampling.factors, !header.isRGB else {
            throw FrameStreamingError(
                .unsupported,
                "the JPEG has no planes of YUV (its colours are RGB or its subsampling has no name): decode it to BGR24 or RGB24"
            )
        }
        return factors
    }

    /// What a JPEG of this size is decoded to.
    private func target(
        _ settings: DecodeSettings, width: Int, height: Int
    ) throws(FrameStreamingError) -> FrameFormat {
        try FrameFormat(
            width: settings.scale.scaled(width), height: settings.scale.scaled(height),
            pixelFormat: settings.pixelFormat, colorRange: .full,
            colorMatrix: settings.pixelFormat.isYUV ? .bt601 : .unspecified)
    }

    private func decode(
        _ jpeg: UnsafeRawBufferPointer, _ settings: DecodeSettings, _ decompressor: TurboDecompressor
    ) throws(FrameStreamingError) -> Frame {
        let gray = settings.pixelFormat == .gray8 ? CInt(TJPF_GRAY.rawValue) : nil
        if let code = settings.pixelFormat.packedCode ?? gray {
            let size = try unsafe decompressor.size(jpeg, scanLimits)
            try checkSize(width: size.width, height: size.height)
            let format = try target(settings, width: size.width, height: size.height)
            return try unsafe filled(format) { (base) throws(FrameStreamingError) in
                try unsafe decompressor.decode(
                    jpeg, to: base, width: format.width, height: format.height, layout: format.plane(0), code: code,
                    strictness: strictness)
            }
        }
        let header = try unsafe decompressor.header(jpeg, scanLimits)
        try check(header)
        let format = try target(settings, width: header.width, height: header.height)
        let factors = header.sampling == .gray ? nil : try Self.planeFactors(header)
        return try unsafe filled(format) { (base) throws(FrameStreamingError) in
            func plane(_ index: Int) -> TargetPlane {
                let layout = format.plane(index)
                return unsafe TargetPlane(start: base + layout.offset, stride: layout.stride)
            }
            let chroma = format.pixelFormat.chromaPlanes ?? (u: 1, v: 2)
            return try unsafe decompressor.decodePlanes(
                jpeg, factors, format, to: [plane(0), plane(chroma.u), plane(chroma.v)], strictness)
        }
    }

    /// A frame that `fill` writes, which says whether there were warnings.
    ///
    /// Unsafe code, safe because: the buffer has `format.byteCount` bytes, and the planes in it are `format`'s.
    /// TurboJPEG's luma planes hold whole chroma groups, so it writes straight into the buffer only where the size
    /// consists of such.
    private func filled(
        _ format: FrameFormat, _ fill: (UnsafeMutablePointer<UInt8>) throws(FrameStreamingError) -> Bool
    ) throws(FrameStreamingError) -> Frame {
        var buffer = decodedPool.buffer(byteCount: format.byteCount)
        let warned = try unsafe buffer.withUnsafeMutableBytes { (bytes) throws(FrameStreamingError) -> Bool in
            guard let base = unsafe bytes.bindMemory(to: UInt8.self).baseAddress else { return false }
            return try unsafe fill(base)
        }
        if warned { countWarning() }
        return try buffer.makeFrame(format: format)
    }
}

extension TurboDecompressor {
    /// Decodes to Y, U and V planes of `format`, which are `targets`. True = with warnings.
    ///
    /// - Parameter own: The JPEG's sampling; nil = gray.
    fileprivate func decodePlanes(
        _ jpeg: UnsafeRawBufferPointer, _ own: ChromaFactors?, _ format: FrameFormat, to targets: [TargetPlane],
        _ strictness: JPEGCodec.Strictness
    ) throws(FrameStreamingError) -> Bool {
        let (width, height) = (format.width, format.height)
        guard let wanted = format.pixelFormat.sampling.flatMap({ ChromaFactors($0) }) else { return false }
        guard let own else {
            let warned = try unsafe decode(
                jpeg, to: [targets[0]], width: width, height: height, strictness: strictness)
            for plane in targets.dropFirst() {
                unsafe plane.start.update(repeating: 128, count: plane.stride * wanted.lines(height))
            }
            return warned
        }
        if own == wanted, own.divides(width: width, height: height) {
            return try unsafe decode(jpeg, to: targets, width: width, height: height, strictness: strictness)
        }
        let stride = (own.paddedWidth(width) + 63) & ~63
        let chromaStride = (own.columns(width) + 63) & ~63
        let chromaBytes = chromaStride * own.lines(height)
        let (offsets, count) = ScratchMemory.place([
            stride * own.paddedHeight(height), chromaBytes, chromaBytes,
            SourcePicture.lineRoom(columns: own.columns(width)),
        ])
        let start = unsafe planes.room(count)
        let scratch = unsafe [
            TargetPlane(start: start, stride: stride), TargetPlane(start: start + offsets[1], stride: chromaStride),
            TargetPlane(start: start + offsets[2], stride: chromaStride),
        ]
        let warned = try unsafe decode(jpeg, to: scratch, width: width, height: height, strictness: strictness)
        unsafe TargetPicture(
            luma: targets[0], lumaWidth: width, lumaHeight: height, chroma: (targets[1], targets[2]), factors: wanted,
            lines: start + offsets[3]
        ).fill(
            from: SourcePicture(
                width: width, height: height, luma: .plane(scratch[0].asSource),
                chroma: .planes(u: scratch[1].asSource, v: scratch[2].asSource), factors: own, isLimitedRange: false))
        return warned
    }
}
