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
                "\(width)x\(height) exceeds this codec's limit of \(maximumPixels) pixels: raise maximumPixels to accept the picture"
            )
        }
    }
}
