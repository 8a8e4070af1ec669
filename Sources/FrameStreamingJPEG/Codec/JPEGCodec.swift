public import FrameStreamingCore
internal import FrameStreamingSystem

/// Encodes, decodes and transforms JPEGs with TurboJPEG (libjpeg-turbo 2.1 or later).
///
/// Any number of threads may use a codec at once. Each call has a TurboJPEG handle and its scratch
/// memory to itself, from a pool that grows to the largest number of simultaneous calls. Results
/// lie in the memory of `FramePool`s, so a warm codec allocates nothing of a frame's size.
/// (TurboJPEG itself allocates work space per call.)
///
/// Colour: JFIF is full range with BT.601 weights (ITU-T T.871), and so is every JPEG that the
/// codec writes. Limited range is expanded, exactly rounded. Luma and chroma with other weights
/// (BT.709, BT.2020) are converted, and clamped where the result is out of range. A decode
/// therefore always returns BT.601 in full range; `Frame/sourceColorRange` keeps the range of the
/// source.
///
/// libjpeg-turbo reads environment variables: `TJ_OPTIMIZE=1` (smaller and slower),
/// `TJ_ARITHMETIC=1` (few programs decode it), `TJ_RESTART=N` and `TJ_PROGRESSIVE=1`. They change
/// what every encoder in the process writes. The codec leaves them to the user.
public final class JPEGCodec: FrameCodec, Sendable {
    /// What to do with a JPEG that decodes with warnings: one that is truncated, has extra bytes,
    /// is damaged, or breaks the standard as some cameras do.
    public enum Strictness: String, Sendable, CustomStringConvertible {
        /// A warning is an error: `corruptImage`, with the library's message.
        case strict
        /// A frame with warnings is delivered, as image viewers show it; part of it may be grey or
        /// displaced. ``Statistics/warnings`` counts it, and `Frame/hasDecodeWarnings` marks it.
        case tolerant

        /// The name of the strictness.
        public var description: String { rawValue }
    }

    /// Counts how the codec was used.
    public struct Statistics: Hashable, Sendable {
        /// Frames that were delivered in spite of warnings.
        public let warnings: Int
        /// TurboJPEG handles that were created: for each kind, the largest number of simultaneous
        /// calls.
        public let handles: Int
        /// Allocations of scratch memory, by the handles that are idle at this moment.
        public let scratchAllocations: Int
        /// The memory of encoded frames.
        public let encoded: FramePool.Statistics
        /// The memory of decoded frames.
        public let decoded: FramePool.Statistics
    }

    /// The longest side of a JPEG in libjpeg (JPEG_MAX_DIMENSION).
    public static let maximumSide = 65_500

    /// The subsampling for frames whose settings name none; nil = 4:2:0.
    public let subsampling: ChromaSubsampling?
    /// What to do with frames that have warnings.
    public let strictness: Strictness
    /// The largest width times height that is encoded or decoded.
    public let maximumPixels: Int
    /// The largest number of scans of a JPEG that is decoded or transformed. Encoders write 1 to
    /// about 20.
    public var maximumScans: Int { scanLimits.scans }
    /// The largest number of samples that all scans of a JPEG together may cover when it is decoded
    /// or transformed. A sample counts once for each scan of its component, and eight times as much
    /// in an arithmetic-coded JPEG.
    public var maximumScannedSamples: Int { scanLimits.samples }
    let scanLimits: ScanLimits

    let compressors = HandlePool { () throws(FrameStreamingError) in try TurboCompressor() }
    let decompressors = HandlePool { () throws(FrameStreamingError) in try TurboDecompressor() }
    /// Two pools that must not be mixed. libjpeg remembers for good that a handle was once told to
    /// save markers, and copies those of every later frame.
    let transformers = HandlePool { () throws(FrameStreamingError) in try TurboTransformer() }
    let transformersWithoutMetadata = HandlePool { () throws(FrameStreamingError) in try TurboTransformer() }
    let encodedPool: FramePool
    let decodedPool: FramePool
    private let warnings = Monitor(0)

    /// Creates a codec. It allocates nothing until it is used.
    ///
    /// - Parameters:
    ///   - subsampling: For frames whose settings name none; nil = 4:2:0.
    ///   - strictness: Whether a frame with warnings is an error. By default it is not.
    ///   - maximumPixels: The largest width times height. A larger JPEG is refused before anything
    ///     is allocated for it, because a tiny file can claim 65,500 x 65,500. The default is 64 Mi
    ///     pixels.
    ///   - maximumScans: The largest number of scans of a progressive JPEG; more are refused before
    ///     decoding. The default is 100.
    ///   - maximumScannedSamples: The largest number of samples that all scans together cover; more
    ///     are refused before decoding. A valid progressive JPEG of 180 kB can take 12 s. The
    ///     default is 1 Gi samples, which is about one second. libjpeg's standard progressive
    ///     script needs as many for the largest frame of the default `maximumPixels` in 4:4:4.
    ///   - framePoolCapacity: How many encoded, and how many decoded frames may be held at once
    ///     before each costs an allocation.
    public init(
        subsampling: ChromaSubsampling? = nil, strictness: Strictness = .tolerant, maximumPixels: Int = 8192 * 8192,
        maximumScans: Int = 100, maximumScannedSamples: Int = 1 << 30, framePoolCapacity: Int = 16
    ) {
        precondition(maximumPixels > 0, "maximumPixels must be at least 1, not \(maximumPixels)")
        precondition(
            maximumScans > 0 && maximumScannedSamples > 0,
            "maximumScans and maximumScannedSamples must be at least 1, not \(maximumScans) and \(maximumScannedSamples)"
        )
        self.subsampling = subsampling
        self.strictness = strictness
        self.maximumPixels = maximumPixels
        scanLimits = ScanLimits(scans: maximumScans, samples: maximumScannedSamples, pixels: maximumPixels)
        encodedPool = FramePool(capacity: framePoolCapacity)
        decodedPool = FramePool(capacity: framePoolCapacity)
    }

