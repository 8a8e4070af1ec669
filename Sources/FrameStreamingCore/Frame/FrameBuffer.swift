/// Bytes that are being filled to become a ``Frame``. Until then they have one
/// owner, which the compiler checks.
///
/// ``FramePool/buffer(byteCount:)`` makes it. If it does not become
/// a Frame, it returns to its pool.
public struct FrameBuffer: ~Copyable, Sendable {
    let lease: BufferLease
    /// The requested number of bytes.
    public let byteCount: Int

    init(lease: BufferLease, byteCount: Int) {
        self.lease = lease
        self.byteCount = byteCount
    }

    /// Makes a buffer over memory of another owner, such as a driver's mapping.
    ///
    /// - Parameters:
    ///   - memory: Stays valid, and unchanged once a Frame was made, until `release` is called.
    ///   - release: Called once, from any thread, when the last Frame over the memory is gone.
    @unsafe public init(
        memory: UnsafeMutableRawBufferPointer, release: @escaping @Sendable () -> Void
    ) {
        unsafe lease = BufferLease(memory: memory, release: release)
        byteCount = memory.count
    }

    /// The bytes, to write. At first they have the content of an earlier frame.
    public var bytes: MutableRawSpan {
        @_lifetime(&self)
        mutating get {
            let span = unsafe MutableRawSpan(_unsafeStart: lease.start, byteCount: byteCount)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    /// The bytes as samples, to write without unsafe code.
    public var samples: MutableSpan<UInt8> {
        @_lifetime(&self)
        mutating get {
            let start = unsafe lease.start.assumingMemoryBound(to: UInt8.self)
            let span = unsafe MutableSpan(_unsafeStart: start, count: byteCount)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    /// The samples of a plane, from its first to the end of its last row, to write.
    ///
    /// - Parameter layout: Where the plane lies: ``FrameFormat/plane(_:)`` of the frame to be made.
    /// - Precondition: The plane lies inside the buffer.
    @_lifetime(&self)
    public mutating func plane(_ layout: PlaneLayout) -> MutableSpan<UInt8> {
        precondition(
            layout.offset >= 0 && layout.byteCount >= 0 && layout.byteCount <= byteCount
                && layout.offset <= byteCount - layout.byteCount,
            "a plane of \(layout.byteCount) bytes at \(layout.offset) in a buffer of \(byteCount)")
        let start = unsafe (lease.start + layout.offset).assumingMemoryBound(to: UInt8.self)
        let span = unsafe MutableSpan(_unsafeStart: start, count: layout.byteCount)
        return unsafe _overrideLifetime(span, mutating: &self)
    }

    /// The same bytes for a C function: valid inside `body`.
    @unsafe public mutating func withUnsafeMutableBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeMutableRawBufferPointer(start: lease.start, count: byteCount))
    }

    /// Makes the bytes a Frame, which never changes again.
    ///
    /// - Parameters:
    ///   - format: The picture's shape; `byteCount` must hold all of its planes.
    ///   - usedBytes: How many of the bytes are used, for compressed pictures; nil = all.
    ///   - captureTime: When the picture was taken.
    ///   - sequence: The source's own number of the picture.
    /// - Throws: `invalidArgument` if the format needs more bytes.
    public consuming func makeFrame(
        format: FrameFormat, usedBytes: Int? = nil, captureTime: CaptureTime? = nil, sequence: UInt64 = 0
    ) throws(FrameStreamingError) -> Frame {
        let used = usedBytes ?? byteCount
        guard used <= byteCount, used >= max(format.byteCount, 1) else {
            throw FrameStreamingError(
                .invalidArgument,
                "\(format) needs \(max(format.byteCount, 1)) bytes, but the buffer has \(used) of \(byteCount)")
        }
        return Frame(lease: lease, byteCount: used, format: format, captureTime: captureTime, sequence: sequence)
    }
}
