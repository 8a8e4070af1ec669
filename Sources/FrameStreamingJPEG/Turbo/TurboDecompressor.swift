internal import CTurboJPEG
internal import FrameStreamingCore

/// What a JPEG says of itself.
struct JPEGHeader: Hashable, Sendable {
    var width: Int
    var height: Int
    var sampling: JPEGSampling
    /// TurboJPEG's number (TJCS) of the colour space, -1 = unknown.
    var colourSpace: CInt

    /// RGB without a conversion: planes of it are no YUV.
    var isRGB: Bool { colourSpace == CInt(TJCS_RGB.rawValue) }

    /// Refuses four inks: TurboJPEG gives neither RGB nor planes of them.
    func checkColours() throws(FrameStreamingError) {
        guard ![CInt(TJCS_CMYK.rawValue), CInt(TJCS_YCCK.rawValue)].contains(colourSpace) else {
            throw FrameStreamingError(.unsupported, "the JPEG is CMYK, for printers: convert it to YCbCr or RGB first")
        }
    }
}

/// A decompressor with its memory: planes for pictures whose own are not what was asked for.
///
/// Unsafe code, safe because: the codec computes targets from the header that this object read, at the exact scaled
/// size, and the JPEG's bytes do not change between the two readings. `@unchecked Sendable`: one thread at a time has
/// it, out of a ``HandlePool``.
final class TurboDecompressor: @unchecked Sendable {
    private let handle: TurboHandle
    let planes = ScratchMemory()

    init() throws(FrameStreamingError) { handle = try unsafe TurboHandle(tjInitDecompress()) }

    var scratchAllocations: Int { planes.allocations }

    /// Reads the header, after which the handle is ready for this JPEG: it knows the standard Huffman tables and none
    /// of an earlier picture's.
    func header(_ jpeg: UnsafeRawBufferPointer, _ limits: ScanLimits) throws(FrameStreamingError) -> JPEGHeader {
        try unsafe handle.header(jpeg, limits)
    }

    /// The size of a JPEG that is to be decoded to packed pixels or gray, after which the handle is ready for it as after
    /// ``header(_:)``. The usual picture tells its size by itself, and a look at it is a tenth of what the library takes to say so.
    ///
    /// - Throws: `corruptImage` where there is no picture; `unsupported` for CMYK; `limitExceeded` beyond `limits`.
    func size(
        _ jpeg: UnsafeRawBufferPointer, _ limits: ScanLimits
    ) throws(FrameStreamingError) -> (width: Int, height: Int) {
        let tables = unsafe TablesBeforeScan(jpeg)
        if tables.hasQuantization, tables.hasHuffmanTables, let size = tables.size {
            try unsafe tables.checkScans(of: jpeg, limits)
            return size
        }
        let header = try unsafe header(jpeg, limits)
        try header.checkColours()
        return (header.width, header.height)
    }

    /// Decodes to packed pixels or gray. True = with warnings.
    ///
    /// - Parameters:
    ///   - code: TurboJPEG's number of the pixel format (TJPF).
    ///   - width: Exactly the scaled width, as is `height` the scaled height: another size makes TurboJPEG scale on
    ///     its own.
    func decode(
        _ jpeg: UnsafeRawBufferPointer, to pixels: UnsafeMutablePointer<UInt8>, width: Int, height: Int,
        layout: PlaneLayout, code: CInt, strictness: JPEGCodec.Strictness
    ) throws(FrameStreamingError) -> Bool {
        let last = unsafe pixels + (layout.byteCount - 1)
        return try unsafe run(strictness, last: last) {
            unsafe tjDecompress2(
                handle.raw, jpeg.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt(jpeg.count), pixels,
                CInt(width),
                CInt(layout.stride), CInt(height), code, strictness.flags | TJFLAG_LIMITSCANS)
        }
    }