    /// How the codec was used so far.
    public var statistics: Statistics {
        Statistics(
            warnings: warnings.withLock { $0 },
            handles: compressors.made + decompressors.made + transformers.made
                + transformersWithoutMetadata.made,
            scratchAllocations: compressors.sumOfIdle { $0.scratchAllocations }
                + decompressors.sumOfIdle { $0.scratchAllocations } + transformers.sumOfIdle { $0.scratchAllocations }
                + transformersWithoutMetadata.sumOfIdle { $0.scratchAllocations },
            encoded: encodedPool.statistics, decoded: decodedPool.statistics)
    }

    /// JPEG alone.
    public var decodableFormats: [PixelFormat] { [.jpeg] }
    /// JPEG alone.
    public var encodedFormats: [PixelFormat] { [.jpeg] }

    func countWarning() { warnings.withLock { $0 += 1 } }

    func checkSize(width: Int, height: Int) throws(FrameStreamingError) {
        guard width * height <= maximumPixels else {
            throw FrameStreamingError(
                .limitExceeded,
                "\(width)x\(height) exceeds this codec's limit of \(maximumPixels) pixels: raise maximumPixels to accept the picture",
                limit: .pixels)
        }
    }
}

extension JPEGCodec {
    /// Encodes `frame` as JPEG.
    ///
    /// Every named pixel format is accepted:
    /// - RGB24, BGR24, RGBA32 and BGRA32 (alpha is dropped) with their line padding, in limited
    ///   range too (16...235, as in HDMI).
    /// - YUV without a detour over RGB. Planes are used in place if they are full range, BT.601, of
    ///   the wanted subsampling, and their size is a multiple of a chroma group. Otherwise they are
    ///   converted in one pass. Chroma is averaged or repeated where the subsampling changes.
    ///   BT.709 and BT.2020 become BT.601 in that pass.
    /// - GRAY8, which is the same in all matrices.
    /// - JPEG is returned unchanged, whatever the settings, as long as they do not ask for a scale.
    ///
    /// A frame that was decoded from a JPEG with an EXIF orientation is turned upright
    /// (`Frame/uprightTurn`), because the new JPEG has no EXIF data.
    ///
    /// With a scale, each new pixel is the mean of the pixels that it covers; at the edges it
    /// covers fewer. The size is rounded up (`PictureScale.scaled`). Scaling happens in the same
    /// pass, for each plane separately.
    ///
    /// - Parameters:
    ///   - frame: The frame.
    ///   - settings: Quality 1...100; the subsampling, nil = the codec's; a scale. GRAY8 stays gray
    ///     whatever the subsampling.
    /// - Returns: A frame with the same description, full range and BT.601, with its quality;
    ///   `Frame/sourceColorRange` is that of `frame`.
    /// - Throws: `invalidArgument` for another quality. `unsupported` for a pixel format without a
    ///   name, for sides longer than 65,500 after scaling, and for a JPEG with a scale.
    ///   `limitExceeded` beyond ``maximumPixels`` before scaling.
    public func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        if frame.uprightTurn != .none, frame.format.pixelFormat != .jpeg {
            return try encode(frame.turned(from: decodedPool), settings)
        }
        let format = frame.format
        if format.pixelFormat == .jpeg {
            guard settings.scale == .full else {
                throw FrameStreamingError(
                    .unsupported,
                    "a JPEG cannot be scaled without encoding it again: ask its source for a smaller size, or decode it at \(settings.scale)"
                )
            }
            return frame
        }
        guard (1...100).contains(settings.quality) else {
            throw FrameStreamingError(
                .invalidArgument, "JPEG quality must be 1 (smallest) to 100 (best), not \(settings.quality)")
        }
        try checkSize(width: format.width, height: format.height)
        let (width, height) = (settings.scale.scaled(format.width), settings.scale.scaled(format.height))
        guard max(width, height) <= TurboHandle.maximumSide else {
            throw FrameStreamingError(
                .unsupported,
                "\(width)x\(height) does not fit a JPEG: crop or scale it to at most \(TurboHandle.maximumSide) a side"
            )
        }
        let wanted = settings.subsampling ?? subsampling ?? .yuv420
        let compressor = try compressors.checkOut()
        defer { compressors.giveBack(compressor) }
        let buffer = try compressor.compress(
            frame, quality: settings.quality, subsampling: format.pixelFormat == .gray8 ? .gray : wanted,
            scale: settings.scale, into: encodedPool)
        var result = try buffer.makeFrame(
            format: FrameFormat(
                width: width, height: height, pixelFormat: .jpeg, colorRange: .full,
                colorMatrix: .bt601))
        result.takeDescription(of: frame)
        result.quality = settings.quality
        return result
    }
}
