internal import CTurboJPEG
public import FrameStreamingCore

extension JPEGCodec {
    /// Turns, crops or grays a JPEG frame without decoding it.
    ///
    /// - Returns: A JPEG frame with the same description and quality, and its new size.
    /// - Throws: `invalidArgument` where the size prevents a lossless turn
    ///   (``JPEGTransform/edges``), and for a crop that is off the grid of blocks or outside the
    ///   frame. `corruptImage`, `limitExceeded` and `unsupported` as ``decode(_:_:)`` does.
    public func transform(_ frame: Frame, _ transform: JPEGTransform) throws(FrameStreamingError) -> Frame {
        try self.transform(frame, transform, setsUpright: false)
    }

    /// The same, and with `setsUpright` the result's EXIF data state that it is upright.
    func transform(
        _ frame: Frame, _ transform: JPEGTransform, setsUpright: Bool
    ) throws(FrameStreamingError) -> Frame {
        guard frame.format.pixelFormat == .jpeg else { throw Self.notJPEG(frame) }
        let handles = transform.keepsMetadata ? transformers : transformersWithoutMetadata
        let transformer = try handles.checkOut()
        defer { handles.giveBack(transformer) }
        // The crop is a separate run: together with a turn, TurboJPEG checks the crop against the
        // blocks of the image before.
        var result = try unsafe run(transformer, frame, setsUpright) { (header) throws(FrameStreamingError) in
            try unsafe transform.turn(header)
        }
        if let crop = transform.crop {
            result = try unsafe run(transformer, result, setsUpright) { (header) throws(FrameStreamingError) in
                try unsafe transform.cut(header, crop)
            }
        }
        return result
    }

    /// Returns the picture as it is seen, turned by `turn`: first its EXIF orientation is honoured.
    ///
    /// A JPEG is turned without loss if its size consists of whole blocks (``JPEGTransform``); its
    /// EXIF data stay, and state that it is upright. The thumbnail in them is not turned. Another
    /// JPEG is decoded, turned and encoded again. The pixels of other frames are turned by
    /// `Frame/turned(_:from:)`.
    ///
    /// - Parameters:
    ///   - frame: A JPEG, or a frame of a raw format.
    ///   - turn: The turn; `none` makes the picture upright.
    ///   - quality: For a JPEG that must be encoded again and whose quality is not known
    ///     (`Frame/quality`).
    /// - Returns: The turned picture with the same description, marked (`Frame/hasDecodeWarnings`) if
    ///   there were warnings: the result is a JPEG without fault. If nothing is to be turned, the
    ///   frame itself.
    /// - Throws: `corruptImage`, `limitExceeded` and `unsupported` as ``decode(_:_:)`` does;
    ///   `invalidArgument` for a quality outside 1...100.
    public func turned(
        _ frame: Frame, _ turn: PictureTurn = .none, quality: Int = 90
    ) throws(FrameStreamingError) -> Frame {
        guard frame.format.pixelFormat == .jpeg else { return try frame.turned(turn, from: decodedPool) }
        let upright = EXIFOrientation.turn(of: frame.bytes)
        let whole = upright.followed(by: turn)
        // Where the two cancel each other, the EXIF data must still be changed.
        if upright == .none, whole == .none { return frame }
        do throws(FrameStreamingError) {
            return try transform(frame, JPEGTransform(whole), setsUpright: true)
        } catch {
            // The size, a subsampling without a name, or very much metadata prevents a lossless turn.
            // What prevents decoding as well is thrown again below.
            guard error.code != .corruptImage else { throw error }
        }
        let decoded = try decode(frame, DecodeSettings(pixelFormat: nativePlaneFormat(of: frame)))
        let turned = try decoded.turned(turn, from: decodedPool)
        return try encode(
            turned, EncodeSettings(quality: frame.quality ?? quality, subsampling: turned.format.pixelFormat.sampling))
    }

