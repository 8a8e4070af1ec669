internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A sender with the text handshake: it sends a header, the JPEG after the first `ok`, and the next
/// frame after the second.
///
/// The thread in `receive` sends the JPEG when it reads the first `ok`.
final class TextSenderConnection: Connection {
    private struct Exchange {
        var machine: TextSenderMachine
        var frame: Frame?
        var sequence: UInt64 = 0
    }

    private let channel: Channel
    private let writer: MessageWriter
    private let state = ConnectionState()
    private let exchange: Monitor<Exchange>
    private let reader: ReceiptReader

    /// - Parameter listens: Whether the peer came to this side's port.
    init(_ channel: Channel, _ writer: MessageWriter, input: InputBuffer, options: TCPOptions, listens: Bool) {
        self.channel = channel
        self.writer = writer
        exchange = Monitor(Exchange(machine: TextSenderMachine(listens: listens)))
        reader = ReceiptReader(channel, writer, input: input, options: options)
    }

    var goodbye: Goodbye? { state.look { $0.goodbye } }
    var deliveredBytes: UInt64? { channel.deliveredBytes }

    /// Announces a JPEG, as soon as the one before was consumed. News of the source is not sent:
    /// the text handshake cannot express it.
    func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
        switch message {
        case .sourceLost, .sourceRestored, .requestAnswer: return
        case .request:
            throw FrameStreamingError(.invalidArgument, "the sender of a connection cannot make requests")
        case .acknowledgement:
            throw FrameStreamingError(.invalidArgument, "the sender of a connection cannot acknowledge")
        case .frame(let frame, let info):
            guard frame.format.pixelFormat == .jpeg else {
                throw FrameStreamingError(
                    .unsupported,
                    "the text handshake carries JPEG only, not \(frame.format.pixelFormat): choose a JPEG codec, or the binary handshake",
                    subject: channel.address)
            }
            let last = exchange.withLock { $0.sequence }
            guard info.sequence == last + 1 else {
                throw FrameStreamingError(
                    .invalidArgument,
                    "frame \(info.sequence) cannot follow frame \(last): frames are numbered without gaps")
            }
            try state.wait(until: deadline, for: "the frame before to be consumed") { state -> Void? in
                if state.awaitsReceipt { return nil }
                state.awaitsReceipt = true
                return ()
            }
            let header = exchange.withLock { exchange in
                exchange.sequence = info.sequence
                exchange.frame = frame
                return exchange.machine.announce(imageBytes: frame.byteCount)
            }
            try writer.enqueue(MessageWriter.Outgoing(header))
        }
    }

    func receive(until deadline: Deadline) throws(FrameStreamingError) -> Message? {
        try state.reading(until: deadline) { (turn: borrowing ReadingTurn) throws(FrameStreamingError) in
            do throws(FrameStreamingError) {
                return try next(turn, until: deadline)
            } catch {
                // After `over`, the end of the server's bytes is the expected end.
                if error.code == .endedWithoutGoodbye, state.look({ $0.hasSaidGoodbye }) { return nil }
                throw writer.cause(of: error)
            }
        }
    }

    private func next(
        _ turn: borrowing ReadingTurn, until deadline: Deadline
    ) throws(FrameStreamingError) -> Message {
        while true {
            let event = try reader.next(turn, until: deadline) { input throws(FrameStreamingError) in
                try exchange.withLock { exchange throws(FrameStreamingError) in try exchange.machine.take(from: &input)
                }
            }
            switch event {
            case .permitted:
                if let frame = exchange.withLock({ $0.frame }) {
                    try writer.enqueue(MessageWriter.Outgoing([], image: frame, imageBytes: frame.byteCount))
                }
            case .consumed:
                let sequence = exchange.withLock { exchange in
                    exchange.frame = nil
                    return exchange.sequence
                }
                state.change { $0.awaitsReceipt = false }
                return .acknowledgement(Acknowledgement(sequence: sequence, creditThrough: sequence + 1))
            }
        }
    }

    /// Sends `over`, alone, after the last `ok`. A sender that failed does not, because `over`
    /// would tell the server that it has everything. Without `over` the end is an error there.
    func finish(_ goodbye: Goodbye, until deadline: Deadline) throws(FrameStreamingError) {
        defer { close() }
        try state.await(until: deadline, for: "the last frame to be consumed", { !$0.awaitsReceipt }) {
            (turn: borrowing ReadingTurn) throws(FrameStreamingError) in
            try next(turn, until: deadline)
        }
        if goodbye.isFailure { return }
        state.change { $0.hasSaidGoodbye = true }
        try writer.send(.goodbye, until: deadline) { MessageWriter.Outgoing(TextSenderMachine.goodbye) }
        channel.shutdownWriting()
        state.drain(channel, writer, until: deadline)
        // Both sides have said everything, whether or not the server has closed: `receive` returns
        // nil.
        state.change { $0.isGoodbyeAnswered = true }
    }

    func close() {
        channel.close()
        state.change { $0.isClosed = true }
        writer.close()
    }
}

/// Reads the server's `ok`s, however the bytes are split into reads.
///
/// Only the thread with the turn to read uses it, so it is safe to mark it Sendable.
private final class ReceiptReader: @unchecked Sendable {
    private let channel: Channel
    private let writer: MessageWriter
    private var input: InputBuffer
    private var stallMonitor: ReadStallMonitor

    init(_ channel: Channel, _ writer: MessageWriter, input: InputBuffer, options: TCPOptions) {
        self.channel = channel
        self.writer = writer
        self.input = input
        stallMonitor = ReadStallMonitor(options.progressLimits)
    }

    func next(
        _ turn: borrowing ReadingTurn, until limit: Deadline,
        _ take: (inout InputBuffer) throws(FrameStreamingError) -> TextSenderMachine.Event?
    ) throws(FrameStreamingError) -> TextSenderMachine.Event {
        while true {
            let hasCome = !input.isEmpty
            if let event = try take(&input) {
                stallMonitor.end()
                return event
            }
            // Half an `ok` has arrived.
            if hasCome { stallMonitor.begin() }
            try input.fill(from: channel, until: limit, watching: &stallMonitor, driving: writer)
        }
    }
}
