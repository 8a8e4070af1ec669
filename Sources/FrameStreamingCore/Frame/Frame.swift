/// One picture: its shape, when it was taken, and bytes that it leases from a pool or a camera.
///
/// It is cheap to copy and to share between threads: copies share the bytes, which never change.
/// The lease ends when the last copy is gone, so keep a Frame only as long as it is used. To keep
/// one for longer, use ``copy(from:)``.
public struct Frame: Sendable {
    /// Behind one reference, because a Frame is passed on often, and each copy would
    /// take 250 bytes and two references.
    private var body: FrameBody

    var lease: BufferLease { body.lease }

    /// The number of used bytes.
    public var byteCount: Int { body.byteCount }

    /// Size, pixel format, planes, colour.
    public var format: FrameFormat { body.format }

    /// When the frame was captured, on the clock that `CaptureTime.clock` names, of
    /// the machine that captured it; nil = not known.
    /// ``ReceivedFrame/localCaptureTime`` is the same moment here.
    public var captureTime: CaptureTime? {
        get { body.description.captureTime }
        set { own().description.captureTime = newValue }
    }

    /// The source's own number: gaps are pictures that the source lost.
    public var sequence: UInt64 {
        get { body.description.sequence }
        set { own().description.sequence = newValue }
    }

    /// The colour range of the source's picture. A JPEG is full range, whatever it was made from,
    /// and a video recorder restores the original range.
    public var sourceColorRange: ColorRange {
        get { body.description.sourceColorRange }
        set { own().description.sourceColorRange = newValue }
    }

    /// The JPEG quality it was encoded with, 1...100; nil = not known or not compressed.
    public var quality: Int? {
        get { body.description.quality }
        set { own().description.quality = newValue }
    }

    /// Whether it can only be decoded after the frame before it: a compressed frame of a codec with
    /// memory (``FrameCodec/hasMemory``) that is no key frame.
    public var dependsOnPrevious: Bool {
        get { body.description.dependsOnPrevious }
        set { own().description.dependsOnPrevious = newValue }
    }

    /// Whether the codec decoded it in spite of warnings: the compressed frame is cut or damaged, or
    /// breaks the standard, and part of the picture may be gray or displaced. It is not sent.
    public var hasDecodeWarnings: Bool {
        get { body.description.hasDecodeWarnings }
        set { own().description.hasDecodeWarnings = newValue }
    }

    /// The turn that makes the picture upright. A decoder sets it from the EXIF orientation of the
    /// JPEG, which ``turned(_:from:)`` and the encoder of `JPEGCodec` honour. It is not sent: a JPEG
    /// carries its orientation itself.
    public var uprightTurn: PictureTurn {
        get { body.description.uprightTurn }
        set { own().description.uprightTurn = newValue }
    }

    /// The numbers of the relays that it has passed through, the first one first; empty = it comes
    /// straight from its sender. A ``FrameRelay`` adds its own.
    public package(set) var relays: [UInt64] {
        get { body.description.relays }
        set { own().description.relays = newValue }
    }

    /// The most ``relays`` of a frame. Whoever would be the next takes it for a loop.
    public static let maximumRelayCount = 16

    /// Bytes of the user that are sent with the picture, at most 64 KiB.
    public var metadata: [UInt8] {
        get { body.description.metadata }
        set { own().description.metadata = newValue }
    }

    /// The largest ``metadata`` in bytes.
    public static let maximumMetadataByteCount = 65_536

    /// Throws `invalidArgument` if ``metadata`` has more bytes than can be sent.
    package func checkMetadata() throws(FrameStreamingError) {
        guard metadata.count <= Self.maximumMetadataByteCount else {
            throw FrameStreamingError(
                .invalidArgument,
                "metadata must have at most \(Self.maximumMetadataByteCount) bytes, not \(metadata.count)")
        }
    }

    init(lease: BufferLease, byteCount: Int, format: FrameFormat, captureTime: CaptureTime?, sequence: UInt64) {
        let description = FrameDescription(
            captureTime: captureTime, sequence: sequence, sourceColorRange: format.colorRange)
        body = FrameBody(lease, byteCount, format, description)
    }

    /// Returns a body that only this copy has, so that it may be changed.
    private mutating func own() -> FrameBody {
        if !isKnownUniquelyReferenced(&body) {
            body = FrameBody(body.lease, body.byteCount, body.format, body.description)
        }
        return body
    }

    /// The picture's bytes.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            // The address by itself: a span made from the property as it is read
            // crashes the optimiser of Swift 6.3.1.
            let start = unsafe UnsafeRawPointer(lease.start)
            let span = unsafe RawSpan(_unsafeStart: start, byteCount: byteCount)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The frame's bytes as samples: planes one after another, as ``format`` lays them out. Of a
    /// compressed frame, its bytes.
    public var samples: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let start = unsafe UnsafeRawPointer(lease.start).assumingMemoryBound(to: UInt8.self)
            let span = unsafe Span(_unsafeStart: start, count: byteCount)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// A plane: its samples, and how they are laid out.
    ///
    /// - Precondition: `0 <= index < format.planeCount`.
    @_lifetime(borrow self)
    public func plane(_ index: Int) -> FramePlane {
        let layout = format.plane(index)
        let start = unsafe UnsafeRawPointer(lease.start + layout.offset)
            .assumingMemoryBound(to: UInt8.self)
        let span = unsafe Span(_unsafeStart: start, count: layout.byteCount)
        return FramePlane(unsafe _overrideLifetime(span, borrowing: self), layout: layout)
    }

    /// The same bytes for a C function: valid inside `body`, and not to be written.
    @unsafe public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: lease.start, count: byteCount))
    }

    /// The same picture in memory of its own, so that a camera or a pool gets its buffer back.
    ///
    /// - Parameter pool: The pool that provides the memory; nil = no pool.
    public func copy(from pool: FramePool? = nil) -> Frame {
        let target = pool?.buffer(byteCount: byteCount).lease ?? BufferLease(unpooledBytes: byteCount)
        unsafe target.start.copyMemory(from: lease.start, byteCount: byteCount)
        var result = Frame(
            lease: target, byteCount: byteCount, format: format, captureTime: captureTime, sequence: sequence)
        result.takeDescription(of: self)
        return result
    }

    /// Copies the description of `other`, without its bytes: for a codec, whose result is
    /// the same picture in another form.
    public mutating func takeDescription(of other: Frame) { own().description = other.body.description }

    /// Whether both lease the same bytes, without a copy between them.
    public func sharesBytes(with other: Frame) -> Bool { lease === other.lease }
}
