internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A receiver with the text handshake: it reads a header, sends `ok`, reads a JPEG, and sends `ok`
/// when the JPEG was consumed.
final class TextReceiverConnection: Connection {
    private let channel: Channel
    private let writer: MessageWriter
    private let state = ConnectionState()
    private let reader: TextReader
    let holdBacks: HoldBacks?

    /// - Parameter listens: Whether the peer came to this side's port.
    init(
        _ channel: Channel, _ writer: MessageWriter, input: InputBuffer, receiving: TCPReceiverOptions,
        options: TCPOptions, listens: Bool
    ) {
        self.channel = channel
        self.writer = writer
        // For a frame that the consumer uses, one that is being read, and one that the consumer
        // keeps.
        let pool = receiving.pool ?? FramePool(capacity: 3)
        let holdBacks = HoldBacks()
        self.holdBacks = holdBacks
        reader = TextReader(
            channel, writer, state, input: input, pool: pool,
            parser: TextHeaderParser(maximumFrameByteCount: receiving.maximumFrameByteCount, listens: listens),
            stallMonitor: ReadStallMonitor(
                options.progressLimits, rate: receiving.maximumByteRate, holdBacks: holdBacks))
    }

    var goodbye: Goodbye? { state.look { $0.goodbye } }

    /// Sends the second `ok` of a frame, whatever its outcome: the text handshake has no other
    /// answer.
    func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
        if case .request = message {
            throw FrameStreamingError(
                .unsupported, "the text handshake has no requests: use the binary handshake", subject: channel.address)
        }
        guard case .acknowledgement(let acknowledgement) = message else {
            throw FrameStreamingError(.invalidArgument, "the receiver of a connection sends acknowledgements only")
        }
        let (received, acknowledged) = state.look { ($0.received, $0.acknowledged) }
        guard acknowledgement.sequence == acknowledged + 1, acknowledgement.sequence <= received else {
            throw FrameStreamingError(
                .invalidArgument,
                "frame \(acknowledgement.sequence) cannot be acknowledged after frame \(acknowledged) of \(received): acknowledge each frame once, in order"
            )
        }
        do throws(FrameStreamingError) {
            try writer.enqueue(MessageWriter.Outgoing(TextSenderMachine.receipt))
        } catch {
            // The thread in `receive` may be waiting for this acknowledgement, and not for the
            // socket.
            state.fail(error)
            throw error
        }
        state.change { $0.acknowledged = acknowledgement.sequence }
    }

    func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
        try state.reading(until: deadline) { (turn: borrowing ReadingTurn) throws(FrameStreamingError) in
            do throws(FrameStreamingError) {
                return try reader.next(turn, until: deadline)
            } catch {
                throw writer.cause(of: error)
            }
        }
    }

    /// Closes the connection. The sender's `over` needs no answer, and a receiver that ends first
    /// has no goodbye.
    func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
        defer { close() }
        guard !state.look({ $0.isClosed }) else { throw .closedConnection }
        channel.shutdownWriting()
        if state.look({ $0.goodbye != nil }) { state.drain(channel, writer, until: deadline) }
    }

    func close() {
        channel.close()
        state.change { $0.isClosed = true }
        writer.close()
    }
}

/// Reads headers and JPEGs, however the bytes are split into reads.
///
/// It is Sendable without a lock, because only the thread with the turn to read uses it.
private final class TextReader: @unchecked Sendable {
    private enum Step { case header, announced(Int), image }

    private let channel: Channel
    private let writer: MessageWriter
    private let state: ConnectionState
    private let pool: FramePool
    private var input: InputBuffer
    private var parser: TextHeaderParser
    private var stallMonitor: ReadStallMonitor
    private var step = Step.header
    private var image: IncomingImage?

    init(
        _ channel: Channel, _ writer: MessageWriter, _ state: ConnectionState, input: InputBuffer, pool: FramePool,
        parser: TextHeaderParser, stallMonitor: ReadStallMonitor
    ) {
        self.channel = channel
        self.writer = writer
        self.state = state
        self.input = input
        self.pool = pool
        self.parser = parser
        self.stallMonitor = stallMonitor
    }

    /// The next frame; nil after `over`.
    func next(_ turn: borrowing ReadingTurn, until limit: Deadline) throws(FrameStreamingError) -> Message? {
        while true {
            switch step {
            case .header:
                switch try parser.take(from: &input) {
                case .over:
                    state.change { $0.goodbye = "over" }
                    return nil
                case .header(let imageBytes):
                    // The image's time begins with the `ok` that asks for it.
                    stallMonitor.end()
                    step = .announced(imageBytes)
                case nil:
                    if parser.isInMessage { stallMonitor.begin() }
                    try input.fill(from: channel, until: limit, watching: &stallMonitor, driving: writer)
                }
            case .announced(let imageBytes):
                // The first `ok` means that the frame before was consumed.
                try state.wait(until: limit, for: "the frame before to be acknowledged") { state -> Void? in
                    state.acknowledged == state.received ? () : nil
                }
                try writer.enqueue(MessageWriter.Outgoing(TextSenderMachine.receipt))
                image = IncomingImage(byteCount: imageBytes, from: pool)
                stallMonitor.begin()
                step = .image
            case .image:
                try image?.complete(with: &input, from: channel, until: limit, watching: &stallMonitor, driving: writer)
                stallMonitor.end()
                step = .header
                return try delivered()
            }
        }
    }

    private func delivered() throws(FrameStreamingError) -> Message? {
        guard var image = image.take() else { throw .textViolation("a frame without an image") }
        // A frame without a size is broken. It is delivered as 1x1, so that the decoder reports it
        // and the stream goes on.
        let size = image.withBytes { jpegSize($0) } ?? (width: 1, height: 1)
        let format = try FrameFormat(width: size.width, height: size.height, pixelFormat: .jpeg)
        var number: UInt64 = 0
        state.change { state in
            state.received += 1
            number = state.received
        }
        let frame = try image.makeFrame(format: format, captureTime: nil, sequence: number)
        var info = FrameInfo(sequence: number)
        info.arrivalTime = .now
        return .frame(frame, info)
    }
}