    /// Decodes to the JPEG's own planes, luma in whole groups. True = with warnings.
    func decode(
        _ jpeg: UnsafeRawBufferPointer, to planes: [TargetPlane], width: Int, height: Int,
        strictness: JPEGCodec.Strictness
    ) throws(FrameStreamingError) -> Bool {
        precondition(planes.count == 1 || planes.count == 3, "a JPEG has one or three planes")
        let chroma = planes.count == 3
        var starts = unsafe (
            Optional(planes[0].start), chroma ? planes[1].start : nil, chroma ? planes[2].start : nil
        )
        var strides = (
            CInt(planes[0].stride), CInt(chroma ? planes[1].stride : 0), CInt(chroma ? planes[2].stride : 0)
        )
        let last = unsafe planes[0].line(height - 1) + (width - 1)
        return try unsafe run(strictness, last: last) {
            // Homogeneous tuples of three, which TurboJPEG reads as arrays of three (of one for gray).
            unsafe withUnsafeMutableBytes(of: &starts) { starts in
                unsafe withUnsafeMutableBytes(of: &strides) { strides in
                    unsafe tjDecompressToYUVPlanes(
                        handle.raw, jpeg.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt(jpeg.count),
                        starts.baseAddress?.assumingMemoryBound(to: UnsafeMutablePointer<UInt8>?.self), CInt(width),
                        strides.baseAddress?.assumingMemoryBound(to: CInt.self), CInt(height),
                        strictness.flags | TJFLAG_LIMITSCANS)
                }
            }
        }
    }

    /// One decode, by the rules of `strictness`.
    ///
    /// TurboJPEG calls a failure a warning when one came before it, also where it then gave up for good and left the
    /// rest of the buffer as it was: an earlier picture. So the picture's last sample gets a mark first. Where it is
    /// still there, a second run with another mark tells whether that is the picture's own value.
    private func run(
        _ strictness: JPEGCodec.Strictness, last: UnsafeMutablePointer<UInt8>, _ call: () -> CInt
    ) throws(FrameStreamingError) -> Bool {
        for mark: UInt8 in [0, 255] {
            unsafe last.pointee = mark
            if call() == 0 { return false }
            let complaint = handle.complaint()
            guard strictness == .tolerant, complaint.isWarning else {
                throw .corruptImage(complaint.text)
            }
            if unsafe last.pointee != mark { return true }
        }
        throw .corruptImage(handle.complaint().text)
    }
}

extension JPEGCodec.Strictness {
    /// A strict decode has no use for the rest of a picture that has a fault.
    fileprivate var flags: CInt { self == .strict ? TJFLAG_STOPONWARNING : 0 }
}

extension TurboHandle {
    /// Takes the handle back to its start: tjDecompressHeader3 leaves it in the middle of a header that failed
    /// (2.1.5), and the next picture would be a second start of image in it. tjDecompress2 fails too, there being no
    /// picture, and tidies up.
    private borrowing func reset() {
        var pixel: UInt8 = 0
        _ = unsafe StandardHuffmanTables.jpeg.withUnsafeBytes {
            unsafe tjDecompress2(
                raw, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt($0.count), &pixel, 1, 1, 1,
                CInt(TJPF_GRAY.rawValue), 0)
        }
    }

    /// The header of `jpeg`, for a handle that decodes or transforms.
    ///
    /// - Throws: `corruptImage` where there is none, or no picture behind it; `limitExceeded` where decoding it would cost more
    ///   than `limits` allow.
    borrowing func header(
        _ jpeg: UnsafeRawBufferPointer, _ limits: ScanLimits
    ) throws(FrameStreamingError) -> JPEGHeader {
        let before = unsafe TablesBeforeScan(jpeg)
        try unsafe before.checkScans(of: jpeg, limits)
        var (width, height, sampling, colourSpace): (CInt, CInt, CInt, CInt) = (0, 0, -1, -1)
        if !before.hasHuffmanTables {
            // Of no use is what this returns and reads: a JPEG of tables has no size.
            _ = unsafe StandardHuffmanTables.jpeg.withUnsafeBytes {
                unsafe tjDecompressHeader3(
                    raw, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt($0.count), &width, &height,
                    &sampling, &colourSpace)
            }
        }
        // 2.1 leaves these as they are where it finds no picture.
        (width, height, sampling, colourSpace) = (0, 0, -1, -1)
        let result = unsafe tjDecompressHeader3(
            raw, jpeg.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt(jpeg.count), &width, &height, &sampling,
            &colourSpace)
        // A size without a sampling is a JPEG that TurboJPEG has no name for and still decodes to RGB. Warnings come
        // again in the decode, and are judged there.
        let complaint = result == 0 ? nil : complaint()
        if complaint != nil { reset() }
        if let complaint, width < 1 || height < 1 || !(complaint.isWarning || sampling < 0) {
            throw .corruptImage(complaint.text)
        }
        guard width > 0, height > 0, before.hasFrame else {
            throw .corruptImage("it holds no picture, only tables")
        }
        guard before.hasQuantization else {
            throw .corruptImage("it has no quantization table before its first scan")
        }
        return JPEGHeader(
            width: Int(width), height: Int(height), sampling: JPEGSampling(code: sampling), colourSpace: colourSpace)
    }
}
