internal import CTurboJPEG
internal import FrameStreamingCore

/// A compressor with its memory: the planes that a frame is converted to, and the room for the
/// JPEG.
///
/// Unsafe code, safe because: TurboJPEG gets planes whose size follows from the factors that it
/// uses itself. Its luma planes hold whole chroma groups, so odd sizes use the scratch planes. Its
/// output room has at least tjBufSize bytes, which ``room(width:height:sampling:)`` checks.
///
/// `@unchecked Sendable`: one thread at a time has it, from a ``HandlePool``.
final class TurboCompressor: @unchecked Sendable {
    private let handle: TurboHandle
    private let output = ScratchMemory()
    private let planes = ScratchMemory()

    init() throws(FrameStreamingError) { handle = try unsafe TurboHandle(tjInitCompress()) }

    var scratchAllocations: Int { output.allocations + planes.allocations }
    var outputCapacity: Int { output.capacity }

    /// Encodes `frame`, and copies the JPEG's bytes once, into memory of `pool`.
    func compress(
        _ frame: Frame, quality: Int, subsampling: ChromaSubsampling, scale: PictureScale = .full, into pool: FramePool
    ) throws(FrameStreamingError) -> FrameBuffer {
        let format = frame.format
        let room = try unsafe room(
            width: scale.scaled(format.width), height: scale.scaled(format.height), sampling: subsampling.code)
        let count = try unsafe frame.withUnsafeBytes { (bytes) throws(FrameStreamingError) -> Int in
            guard let base = unsafe bytes.bindMemory(to: UInt8.self).baseAddress else { return 0 }
            if let code = format.pixelFormat.packedCode {
                var picture = unsafe PackedImage(base, format, scale)
                if picture.byteCount > 0 { picture = unsafe picture.prepared(planes.room(picture.byteCount)) }
                return try unsafe compressPacked(picture, code, quality, subsampling, to: room)
            }
            guard var source = unsafe SourceImage(base, format) else {
                throw FrameStreamingError(
                    .unsupported,
                    "\(format.pixelFormat) cannot be encoded as JPEG: convert it to one of the YUV, RGB or gray formats first"
                )
            }
            source.scale = scale
            return try unsafe compressPlanes(source, quality, subsampling, to: room)
        }
        var buffer = pool.buffer(byteCount: count)
        unsafe buffer.withUnsafeMutableBytes { unsafe $0.baseAddress?.copyMemory(from: room, byteCount: count) }
        return buffer
    }

    private func room(
        width: Int, height: Int, sampling: CInt
    ) throws(FrameStreamingError) -> UnsafeMutablePointer<UInt8> {
        let needed = try TurboHandle.largestJPEG(width: width, height: height, sampling: sampling)
        let room = unsafe output.room(needed)
        precondition(output.capacity >= needed, "TJFLAG_NOREALLOC writes past a buffer of less than tjBufSize")
        return unsafe room
    }

    private func compressPacked(
        _ picture: PackedImage, _ code: CInt, _ quality: Int, _ subsampling: ChromaSubsampling,
        to room: UnsafeMutablePointer<UInt8>
    ) throws(FrameStreamingError) -> Int {
        var target: UnsafeMutablePointer<UInt8>? = unsafe room
        var size: UInt = 0
        let result = unsafe tjCompress2(
            handle.raw, picture.pixels.start, CInt(picture.width), CInt(picture.pixels.stride), CInt(picture.height),
            code,
            &target, &size, subsampling.code, CInt(quality), TJFLAG_NOREALLOC)
        return try unsafe written(result, size, target == room)
    }

