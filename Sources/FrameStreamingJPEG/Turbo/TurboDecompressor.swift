internal import CTurboJPEG
internal import FrameStreamingCore

/// A decompressor with its memory: planes for JPEGs whose own planes differ from the requested
/// format.
///
/// Unsafe code, safe because: the codec computes targets from the header that this object read, at
/// the exact scaled size, and the JPEG's bytes do not change between the two readings.
///
/// `@unchecked Sendable`: one thread at a time has it, from a ``HandlePool``.
final class TurboDecompressor: @unchecked Sendable {
    private let handle: TurboHandle
    let planes = ScratchMemory()

    init() throws(FrameStreamingError) { handle = try unsafe TurboHandle(tjInitDecompress()) }

    var scratchAllocations: Int { planes.allocations }

    /// Reads the header, which prepares the handle for this JPEG: it then knows the standard
    /// Huffman tables, and no table of an earlier JPEG.
    func header(_ jpeg: UnsafeRawBufferPointer, _ limits: ScanLimits) throws(FrameStreamingError) -> TurboJPEGHeader {
        try unsafe handle.header(jpeg, limits)
    }

    /// Returns the size of a JPEG for packed pixels or gray, and whether it is CMYK or YCCK. Prepares
    /// the handle as ``header(_:)`` does.
    ///
    /// A usual JPEG is complete in itself. Reading its size here takes a tenth of the time that the
    /// library needs.
    ///
    /// - Throws: `corruptImage` for a JPEG without an image; `unsupported` for a lossless,
    ///   hierarchical or 12-bit one; `limitExceeded` beyond `limits`.
    func size(
        _ jpeg: UnsafeRawBufferPointer, _ limits: ScanLimits
    ) throws(FrameStreamingError) -> (width: Int, height: Int, isInk: Bool) {
        let tables = unsafe TablesBeforeScan(jpeg)
        if tables.hasQuantization, tables.hasHuffmanTables, let size = tables.size {
            try unsafe tables.checkScans(of: jpeg, limits)
            return (size.width, size.height, false)
        }
        let header = try unsafe header(jpeg, limits)
        return (header.width, header.height, header.isInk)
    }

    /// Decodes to packed pixels or gray. Returns whether the JPEG had warnings.
    ///
    /// - Parameters:
    ///   - code: TurboJPEG's number of the pixel format (TJPF).
    ///   - width: The exact scaled width, as `height` is the exact scaled height; for any other
    ///     size TurboJPEG would scale by itself.
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

    /// Decodes to the JPEG's own planes, luma in whole groups. Returns whether the JPEG had
    /// warnings.
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
            // Homogeneous tuples of three, which TurboJPEG reads as arrays of three (of one for
            // gray).
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

    /// Decodes once, by the rules of `strictness`.
    ///
    /// After a warning TurboJPEG reports a later failure as a warning too. It may then have given
    /// up, and left an earlier frame in the rest of the buffer. So the last sample is set to a mark
    /// first. If the mark is still there, a second run with another mark shows whether that is the
    /// frame's own value.
    private func run(
        _ strictness: JPEGCodec.Strictness, last: UnsafeMutablePointer<UInt8>, _ call: () -> CInt
    ) throws(FrameStreamingError) -> Bool {
        for mark: UInt8 in [0, 255] {
            unsafe last.pointee = mark
            if call() == 0 { return false }
            let complaint = handle.complaint()
            guard complaint.isWarning else { throw .corruptImage(complaint.text) }
            guard strictness == .tolerant else { throw .strictlyRefused(complaint.text) }
            if unsafe last.pointee != mark { return true }
        }
        throw .corruptImage(handle.complaint().text)
    }
}

extension JPEGCodec.Strictness {
    /// A strict decode can stop at the first fault.
    fileprivate var flags: CInt { self == .strict ? TJFLAG_STOPONWARNING : 0 }
}

extension TurboHandle {
    /// Resets the handle. tjDecompressHeader3 leaves it in the middle of a header that failed
    /// (2.1.5), and the next JPEG would be a second start of image in it. tjDecompress2 fails too,
    /// because this JPEG has no image, and cleans up.
    private borrowing func reset() {
        var pixel: UInt8 = 0
        _ = unsafe StandardHuffmanTables.jpeg.withUnsafeBytes {
            unsafe tjDecompress2(
                raw, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt($0.count), &pixel, 1, 1, 1,
                CInt(TJPF_GRAY.rawValue), 0)
        }
    }

    /// Reads the header of `jpeg`, for a handle that decodes or transforms.
    ///
    /// - Throws: `corruptImage` for a JPEG without a header or without an image; `unsupported` for a
    ///   lossless, hierarchical or 12-bit one; `limitExceeded` where decoding would cost more than
    ///   `limits` allow.
    borrowing func header(
        _ jpeg: UnsafeRawBufferPointer, _ limits: ScanLimits
    ) throws(FrameStreamingError) -> TurboJPEGHeader {
        let before = unsafe TablesBeforeScan(jpeg)
        try unsafe before.checkProcess(of: jpeg)
        try unsafe before.checkScans(of: jpeg, limits)
        var (width, height, sampling, colourSpace): (CInt, CInt, CInt, CInt) = (0, 0, -1, -1)
        if !before.hasHuffmanTables {
            // The result is ignored: a JPEG with only tables has no size.
            _ = unsafe StandardHuffmanTables.jpeg.withUnsafeBytes {
                unsafe tjDecompressHeader3(
                    raw, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt($0.count), &width, &height,
                    &sampling, &colourSpace)
            }
        }
        // Version 2.1 leaves these unchanged where it finds no image.
        (width, height, sampling, colourSpace) = (0, 0, -1, -1)
        let result = unsafe tjDecompressHeader3(
            raw, jpeg.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt(jpeg.count), &width, &height, &sampling,
            &colourSpace)
        // A size without a sampling is a JPEG that TurboJPEG has no name for, and still decodes to
        // RGB. Warnings come again in the decode, and are judged there.
        let complaint = result == 0 ? nil : complaint()
        if complaint != nil { reset() }
        if let complaint, width < 1 || height < 1 || !(complaint.isWarning || sampling < 0) {
            throw .corruptImage(complaint.text)
        }
        guard width > 0, height > 0, before.hasFrame else {
            throw .corruptImage("it contains only tables, and no picture")
        }
        guard before.hasQuantization else {
            throw .corruptImage("it has no quantization table before its first scan")
        }
        return TurboJPEGHeader(
            width: Int(width), height: Int(height), sampling: JPEGSampling(code: sampling), colourSpace: colourSpace)
    }
}
