public import FrameStreamingCore
internal import FrameStreamingSystem

/// JPEG over TurboJPEG (libjpeg-turbo 2.1 or later).
///
/// Any number of threads encode, decode and transform at once: each call has a TurboJPEG handle and its scratch
/// memory to itself, out of a pool that grows to as many as are ever in use at once. Results lie in memory of
/// `FramePool`s, so that once warm a frame costs no allocation of its size here. (TurboJPEG itself allocates work
/// space per call.)
///
/// What it does with colour: JFIF is full range with BT.601 weights (ITU-T T.871), so that is what every JPEG from here has.
/// Limited range is expanded on the way in, exactly rounded; luma and chroma made with other weights (BT.709, BT.2020) are
/// converted, clamped where no colour is so far out. A decode therefore gives BT.601, full range, whatever went in;
/// `Frame/sourceColorRange` remembers the range.
///
/// libjpeg-turbo reads environment variables: `TJ_OPTIMIZE=1` (smaller and slower), `TJ_ARITHMETIC=1` (hardly anything
/// decodes that), `TJ_RESTART=N` and `TJ_PROGRESSIVE=1` change what every encoder in the process writes. They are
/// left to whoever sets them.
public final class JPEGCodec: FrameCodec, Sendable {
    /// What to do with a JPEG that decodes with warnings: it ends too early, has bytes too many, or a fault in its
    /// data.
    public struct Strictness: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String { case strict, tolerant }
        private let value: Value

        /// A warning is an error: `corruptImage`, with the library's words.
        public static let strict = Strictness(value: .strict)
        /// A picture with warnings is a picture; part of it may be grey or displaced. Counted in
        /// ``Statistics/warnings``.
        public static let tolerant = Strictness(value: .tolerant)

        /// The strictness's name.
        public var description: String { value.rawValue }
    }

    /// How the codec was used.
    public struct Statistics: Hashable, Sendable {
        /// Pictures that were delivered although they had warnings.
        public let warnings: Int
        /// TurboJPEG handles that were made: as many as calls were ever running at once, of each kind.
        public let handles: Int
        /// Times that scratch memory was allocated, by the handles that are not in use at this moment.
        public let scratchAllocations: Int
        /// The memory of encoded pictures.
        public let encoded: FramePool.Statistics
        /// The memory of decoded pictures.
        public let decoded: FramePool.Statistics
    }

    /// No JPEG of libjpeg has a longer side (JPEG_MAX_DIMENSION).
    public static let largestSide = 65_500

    /// The subsampling where the settings of a frame name none; nil = 4:2:0.
    public let subsampling: ChromaSubsampling?
    /// What becomes of pictures with warnings.
    public let strictness: Strictness
    /// The largest width times height that is encoded or decoded.
    public let maximumPixels: Int
    /// The largest number of scans of a JPEG that is decoded or transformed. Encoders write 1 to about 20.
    public var maximumScans: Int { scanLimits.scans }
    /// The largest number of samples that all scans of a JPEG pass over when it is decoded or transformed, each sample once for
    /// each scan of its component, and eight times that where the JPEG is arithmetic-coded.
    public var maximumScannedSamples: Int { scanLimits.samples }
    let scanLimits: ScanLimits

    let compressors = HandlePool { () throws(FrameStreamingError) in try TurboCompressor() }
    let decompressors = HandlePool { () throws(FrameStreamingError) in try TurboDecompressor() }
    /// Two kinds, not to be mixed: a handle that once kept a picture's metadata keeps that of all later ones (libjpeg
    /// saves the markers that it was told to save for good, and copies whatever it saved).
    let transformers = HandlePool { () throws(FrameStreamingError) in try TurboTransformer() }
    let transformersWithoutMetadata = HandlePool { () throws(FrameStreamingError) in try TurboTransformer() }
    let encodedPool: FramePool
    let decodedPool: FramePool
    private let warnings = Monitor(0)

    /// A codec. It costs nothing until it is used.
    ///
    /// - Parameters:
    ///   - subsampling: For frames whose settings name none; 4:2:0 unless given.
    ///   - strictness: Whether a picture with warnings is an error.
    ///   - maximumPixels: Width times height beyond which a picture is refused before anything is allocated for it:
    ///     tiny files claim 65,500 x 65,500. 64 Mi pixels, unless given.
    ///   - maximumScans: The scans of a progressive JPEG beyond which it is refused before it is decoded. 100, unless given.
    ///   - maximumScannedSamples: The samples that all scans pass over, beyond which a JPEG is refused before it is decoded:
    ///     a valid progressive JPEG of 180 kB can take 12 s. 1 Gi samples, unless given: about one second, and what libjpeg's
    ///     standard progressive script needs for the largest picture of `maximumPixels` in 4:4:4.
    ///   - framePoolCapacity: How many encoded, and how many decoded pictures the caller keeps at a time without an
    ///     allocation for each.
    public init(
        subsampling: ChromaSubsampling? = nil, strictness: Strictness = .strict, maximumPixels: Int = 8192 * 8192,
        maximumScans: Int = 100, maximumScannedSamples: Int = 1 << 30, framePoolCapacity: Int = 16
    ) {
        precondition(maximumPixels > 0, "a codec of at most \(maximumPixels) pixels takes no picture")
        precondition(
            maximumScans > 0 && maximumScannedSamples > 0,
            "a codec of at most \(maximumScans) scans and \(maximumScannedSamples) samples takes no picture")
        self.subsampling = subsampling
        self.strictness = strictness
        self.maximumPixels = maximumPixels
        scanLimits = ScanLimits(scans: maximumScans, samples: maximumScannedSamples, pixels: maximumPixels)
        encodedPool = FramePool(capacity: framePoolCapacity)
        decodedPool = FramePool(capacity: framePoolCapacity)
    }

    /// How it was used so far.
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

    func countWarning() { warnings.withLock { $0 += 1 } }

    func checkSize(width: Int, height: Int) throws(FrameStreamingError) {
        guard width * height <= maximumPixels else {
            throw FrameStreamingError(
                .limitExceeded,
                "\(width)x\(height) is more than the \(maximumPixels) pixels that this codec takes: raise maximumPixels if the picture is meant"
            )
        }
    }
}
