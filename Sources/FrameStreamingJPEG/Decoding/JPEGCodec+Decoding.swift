internal import CTurboJPEG
public import FrameStreamingCore

extension JPEGCodec {
    /// Decodes a JPEG frame.
    ///
    /// TurboJPEG itself produces RGB24, BGR24, RGBA32, BGRA32 (alpha 255) and GRAY8. I420, YV12,
    /// I422 and I444 are the JPEG's own planes if it has that subsampling (see
    /// ``nativePlaneFormat(of:)``). Otherwise chroma is averaged or repeated; a gray JPEG has
    /// chroma 128. JPEGs without such planes (RGB, samplings that TurboJPEG has no name for, and the
    /// four inks of CMYK and YCCK, taken as inverted as Adobe's programs write them) are decoded to
    /// RGB and converted.
    ///
    /// The result is full range and BT.601, as JFIF defines, whatever the frame's format states. It
    /// has no padding between lines, and 1, 1/2, 1/4 or 1/8 of the size. The JPEG's own size
    /// counts, even where the frame's format states another. The pixels lie as the JPEG has them;
    /// `Frame/uprightTurn` says what its EXIF orientation asks for, and `Frame/turned(_:from:)` does
    /// that.
    ///
    /// - Throws: `corruptImage` for a JPEG that does not decode, or has warnings under
    ///   ``Strictness/strict``. `limitExceeded` beyond ``maximumPixels`` (before scaling),
    ///   ``maximumScans`` and ``maximumScannedSamples``, before anything is decoded. `unsupported`
    ///   for a frame that is not JPEG, and for a lossless, hierarchical or 12-bit JPEG.
    ///   `invalidArgument` for another target format.
    public func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        guard frame.format.pixelFormat == .jpeg else { throw Self.notJPEG(frame) }
        guard Self.targets.contains(settings.pixelFormat) else {
            throw FrameStreamingError(
                .invalidArgument,
                "a JPEG cannot be decoded to \(settings.pixelFormat): ask for one of \(Self.targets.map(\.description).joined(separator: ", "))"
            )
        }
        let decompressor = try decompressors.checkOut()
        defer { decompressors.giveBack(decompressor) }
        var result = try unsafe frame.withUnsafeBytes { (jpeg) throws(FrameStreamingError) -> Frame in
            try unsafe decode(jpeg, settings, decompressor)
        }
        let hasWarnings = result.hasDecodeWarnings
        result.takeDescription(of: frame)
        result.quality = nil
        result.hasDecodeWarnings = hasWarnings
        result.uprightTurn = EXIFOrientation.turn(of: frame.bytes)
        return result
    }

    /// Returns the pixel format that ``decode(_:_:)`` produces without resampling chroma: I420,
    /// I422, I444 or GRAY8. A recorder uses it to keep what the JPEG has.
    ///
    /// For kinds without a pixel format of their own it is the next that loses nothing: I422 for
    /// 4:1:1, I444 for 4:4:0, RGB, CMYK and unusual samplings. Only the header is read, which takes
    /// microseconds.
    ///
    /// - Throws: `corruptImage`, `limitExceeded` and `unsupported` as ``decode(_:_:)`` does.
    public func nativePlaneFormat(of frame: Frame) throws(FrameStreamingError) -> PixelFormat {
        guard frame.format.pixelFormat == .jpeg else { throw Self.notJPEG(frame) }
        let decompressor = try decompressors.checkOut()
        defer { decompressors.giveBack(decompressor) }
        let header = try unsafe frame.withUnsafeBytes { (jpeg) throws(FrameStreamingError) in
            try unsafe decompressor.header(jpeg, scanLimits)
        }
        try checkSize(width: header.width, height: header.height)
        if header.sampling == .gray { return .gray8 }
        switch header.planeFactors {
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
            .unsupported, "a frame of \(frame.format) is not a JPEG: encode it first, or use it as it is")
    }

    /// Returns the format that a JPEG of this size is decoded to.
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
                if size.isInk {
                    return try unsafe decompressor.decodeThroughRGB(jpeg, isInk: true, to: base, format, strictness)
                }
                return try unsafe decompressor.decode(
                    jpeg, to: base, width: format.width, height: format.height, layout: format.plane(0), code: code,
                    strictness: strictness)
            }
        }
        let header = try unsafe decompressor.header(jpeg, scanLimits)
        try checkSize(width: header.width, height: header.height)
        let format = try target(settings, width: header.width, height: header.height)
        let factors = header.planeFactors
        return try unsafe filled(format) { (base) throws(FrameStreamingError) in
            if factors == nil, header.sampling != .gray {
                return try unsafe decompressor.decodeThroughRGB(jpeg, isInk: header.isInk, to: base, format, strictness)
            }
            func plane(_ index: Int) -> TargetPlane {
                let layout = format.plane(index)
                return unsafe TargetPlane(start: base + layout.offset, stride: layout.stride)
            }
            let chroma = format.pixelFormat.chromaPlanes ?? (u: 1, v: 2)
            return try unsafe decompressor.decodePlanes(
                jpeg, factors, format, to: [plane(0), plane(chroma.u), plane(chroma.v)], strictness)
        }
    }

    /// Creates a frame that `fill` writes. `fill` returns whether the JPEG had warnings.
    ///
    /// Unsafe code, safe because: the buffer has `format.byteCount` bytes, and the planes in it are
    /// those of `format`. TurboJPEG writes whole chroma groups of luma, so it writes straight into
    /// the buffer only where the size consists of whole groups.
    private func filled(
        _ format: FrameFormat, _ fill: (UnsafeMutablePointer<UInt8>) throws(FrameStreamingError) -> Bool
    ) throws(FrameStreamingError) -> Frame {
        var buffer = decodedPool.buffer(byteCount: format.byteCount)
        let warned = try unsafe buffer.withUnsafeMutableBytes { (bytes) throws(FrameStreamingError) -> Bool in
            guard let base = unsafe bytes.bindMemory(to: UInt8.self).baseAddress else { return false }
            return try unsafe fill(base)
        }
        var frame = try buffer.makeFrame(format: format)
        if warned {
            countWarning()
            frame.hasDecodeWarnings = true
        }
        return frame
    }
}

extension TurboDecompressor {
    /// Decodes to `targets`, the Y, U and V planes of `format`. Returns whether the JPEG had
    /// warnings.
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
            SourceImage.lineRoom(columns: own.columns(width)),
        ])
        let start = unsafe planes.room(count)
        let scratch = unsafe [
            TargetPlane(start: start, stride: stride), TargetPlane(start: start + offsets[1], stride: chromaStride),
            TargetPlane(start: start + offsets[2], stride: chromaStride),
        ]
        let warned = try unsafe decode(jpeg, to: scratch, width: width, height: height, strictness: strictness)
        unsafe TargetImage(
            luma: targets[0], lumaWidth: width, lumaHeight: height, chroma: (targets[1], targets[2]), factors: wanted,
            lines: start + offsets[3]
        ).fill(
            from: SourceImage(
                width: width, height: height, luma: .plane(scratch[0].asSource),
                chroma: .planes(u: scratch[1].asSource, v: scratch[2].asSource), factors: own, isLimitedRange: false))
        return warned
    }
}
