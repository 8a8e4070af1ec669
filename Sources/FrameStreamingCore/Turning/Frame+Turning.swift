/// Turning pixels.
///
/// Unsafe code, because a check of each sample would cost more than to copy it. Safe because: the
/// lists of a plan have one offset for each column and row of their plane, the largest sum is
/// checked against the frame's bytes, and the target's rows lie in a buffer of its format's size.
extension Frame {
    /// Returns the picture as it is seen (``uprightTurn``), turned by `turn`.
    ///
    /// RGB, gray, I420, I422 and I444 keep their format. YV12, NV12 and NV21 become I420; YUYV and
    /// UYVY become I422. 4:2:2 that is turned by a quarter becomes I444, because each of its chroma
    /// samples then belongs to two lines. Where an odd side is mirrored, pixels share their chroma
    /// with other neighbours than before, and it is averaged. The planes follow one another without
    /// padding.
    ///
    /// - Parameters:
    ///   - turn: The turn; `none` makes the picture upright.
    ///   - pool: The pool that provides the memory; nil = no pool.
    /// - Returns: The turned picture with the same description. If nothing is to be turned, it has
    ///   the bytes of this frame.
    /// - Throws: `unsupported` for a compressed picture, and for a format without a name.
    public func turned(
        _ turn: PictureTurn = .none, from pool: FramePool? = nil
    ) throws(FrameStreamingError) -> Frame {
        let whole = uprightTurn.followed(by: turn)
        guard whole != .none else {
            if uprightTurn == .none { return self }
            var same = self
            same.uprightTurn = .none
            return same
        }
        guard let plan = try TurnPlan(format, whole) else {
            throw FrameStreamingError(
                .unsupported, "the pixels of \(format) cannot be turned: decode the picture first")
        }
        let target = plan.target
        let lease = pool?.buffer(byteCount: target.byteCount).lease ?? BufferLease(unpooledBytes: target.byteCount)
        for plane in plan.planes { plane.fill(lease, from: self) }
        var result = Frame(
            lease: lease, byteCount: target.byteCount, format: target, captureTime: captureTime, sequence: sequence)
        result.takeDescription(of: self)
        result.uprightTurn = .none
        return result
    }
}

extension TurnPlan.Plane {
    /// Three bytes of a pixel.
    private struct Triple {
        var bytes: (UInt8, UInt8, UInt8)
    }

    fileprivate func fill(_ target: BufferLease, from source: Frame) {
        // Columns and rows are sorted, up or down.
        func largest(_ offsets: [Int]) -> Int { max(offsets.first ?? 0, offsets.last ?? 0) }
        let last =
            max(largest(columns), largest(otherColumns ?? [])) + max(largest(rows), largest(otherRows ?? []))
        precondition(last + sampleBytes <= source.byteCount && layout.offset + layout.byteCount <= target.capacity)
        let from = unsafe UnsafeRawPointer(source.lease.start)
        let to = unsafe target.start + layout.offset
        guard otherColumns == nil, otherRows == nil else { return unsafe average(from, to) }
        switch sampleBytes {
        case 1: unsafe copy(from, to, of: UInt8.self)
        case 3: unsafe copy(from, to, of: Triple.self)
        default: unsafe copy(from, to, of: UInt32.self)
        }
    }

    /// The side of the squares in which a picture is turned: a quarter turn reads down while it
    /// writes across, and this many lines stay in the cache.
    private static var side: Int { 64 }

    @inline(__always)
    private func copy<Sample: BitwiseCopyable>(
        _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, of type: Sample.Type
    ) {
        let (width, height) = (columns.count, rows.count)
        unsafe columns.withUnsafeBufferPointer { columns in
            for top in Swift.stride(from: 0, to: height, by: Self.side) {
                for left in Swift.stride(from: 0, to: width, by: Self.side) {
                    for row in top..<min(top + Self.side, height) {
                        let line = unsafe source + rows[row]
                        let out = unsafe target + row * layout.stride
                        for column in left..<min(left + Self.side, width) {
                            let sample = unsafe (line + columns[column]).loadUnaligned(as: Sample.self)
                            unsafe out.storeBytes(of: sample, toByteOffset: column * sampleBytes, as: Sample.self)
                        }
                    }
                }
            }
        }
    }

    /// The same for chroma of which pixels must be averaged.
    private func average(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer) {
        let (otherColumns, otherRows) = (otherColumns ?? columns, otherRows ?? rows)
        for row in rows.indices {
            for column in columns.indices {
                func sample(_ line: Int, _ offset: Int) -> UInt16 {
                    UInt16(unsafe source.load(fromByteOffset: line + offset, as: UInt8.self))
                }
                let sum =
                    sample(rows[row], columns[column]) + sample(rows[row], otherColumns[column])
                    + sample(otherRows[row], columns[column]) + sample(otherRows[row], otherColumns[column])
                unsafe target.storeBytes(
                    of: UInt8((sum + 2) / 4), toByteOffset: row * layout.stride + column, as: UInt8.self)
            }
        }
    }
}