    private func compressPlanes(
        _ source: SourceImage, _ quality: Int, _ subsampling: ChromaSubsampling, to room: UnsafeMutablePointer<UInt8>
    ) throws(FrameStreamingError) -> Int {
        let planes = planes(of: source, as: ChromaFactors(subsampling))
        var starts = unsafe (
            Optional(planes.y.start), planes.u.map { unsafe $0.start }, planes.v.map { unsafe $0.start }
        )
        var strides = (CInt(planes.y.stride), CInt(planes.u?.stride ?? 0), CInt(planes.v?.stride ?? 0))
        var target: UnsafeMutablePointer<UInt8>? = unsafe room
        var size: UInt = 0
        // Homogeneous tuples of three, which TurboJPEG reads as arrays of three (of one for gray).
        let result = unsafe withUnsafeMutableBytes(of: &starts) { starts in
            unsafe withUnsafeBytes(of: &strides) { strides in
                unsafe tjCompressFromYUVPlanes(
                    handle.raw, starts.baseAddress?.assumingMemoryBound(to: UnsafePointer<UInt8>?.self),
                    CInt(source.scaledWidth), strides.baseAddress?.assumingMemoryBound(to: CInt.self),
                    CInt(source.scaledHeight),
                    subsampling.code, &target, &size, CInt(quality), TJFLAG_NOREALLOC)
            }
        }
        return try unsafe written(result, size, target == room)
    }

    /// Returns the planes in the form that TurboJPEG needs: the frame's own if possible, otherwise
    /// scratch planes filled in one pass.
    private func planes(
        of source: SourceImage, as wanted: ChromaFactors?
    ) -> (y: SourcePlane, u: SourcePlane?, v: SourcePlane?) {
        let factors = wanted ?? .yuv444
        let isWhole = factors.divides(width: source.width, height: source.height)
        let strips = StripConversion(source)
        var y: SourcePlane?
        var chroma: (u: SourcePlane, v: SourcePlane)?
        let isFinal = !source.isLimitedRange && strips == nil
        if isFinal, isWhole, case .plane(let plane) = source.luma { y = plane }
        if isFinal, source.factors == wanted, case .planes(let u, let v) = source.chroma {
            chroma = (u, v)
        }
        if let y, wanted == nil { return (y, nil, nil) }
        if let y, let chroma { return (y, chroma.u, chroma.v) }

        let width = factors.paddedWidth(source.scaledWidth)
        let height = factors.paddedHeight(source.scaledHeight)
        let stride = (width + 63) & ~63
        let chromaStride = (factors.columns(source.scaledWidth) + 63) & ~63
        let chromaBytes = wanted == nil || chroma != nil ? 0 : chromaStride * factors.lines(source.scaledHeight)
        let (offsets, count) = ScratchMemory.place([
            y == nil ? stride * height : 0, chromaBytes, chromaBytes,
            SourceImage.lineRoom(columns: source.factors.columns(source.width)), strips?.byteCount ?? 0,
        ])
        let start = unsafe planes.room(count)
        var target = unsafe TargetImage(
            luma: nil, lumaWidth: width, lumaHeight: height, chroma: nil, factors: factors, lines: start + offsets[3])
        if y == nil { target.luma = unsafe TargetPlane(start: start, stride: stride) }
        if wanted != nil, chroma == nil {
            target.chroma = unsafe (
                TargetPlane(start: start + offsets[1], stride: chromaStride),
                TargetPlane(start: start + offsets[2], stride: chromaStride)
            )
        }
        if let strips {
            unsafe strips.fill(target, room: start + offsets[4])
        } else {
            target.fill(from: source)
        }
        let scratch = unsafe SourcePlane(start: UnsafePointer(start), stride: stride)
        return (y ?? scratch, chroma?.u ?? target.chroma?.u.asSource, chroma?.v ?? target.chroma?.v.asSource)
    }

    /// Returns the size of the JPEG, or throws why there is none.
    private func written(_ result: CInt, _ size: UInt, _ isInPlace: Bool) throws(FrameStreamingError) -> Int {
        guard result == 0 else {
            throw FrameStreamingError(
                .unsupported, "TurboJPEG failed to encode the picture: \(handle.complaint().text)")
        }
        precondition(isInPlace && size <= UInt(output.capacity), "TurboJPEG left the buffer that it was given")
        return Int(size)
    }
}
