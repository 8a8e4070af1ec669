internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Cuts the bytes of a binary connection into messages, and reads images into the pool's buffers.
///
/// It is Sendable without a lock, because only the thread with the turn to read uses it.
final class BinaryReader: @unchecked Sendable {
    /// What was read.
    enum Item {
        case message(WireMessage)
        case frame(Message, isFirst: Bool)
        /// A frame for which there was no memory, after this side had said goodbye.
        case dropped
    }

    // All state is in one property: the runtime checks each access to a property of a class for
    // exclusivity.
    private var reading: BinaryReading

    /// - Parameter admission: Nil for a side that receives no frames.
    init(
        _ channel: Channel, _ writer: MessageWriter, input: InputBuffer, role: TCPRole, options: TCPOptions,
        holdBacks: HoldBacks?, admission: FrameAdmission?
    ) {
        reading = BinaryReading(
            channel, writer, input: input, role: role, options: options, holdBacks: holdBacks, admission: admission)
    }

    /// The next message. When the deadline passes, the part that has arrived is kept.
    ///
    /// - Parameter takesFrames: Whether this side receives frames. Checked before memory is taken
    ///   for one.
    func next(
        _ turn: borrowing ReadingTurn, until limit: Deadline, takesFrames: Bool
    ) throws(FrameStreamingError) -> Item {
        try reading.next(until: limit, takesFrames: takesFrames)
    }

    /// The next message that has arrived, for the side that sends frames; nil when more bytes must
    /// arrive first.
    ///
    /// - Parameter mayRead: Whether the socket may be read, which is done once and without waiting.
    func nextArrived(
        _ turn: borrowing ReadingTurn, _ mayRead: inout Bool
    ) throws(FrameStreamingError) -> WireMessage? {
        try reading.nextArrived(&mayRead)
    }

    /// When more of the message that has begun must have arrived; nil if none has begun.
    func due(_ turn: borrowing ReadingTurn) -> MonotonicTime? { reading.stallMonitor.due }

    /// Whether a frame was announced and is not read, because there is no memory for it. The peer
    /// is not heard meanwhile.
    func waitsForMemory(_ turn: borrowing ReadingTurn) -> Bool { reading.waitsForMemory }
}

/// What was read so far.
private struct BinaryReading: ~Copyable {
    /// What happens to the image behind `header`.
    private enum ImageStep {
        /// There may be no memory for it yet.
        case announced
        case reading
        /// `left` bytes are still to be read and dropped.
        case dropping(left: Int)
    }

    private let channel: Channel
    private let writer: MessageWriter
    private let pool: FramePool
    private var admission: FrameAdmission?
    private var input: InputBuffer
    private var parser: MessageParser
    private(set) var stallMonitor: ReadStallMonitor
    private var image: IncomingImage?
    private var step = ImageStep.announced
    private var header: FrameHeader?
    private var imageBytes = 0
    private var metadata: [UInt8] = []

    init(
        _ channel: Channel, _ writer: MessageWriter, input: InputBuffer, role: TCPRole, options: TCPOptions,
        holdBacks: HoldBacks?, admission: FrameAdmission?
    ) {
        self.channel = channel
        self.writer = writer
        self.input = input
        self.admission = admission
        let receiving = role.receiving
        // For the frames that the credit permits, one that is being read, and one that the consumer
        // uses.
        pool =
            receiving.pool
            ?? FramePool(
                capacity: Int(clamping: min(receiving.creditAhead, 62)) + 2,
                maximumKeptByteCount: receiving.maximumFrameByteCount)
        parser = MessageParser(allowed: .afterHandshake, maximumFrameByteCount: receiving.maximumFrameByteCount)
        stallMonitor = ReadStallMonitor(
            options.progressLimits, rate: receiving.maximumByteRate, holdBacks: holdBacks)
    }

    mutating func next(until limit: Deadline, takesFrames: Bool) throws(FrameStreamingError) -> BinaryReader.Item {
        while true {
            if let header {
                if case .announced = step { try admit(until: limit) }
                if case .dropping = step { return try drop(until: limit) }
                try image?.complete(with: &input, from: channel, until: limit, watching: &stallMonitor, driving: writer)
                return try finish(header)
            }
            switch try parser.take(from: &input) {
            case nil: break
            case .message(let message):
                stallMonitor.end()
                return .message(message)
            case .frame(let header, let metadata, let imageBytes):
                guard takesFrames else { throw .violation("a frame to the side that sends frames") }
                stallMonitor.begin()
                self.header = header
                self.metadata = metadata
                self.imageBytes = imageBytes
                step = .announced
                continue
            }
            if parser.isInMessage { stallMonitor.begin() } else { stallMonitor.end() }
            try input.fill(from: channel, until: limit, watching: &stallMonitor, driving: writer)
        }
    }

    var waitsForMemory: Bool {
        guard header != nil, case .announced = step else { return false }
        return true
    }

    /// Takes memory for the image, or decides to drop it.
    private mutating func admit(until limit: Deadline) throws(FrameStreamingError) {
        if admission?.admitsAtOnce(imageBytes + metadata.count) == false {
            // The peer is not to blame while this side does not read.
            stallMonitor.end()
            let verdict = try admission?.admit(imageBytes + metadata.count, until: limit)
            stallMonitor.begin()
            if verdict == .dropped {
                step = .dropping(left: imageBytes)
                return
            }
        }
        step = .reading
        image = IncomingImage(byteCount: imageBytes, from: pool)
    }

    private mutating func drop(until limit: Deadline) throws(FrameStreamingError) -> BinaryReader.Item {
        while case .dropping(let left) = step, left > 0 {
            if input.isEmpty { try input.fill(from: channel, until: limit, watching: &stallMonitor, driving: writer) }
            step = .dropping(left: left - input.drop(upTo: left))
        }
        stallMonitor.end()
        header = nil
        metadata = []
        return .dropped
    }

    mutating func nextArrived(_ mayRead: inout Bool) throws(FrameStreamingError) -> WireMessage? {
        while true {
            switch try parser.take(from: &input) {
            case nil: break
            case .message(let message):
                stallMonitor.end()
                return message
            case .frame: throw .violation("a frame to the side that sends frames")
            }
            if parser.isInMessage { stallMonitor.begin() } else { stallMonitor.end() }
            guard mayRead else { return nil }
            mayRead = false
            guard try input.fillArrived(from: channel, watching: &stallMonitor) else { return nil }
        }
    }

    private mutating func finish(_ header: FrameHeader) throws(FrameStreamingError) -> BinaryReader.Item {
        guard let image = image.take() else { throw .violation("a frame without an image") }
        stallMonitor.end()
        self.header = nil
        // The parser has set it, and parses nothing more before the image is complete.
        guard let format = parser.format else { throw .violation("a frame without a shape") }
        var frame = try image.makeFrame(
            format: format, captureTime: header.captureTime,
            sequence: header.sourceSequence)
        frame.sourceColorRange = header.sourceColorRange ?? frame.format.colorRange
        frame.quality = header.quality
        // Raw pictures and JPEGs stand alone, whatever the peer claims.
        frame.dependsOnPrevious =
            header.dependsOnPrevious && frame.format.planeCount == 0 && frame.format.pixelFormat != .jpeg
        if !header.relays.isEmpty { frame.relays = header.relays }
        swap(&frame.metadata, &metadata)
        metadata = []
        var info = header.info
        info.arrivalTime = .now
        return .frame(.frame(frame, info), isFirst: info.sequence == 1)
    }
}