    private func run(
        _ transformer: TurboTransformer, _ frame: Frame, _ setsUpright: Bool,
        _ plan: (TurboJPEGHeader) throws(FrameStreamingError) -> tjtransform
    ) throws(FrameStreamingError) -> Frame {
        var hasWarnings = frame.hasDecodeWarnings
        var result = try unsafe frame.withUnsafeBytes { (jpeg) throws(FrameStreamingError) -> Frame in
            let header = try unsafe transformer.header(jpeg, scanLimits)
            try checkSize(width: header.width, height: header.height)
            let (count, written, warned) = try unsafe transformer.run(
                jpeg, header, plan(header), strictness: strictness)
            let format = try FrameFormat(
                width: written.width, height: written.height, pixelFormat: .jpeg, colorRange: .full,
                colorMatrix: frame.format.colorMatrix)
            if warned {
                countWarning()
                hasWarnings = true
            }
            var output = transformer.output(count, into: encodedPool)
            if setsUpright {
                var bytes = output.bytes
                EXIFOrientation.setUpright(&bytes)
            }
            return try output.makeFrame(format: format)
        }
        result.takeDescription(of: frame)
        result.hasDecodeWarnings = hasWarnings
        return result
    }
}

extension JPEGTransform {
    /// Plans the run that turns and drops colour.
    fileprivate func turn(_ header: TurboJPEGHeader) throws(FrameStreamingError) -> tjtransform {
        let block = try Self.block(header)
        if edges == .exact {
            if operation.movesRightEdge, header.width % block.width != 0 {
                throw Self.inexact(operation, "width", header.width, block.width)
            }
            if operation.movesLowerEdge, header.height % block.height != 0 {
                throw Self.inexact(operation, "height", header.height, block.height)
            }
        } else if operation.movesRightEdge && header.width < block.width
            || operation.movesLowerEdge && header.height < block.height
        {
            throw FrameStreamingError(
                .invalidArgument,
                "\(operation) of \(header.width)x\(header.height) with edges trimmed leaves nothing: decode the picture and turn its pixels"
            )
        }
        var plan = unsafe tjtransform()
        unsafe plan.op = operation.code
        unsafe plan.options =
            (dropsColour ? TJXOPT_GRAY : 0) | (edges == .trim ? TJXOPT_TRIM : 0) | (keepsMetadata ? 0 : TJXOPT_COPYNONE)
        return unsafe plan
    }

    /// Plans the run that crops.
    fileprivate func cut(_ header: TurboJPEGHeader, _ region: Region) throws(FrameStreamingError) -> tjtransform {
        let block = try Self.block(header)
        guard region.x >= 0, region.y >= 0, region.x % block.width == 0, region.y % block.height == 0 else {
            throw FrameStreamingError(
                .invalidArgument,
                "a JPEG of \(block.width)x\(block.height) pixel blocks cannot be cropped from (\(region.x), \(region.y)): use multiples of the block size"
            )
        }
        guard region.width > 0, region.height > 0, region.x < header.width, region.y < header.height,
            region.width <= header.width - region.x, region.height <= header.height - region.y
        else {
            throw FrameStreamingError(
                .invalidArgument,
                "\(region.width)x\(region.height) at (\(region.x), \(region.y)) is not inside a picture of \(header.width)x\(header.height)"
            )
        }
        var plan = unsafe tjtransform()
        unsafe plan.r = tjregion(
            x: CInt(region.x), y: CInt(region.y), w: CInt(region.width), h: CInt(region.height))
        unsafe plan.options = TJXOPT_CROP | (keepsMetadata ? 0 : TJXOPT_COPYNONE)
        return unsafe plan
    }

    /// Returns the size of an MCU: 8x8 samples of the least sampled component.
    private static func block(_ header: TurboJPEGHeader) throws(FrameStreamingError) -> (width: Int, height: Int) {
        switch header.sampling {
        case .gray: return (8, 8)
        case .colour(let factors): return (8 * factors.across, 8 * factors.down)
        case .unknown:
            throw FrameStreamingError(
                .unsupported, "the JPEG's subsampling is unknown: decode the picture and encode it again")
        }
    }

    private static func inexact(
        _ operation: PictureTurn, _ side: String, _ length: Int, _ block: Int
    ) -> FrameStreamingError {
        FrameStreamingError(
            .invalidArgument,
            "\(operation) is lossless only where the \(side), \(length), is a multiple of \(block): crop the picture first, or set edges to trim"
        )
    }
}

extension PictureTurn {
    fileprivate var code: CInt {
        let code =
            switch self {
            case .none: TJXOP_NONE
            case .flipHorizontally: TJXOP_HFLIP
            case .flipVertically: TJXOP_VFLIP
            case .transpose: TJXOP_TRANSPOSE
            case .transverse: TJXOP_TRANSVERSE
            case .rotate90: TJXOP_ROT90
            case .rotate180: TJXOP_ROT180
            case .rotate270: TJXOP_ROT270
            }
        return CInt(code.rawValue)
    }
}
