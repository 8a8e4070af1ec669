internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The reading side of a binary connection: bytes in any cuts become messages, and images land in the pool.
///
/// Not for two threads at once: ConnectionState gives the turn to read to one at a time, which is why this may say that it is Sendable.
final class BinaryReader: @unchecked Sendable {
    /// What was read: a message, or a frame for the owner, with its number.
    enum Item {
        case message(WireMessage)
        case frame(Message, sequence: UInt64)
        /// A frame that nobody takes any more, and for which there was no memory.
        case dropped(sequence: UInt64)
    }

    // All of it in one property: the runtime checks each access to a class's own for others at the same time.
    fileprivate var reading: BinaryReading

    /// - Parameter admission: Nil for a side to which no frames come.
    init(
        _ channel: Channel, _ writer: MessageWriter, input: InputBuffer, pool: FramePool, options: TCPOptions,
        admission: FrameAdmission?
    ) {
        reading = BinaryReading(channel, writer, input: input, pool: pool, options: options, admission: admission)
    }

    /// The next message; what came of one is kept when the deadline passes.
    ///
    /// - Parameter takesFrames: Whether frames may come at all: told before memory is taken for one.
    func next(until limit: Deadline, takesFrames: Bool) throws(FrameStreamingError) -> Item {
        try reading.next(until: limit, takesFrames: takesFrames)
    }
}

extension BinaryReader {
    /// The next message that has come, for the side that sends frames; nil when more must come first.
    ///
    /// - Parameter mayRead: Whether the socket may be read, which is done once and without waiting.
    func nextArrived(_ mayRead: inout Bool) throws(FrameStreamingError) -> WireMessage? {
        try reading.nextArrived(&mayRead)
    }

    /// By when more of the message that has begun must have come; nil while none has.
    var due: MonotonicTime? { reading.watch.due }

    /// Whether a frame has been announced and is not read, for there was no memory: the peer is not heard meanwhile, and not to blame.
    var waitsForMemory: Bool { reading.waitsForMemory }
}

/// What was read so far, and from where.
private struct BinaryReading: ~Copyable {
    private let channel: Channel
    private let writer: MessageWriter
    private let pool: FramePool
    private var input: InputBuffer
    private var parser: MessageParser
    private(set) var watch: ReadStallMonitor
    private let admission: FrameAdmission?
    private var image: IncomingImage?
    /// What becomes of the image behind `header`.
    private enum ImageStep {
        /// There may not be memory for it yet.
        case announced
        case reading
        /// So many bytes are still to be read and dropped.
        case dropping(left: Int)
    }
    private var step = ImageStep.announced
    private var header: FrameHeader?
    private var imageBytes = 0
    private var metadata: [UInt8] = []

    init(
        _ channel: Channel, _ writer: MessageWriter, input: InputBuffer, pool: FramePool, options: TCPOptions,
        admission: FrameAdmission?
    ) {
        self.admission = admission
        self.channel = channel
        self.writer = writer
        self.input = input
        self.pool = pool
        parser = MessageParser(allowed: .afterHandshake, maximumFrameBytes: options.maximumFrameBytes)
        watch = ReadStallMonitor(options.progressLimits)
    }

    mutating func next(until limit: Deadline, takesFrames: Bool) throws(FrameStreamingError) -> BinaryReader.Item {
        while true {
            if let header {
                if case .announced = step { try admit(until: limit) }
                if case .dropping = step { return try drop(header, until: limit) }
                try image?.complete(with: &input, from: channel, until: limit, watching: &watch, driving: writer)
                return try finish(header)
            }
            switch try parser.take(from: &input) {
            case nil: break
            case .message(let message):
                watch.end()
                return .message(message)
            case .frame(let header, let metadata, let imageBytes):
                guard takesFrames else { throw .violation("a frame to the side that sends them") }
                watch.begin()
                self.header = header
                self.metadata = metadata
                self.imageBytes = imageBytes
                step = .announced
                continue
            }
            if parser.isInMessage { watch.begin() } else { watch.end() }
            try input.fill(from: channel, until: limit, watching: &watch, driving: writer)
        }
    }

    var waitsForMemory: Bool {
        guard header != nil, case .announced = step else { return false }
        return true
    }

    /// Has memory for the image, or has it dropped.
    private mutating func admit(until limit: Deadline) throws(FrameStreamingError) {
        if let admission, !admission.admitsAtOnce(imageBytes + metadata.count) {
            // That it is not read is this side's doing, and not the peer's.
            watch.end()
            let verdict = try admission.admit(imageBytes + metadata.count, until: limit)
            watch.begin()
            if verdict == .dropped {
                step = .dropping(left: imageBytes)
                return
            }
        }
        step = .reading
        image = IncomingImage(byteCount: imageBytes, from: pool)
    }

    private mutating func drop(
        _ header: FrameHeader, until limit: Deadline
    ) throws(FrameStreamingError) -> BinaryReader.Item {
        while case .dropping(let left) = step, left > 0 {
            if input.isEmpty { try input.fill(from: channel, until: limit, watching: &watch, driving: writer) }
            step = .dropping(left: left - input.drop(upTo: left))
        }
        watch.end()
        self.header = nil
        metadata = []
        return .dropped(sequence: header.info.sequence)
    }

    mutating func nextArrived(_ mayRead: inout Bool) throws(FrameStreamingError) -> WireMessage? {
        while true {
            switch try parser.take(from: &input) {
            case nil: break
            case .message(let message):
                watch.end()
                return message
            case .frame: throw .violation("a frame to the side that sends them")
            }
            if parser.isInMessage { watch.begin() } else { watch.end() }
            guard mayRead else { return nil }
            mayRead = false
            guard try input.fillArrived(from: channel, watching: &watch) else { return nil }
        }
    }

    private mutating func finish(_ header: FrameHeader) throws(FrameStreamingError) -> BinaryReader.Item {
        guard let image = image.take() else { throw .violation("a frame without an image") }
        watch.end()
        self.header = nil
        // The parser made it, and parses nothing before the image is whole.
        guard let format = parser.format else { throw .violation("a frame without a shape") }
        var frame = try image.makeFrame(
            format: format, captureTime: header.captureTime,
            sequence: header.sourceSequence)
        frame.sourceColorRange = header.sourceColorRange ?? frame.format.colorRange
        frame.quality = header.quality
        swap(&frame.metadata, &metadata)
        metadata = []
        var info = header.info
        info.arrivalTime = .now
        return .frame(.frame(frame, info), sequence: info.sequence)
    }
}
