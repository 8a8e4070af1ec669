internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Unsafe code, safe because: ``CameraStream/check(_:number:_:)`` checks every range against the
/// mapping's length before a byte is read, and a buffer's bytes are used only while the capturing
/// thread holds it.
extension CameraStream {
    /// Validates a dequeued buffer. Returns nil, and counts why, if it holds no complete image.
    func check(_ buffer: FilledBuffer, number: UInt64, _ statistics: inout CameraStatistics) -> ValidBuffer? {
        if buffer.isSuspect {
            statistics.errorBuffers += 1
            return nil
        }
        let lengths = ring.lengths(of: buffer.index)
        guard buffer.planes.count >= lengths.count,
            zip(buffer.planes, lengths).allSatisfy({ $0.used <= $1 && $0.offset >= 0 && $0.offset <= $0.used })
        else {
            statistics.invalidBuffers += 1
            return nil
        }
        var good = ValidBuffer(buffer: buffer, number: number, range: buffer.planes[0].offset..<buffer.planes[0].used)
        guard !good.range.isEmpty else {
            statistics.shortFrames += 1
            return nil
        }
        switch shape.making {
        case .convert: return good
        case .lease:
            guard good.range.count >= shape.format.byteCount else { break }
            // Padding behind the last line is not part of the image.
            return good
        case .gather:
            let whole = (0..<shape.format.planeCount).allSatisfy { plane in
                let (filled, target) = (buffer.planes[plane], shape.format.plane(plane))
                let stride = max(format.planes[plane].stride, target.rowBytes)
                return filled.used - filled.offset >= stride * (target.height - 1) + target.rowBytes
            }
            if whole { return good }
        case .jpeg:
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: ring.bytes(of: buffer.index)[good.range])
            guard let jpeg = unsafe MotionJPEG(bytes) else {
                statistics.corruptFrames += 1
                return nil
            }
            if jpeg.range.lowerBound > 0 { statistics.junkRemoved += 1 }
            if jpeg.isTruncated {
                statistics.truncatedFrames += 1
                if truncated == .drop { return nil }
            }
            good.jpeg = jpeg
            return good
        }
        statistics.shortFrames += 1
        return nil
    }

    /// Makes a Frame of a validated buffer, which then belongs to the consumer or the driver.
    /// Returns nil, and counts why, if that fails.
    func makeFrame(_ good: ValidBuffer, _ time: CaptureTime, _ statistics: inout CameraStatistics) -> Frame? {
        do throws(FrameStreamingError) {
            switch shape.making {
            case .lease: return try leaseOrCopy(good, good.range, shape.format, time, &statistics)
            case .jpeg: return try jpegFrame(good, time, &statistics)
            case .gather:
                defer { ring.giveBack(good.buffer.index) }
                return try gather(good).makeFrame(format: shape.format, captureTime: time, sequence: good.number)
            case .convert:
                defer { ring.giveBack(good.buffer.index) }
                guard let buffer = convert(good) else {
                    statistics.corruptFrames += 1
                    return nil
                }
                statistics.converted += 1
                return try buffer.makeFrame(
                    format: shape.format, usedBytes: shape.format.byteCount, captureTime: time, sequence: good.number)
            }
        } catch {
            statistics.invalidBuffers += 1
            return nil
        }
    }

    private func leaseOrCopy(
        _ good: ValidBuffer, _ range: Range<Int>, _ format: FrameFormat, _ time: CaptureTime,
        _ statistics: inout CameraStatistics
    ) throws(FrameStreamingError) -> Frame {
        if let buffer = ring.lease(good.buffer.index, range) {
            return try buffer.makeFrame(format: format, captureTime: time, sequence: good.number)
        }
        statistics.copiedOut += 1
        defer { ring.giveBack(good.buffer.index) }
        var copy = pool.buffer(byteCount: range.count)
        unsafe copy.withUnsafeMutableBytes { target in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: ring.bytes(of: good.buffer.index)[range]))
        }
        return try copy.makeFrame(format: format, captureTime: time, sequence: good.number)
    }

    private func jpegFrame(
        _ good: ValidBuffer, _ time: CaptureTime, _ statistics: inout CameraStatistics
    ) throws(FrameStreamingError) -> Frame {
        guard let jpeg = good.jpeg else { throw FrameStreamingError(.corruptImage, "the buffer holds no JPEG") }
        // The size in the header: some cameras send another than they granted.
        let format = try FrameFormat(
            width: jpeg.width, height: jpeg.height, pixelFormat: .jpeg, colorMatrix: shape.format.colorMatrix)
        let range = good.range.lowerBound + jpeg.range.lowerBound..<good.range.lowerBound + jpeg.range.upperBound
        let needsEnd = jpeg.isTruncated && truncated == .repair
        guard needsEnd || jpeg.tablesBelongAt != nil else {
            return try leaseOrCopy(good, range, format, time, &statistics)
        }
        defer { ring.giveBack(good.buffer.index) }
        let tables = jpeg.tablesBelongAt == nil ? [] : MotionJPEG.standardTables
        if jpeg.tablesBelongAt != nil { statistics.tablesInserted += 1 }
        let split = jpeg.tablesBelongAt.map { $0 - jpeg.range.lowerBound } ?? range.count
        var copy = pool.buffer(byteCount: range.count + tables.count + (needsEnd ? 2 : 0))
        unsafe copy.withUnsafeMutableBytes { target in
            let source = unsafe UnsafeRawBufferPointer(rebasing: ring.bytes(of: good.buffer.index)[range])
            // The pieces fill the target exactly, and each begins where the last one ended.
            unsafe target.copyBytes(from: source[..<split])
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[split...]).copyBytes(from: tables)
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[(split + tables.count)...])
                .copyBytes(from: source[split...])
            if needsEnd {
                unsafe UnsafeMutableRawBufferPointer(rebasing: target.suffix(2)).copyBytes(from: [0xFF, 0xD9])
            }
        }
        return try copy.makeFrame(format: format, captureTime: time, sequence: good.number)
    }

    /// Joins planes that the driver keeps in separate memory, without padding.
    private func gather(_ good: ValidBuffer) -> FrameBuffer {
        var result = pool.buffer(byteCount: shape.format.byteCount)
        unsafe result.withUnsafeMutableBytes { target in
            for index in 0..<shape.format.planeCount {
                let plane = shape.format.plane(index)
                let source = unsafe ring.bytes(of: good.buffer.index, plane: index)
                let stride = max(format.planes[index].stride, plane.rowBytes)
                for line in 0..<plane.height {
                    let from = good.buffer.planes[index].offset + line * stride
                    let to = plane.offset + line * plane.stride
                    unsafe UnsafeMutableRawBufferPointer(rebasing: target[to..<to + plane.rowBytes])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[from..<from + plane.rowBytes]))
                }
            }
        }
        return result
    }

    private func convert(_ good: ValidBuffer) -> FrameBuffer? {
        guard let converter else { return nil }
        var result = pool.buffer(byteCount: convertedBytes)
        let source = unsafe UnsafeMutableRawBufferPointer(rebasing: ring.bytes(of: good.buffer.index)[good.range])
        let written = unsafe result.withUnsafeMutableBytes { target in
            (try? unsafe converter.convert(source, into: target)) ?? 0
        }
        guard written >= shape.format.byteCount else { return nil }
        return result
    }
}
