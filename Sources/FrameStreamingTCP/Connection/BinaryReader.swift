internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The reading side of a binary connection: bytes in any cuts become messages, and images land in the pool.
///
/// Not for two threads at once: Lifecycle gives the turn to read to one at a time, which is why this may say that it is Sendable.
final class BinaryReader: @unchecked Sendable {
    /// What was read: a message, or a frame.
    enum Item {
        case message(WireMessage)
        case frame(Frame, FrameInfo)
    }

    private let channel: Channel
    private let outbox: Outbox
    private let pool: FramePool
    private var input: InputBuffer
    private var parser: MessageParser
    private var deadline: MessageDeadline
    private var image: IncomingImage?
    private var header: FrameHeader?
    private var metadata: [UInt8] = []

    init(_ channel: Channel, _ outbox: Outbox, input: InputBuffer, pool: FramePool, options: TCPOptions) {
        self.channel = channel
        self.outbox = outbox
        self.input = input
        self.pool = pool
        parser = MessageParser(allowed: .afterHandshake, maximumFrameBytes: options.maximumFrameBytes)
        deadline = MessageDeadline(options.messageTimeout)
    }

    /// The next message; what came of one is kept when the deadline passes.
    ///
    /// - Parameter takesFrames: Whether frames may come at all: told before memory is taken for one.
    func next(
        until limit: Deadline, takesFrames: Bool
    ) throws(FrameStreamingError) -> Item {
        while true {
            if let header {
                guard try fillImage(until: limit) else { throw .ended(channel.address) }
                return try finish(header)
            }
            if !input.isEmpty { deadline.begin() }
            switch try parser.take(from: &input) {
            case nil: break
            case .message(let message):
                deadline.end()
                return .message(message)
            case .frame(let header, let metadata, let imageBytes):
                guard takesFrames else { throw .violation("a frame to the side that sends them") }
                image = IncomingImage(byteCount: imageBytes, from: pool)
                self.header = header
                self.metadata = metadata
                continue
            }
            if !parser.isInMessage { deadline.end() }
            let until = deadline.bounding(limit)
            let count: Int
            do throws(FrameStreamingError) {
                count = try input.fill { bytes throws(FrameStreamingError) in
                    try channel.read(into: &bytes, until: until, driving: outbox)
                }
            } catch {
                throw deadline.meaning(of: error, address: channel.address)
            }
            guard count > 0 else { throw .ended(channel.address) }
        }
    }

    /// Reads until the image is whole; false when the peer's bytes end before.
    private func fillImage(until limit: Deadline) throws(FrameStreamingError) -> Bool {
        let until = deadline.bounding(limit)
        while image?.isComplete == false {
            if !input.isEmpty {
                image?.take(from: &input)
                continue
            }
            do throws(FrameStreamingError) {
                if try image?.read(from: channel, until: until, driving: outbox) == 0 { return false }
            } catch {
                throw deadline.meaning(of: error, address: channel.address)
            }
        }
        return true
    }

    private func finish(_ header: FrameHeader) throws(FrameStreamingError) -> Item {
        guard let image = image.take() else { throw .violation("a frame without an image") }
        deadline.end()
        self.header = nil
        let format = try header.format(imageBytes: image.byteCount)
        var frame = try image.makeFrame(
            format: format, captureTime: header.captureTime,
            sequence: header.sourceSequence)
        frame.sourceColorRange = header.sourceColorRange ?? frame.format.colorRange
        frame.quality = header.quality
        swap(&frame.metadata, &metadata)
        metadata = []
        var info = header.info
        info.arrivalTime = .now
        return .frame(frame, info)
    }
}
