internal import CFFmpeg
internal import FrameStreamingCore

/// Packets of Motion JPEG as Frames, untouched.
///
/// Unsafe code: a Frame holds a reference to FFmpeg's packet, which keeps its memory valid and
/// unchanged, and gives it back with the last copy of the Frame, on any thread.
enum MotionJPEGPacket {
    /// What is in a packet.
    enum Content {
        /// A JPEG that passes as it is.
        case frame(Frame)
        /// Two fields of one picture, or something else that only FFmpeg's decoder understands.
        case other
    }

    /// The JPEG in a packet. One without Huffman tables, as cameras of AVI files leave them out,
    /// gets the standard ones; one without EOI gets its end.
    ///
    /// - Throws: `corruptImage`, `truncatedInput`, `limitExceeded`.
    static func content(
        of packet: UnsafeMutablePointer<AVPacket>, pool: FramePool, _ options: MediaOptions
    ) throws(FrameStreamingError) -> Content {
        guard let start = unsafe packet.pointee.data, unsafe packet.pointee.size > 0 else {
            throw FrameStreamingError(.truncatedInput, "the packet is empty")
        }
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: start, count: Int(packet.pointee.size))
        let maximumByteCount = options.playback.maximumFrameByteCount
        guard bytes.count <= maximumByteCount else {
            throw FrameStreamingError(
                .limitExceeded, "it has \(bytes.count) bytes, over the limit of \(maximumByteCount)")
        }
        let span = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(bytes))
        guard JPEGFrameWalk.isStart(span, at: 0) == true else { return .other }
        var walk = JPEGFrameWalk(lastSize: nil)
        switch walk.advance(over: span, isLast: true) {
        case .whole(let count, let header):
            let isPadded = (count..<span.byteCount).allSatisfy { span.byte(at: $0) == 0 }
            guard isPadded else { return .other }
            let format = try Self.format(header, options)
            if header.hasHuffmanTables, let frame = try unsafe lease(packet, bytes, count, format) {
                return .frame(frame)
            }
            return .frame(
                try copy(span, count, needsTables: !header.hasHuffmanTables, needsEnd: false, format, pool))
        case .withoutEnd(let used, let header):
            let count: Int
            switch JPEGCompleteness(of: span.extracting(0..<used)) {
            case .cut: throw FrameStreamingError(.truncatedInput, "it ends after \(used) bytes: it was cut")
            case .complete(let byteCount): count = byteCount
            case .unknown: count = used
            }
            let format = try Self.format(header, options)
            return .frame(try copy(span, count, needsTables: !header.hasHuffmanTables, needsEnd: true, format, pool))
        case .startsAgain: return .other
        case .damaged(let error, _): throw error
        case .incomplete: throw FrameStreamingError(.truncatedInput, "it ends inside its header: it was cut")
        }
    }

    private static func format(
        _ header: JPEGHeader, _ options: MediaOptions
    ) throws(FrameStreamingError) -> FrameFormat {
        // Two sides of 16 bits.
        guard header.width * header.height <= options.maximumPixelCount else {
            throw FrameStreamingError(
                .limitExceeded,
                "it has \(header.width)x\(header.height) pixels, over the limit of \(options.maximumPixelCount)")
        }
        return try FrameFormat(width: header.width, height: header.height, pixelFormat: .jpeg)
    }

    private static func lease(
        _ packet: UnsafeMutablePointer<AVPacket>, _ bytes: UnsafeMutableRawBufferPointer, _ count: Int,
        _ format: FrameFormat
    ) throws(FrameStreamingError) -> Frame? {
        guard unsafe packet.pointee.buf != nil, let held = unsafe av_packet_clone(packet) else { return nil }
        let lease = unsafe HeldPacket(packet: held)
        let memory = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
        return try unsafe FrameBuffer(memory: memory) { lease.release() }.makeFrame(format: format)
    }

    private static func copy(
        _ jpeg: RawSpan, _ count: Int, needsTables: Bool, needsEnd: Bool, _ format: FrameFormat, _ pool: FramePool
    ) throws(FrameStreamingError) -> Frame {
        // Behind SOI, where any segment may be.
        let tables = needsTables ? Array(StandardHuffmanTables.jpeg.dropFirst(2).dropLast(2)) : []
        let end: [UInt8] = needsEnd ? [0xFF, 0xD9] : []
        var buffer = pool.buffer(byteCount: count + tables.count + end.count)
        unsafe jpeg.withUnsafeBytes { source in
            unsafe buffer.withUnsafeMutableBytes { target in
                // The runs follow one another, and fill the buffer; both slicings are checked.
                unsafe target[..<2].copyBytes(from: source[..<2])
                unsafe target[2...].copyBytes(from: tables)
                unsafe target[(2 + tables.count)...].copyBytes(from: source[2..<count])
                unsafe target[(count + tables.count)...].copyBytes(from: end)
            }
        }
        return try buffer.makeFrame(format: format)
    }
}

/// A reference to a packet of FFmpeg's, which one thread releases, once.
@safe private struct HeldPacket: @unchecked Sendable {
    let packet: UnsafeMutablePointer<AVPacket>

    func release() {
        var freed: UnsafeMutablePointer<AVPacket>? = unsafe packet
        unsafe av_packet_free(&freed)
    }
}
