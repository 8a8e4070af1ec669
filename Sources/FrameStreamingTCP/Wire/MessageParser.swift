internal import FrameStreamingCore

/// Finds messages in bytes that come in any cuts. No I/O, and nothing is allocated by a peer's number before it was checked.
struct MessageParser {
    /// What has been found.
    enum Event: Hashable {
        case message(WireMessage)
        /// A frame begins: the next `imageBytes` bytes of the input are its image, and the caller's to take.
        case frame(FrameHeader, metadata: [UInt8], imageBytes: Int)
    }

    private enum Step: Hashable {
        case prefix
        case header(WireType)
        /// Header bytes of a later version, which are passed over.
        case laterHeader(WireType, left: Int)
        case payload(WireType, count: Int)
        /// A message that is not known and not critical.
        case unknown(left: Int)
    }

    private let allowed: WireTypeSet
    private let maximumFrameBytes: Int
    private var step = Step.prefix
    private var prefix = WirePrefix(.hello, payloadLength: 0)
    private var collected: [UInt8] = []
    private var header: [UInt8] = []
    private var frameHeader: FrameHeader?
    /// The last frame's shape: pictures of a stream have the same one, mostly.
    private(set) var format: FrameFormat?

    /// - Parameter allowed: The types that may come now. Others that are known violate the protocol.
    init(allowed: WireTypeSet, maximumFrameBytes: Int) {
        self.allowed = allowed
        self.maximumFrameBytes = maximumFrameBytes
        collected.reserveCapacity(256)
        header.reserveCapacity(128)
    }

    /// Whether part of a message has come.
    var isInMessage: Bool { step != .prefix || !collected.isEmpty }

    /// Takes bytes from `input` until a message is complete; nil when more are needed, and then the input is empty.
    mutating func take(from input: inout InputBuffer) throws(FrameStreamingError) -> Event? {
        while true {
            switch step {
            case .prefix:
                if collected.isEmpty {
                    if let first = input.first { try check(first) }
                    if input.count >= WirePrefix.length {
                        if let message = try takeWhole(from: &input) { return .message(message) }
                        continue
                    }
                }
                guard collect(WirePrefix.length, from: &input) else { return nil }
                prefix = try WirePrefix(unmarshal: collected[...])
                collected.removeAll(keepingCapacity: true)
                step = try stepAfterPrefix()
            case .header(let type):
                let known = min(prefix.headerLength, type.longestHeader)
                guard collect(known, from: &input) else { return nil }
                swap(&collected, &header)
                collected.removeAll(keepingCapacity: true)
                step = .laterHeader(type, left: prefix.headerLength - known)
            case .laterHeader(let type, let left):
                let dropped = input.drop(upTo: left)
                guard dropped == left else {
                    step = .laterHeader(type, left: left - dropped)
                    return nil
                }
                step = .payload(type, count: try payloadToCollect(type))
            case .payload(let type, let count):
                guard collect(count, from: &input) else { return nil }
                let event = try event(of: type)
                collected.removeAll(keepingCapacity: true)
                step = .prefix
                return event
            case .unknown(let left):
                let dropped = input.drop(upTo: left)
                step = dropped == left ? .prefix : .unknown(left: left - dropped)
                if dropped < left { return nil }
            }
        }
    }

    /// The usual way of a short message, which has come whole: it is taken apart where it lies. Nil: it goes on behind the prefix, which
    /// has come.
    private mutating func takeWhole(from input: inout InputBuffer) throws(FrameStreamingError) -> WireMessage? {
        prefix = try WirePrefix(unmarshal: input.bytes(0..<WirePrefix.length))
        step = try stepAfterPrefix()
        let payload = WirePrefix.length + prefix.headerLength
        guard case .header(let type) = step, type != .frame, input.count >= payload + prefix.payloadLength else {
            _ = input.drop(upTo: WirePrefix.length)
            return nil
        }
        // What is longer is of a later version.
        let header = WirePrefix.length..<WirePrefix.length + min(prefix.headerLength, type.longestHeader)
        let message = try WireMessage(
            type, header: input.bytes(header), payload: input.bytes(payload..<payload + prefix.payloadLength))
        _ = input.drop(upTo: payload + prefix.payloadLength)
        step = .prefix
        return message
    }

    /// True as soon as `count` bytes are collected.
    private mutating func collect(_ count: Int, from input: inout InputBuffer) -> Bool {
        if count == 0 { return true }
        _ = input.move(upTo: count - collected.count, to: &collected)
        return collected.count == count
    }

    /// A known type that may not come now is told by its first byte; a type from below is no message at all.
    private func check(_ first: UInt8) throws(FrameStreamingError) {
        guard first >= 0x80 else { throw .violation("a message cannot begin with the byte \(first)") }
        if let type = WireType(rawValue: first), !allowed.contains(type) {
            throw .violation("\(type) may not come now")
        }
    }

    private func stepAfterPrefix() throws(FrameStreamingError) -> Step {
        guard let type = WireType(rawValue: prefix.type) else {
            // In a handshake, every message is needed.
            guard !prefix.isCritical, allowed.contains(.frame) else {
                throw .violation("the message \(prefix.type) is not known, but critical")
            }
            try check(payloadLength: maximumFrameBytes + Frame.largestMetadata, isFrame: true)
            return .unknown(left: prefix.headerLength + prefix.payloadLength)
        }
        guard prefix.headerLength >= type.headerLength else {
            throw .violation("\(type) with a header of \(prefix.headerLength) bytes instead of \(type.headerLength)")
        }
        try check(
            payloadLength: type == .frame
                ? maximumFrameBytes + Frame.largestMetadata : WirePrefix.largestControlPayload,
            isFrame: type == .frame)
        return .header(type)
    }

    private func check(payloadLength limit: Int, isFrame: Bool) throws(FrameStreamingError) {
        guard prefix.payloadLength <= limit else {
            let remedy = isFrame ? ": \(FrameStreamingError.raiseLimit)" : ", which is the protocol's"
            throw FrameStreamingError(
                .limitExceeded,
                "the peer announced a message of \(prefix.payloadLength) bytes, and the limit is \(limit)\(remedy)")
        }
    }

    /// Of FRAME only the metadata is collected here.
    private mutating func payloadToCollect(_ type: WireType) throws(FrameStreamingError) -> Int {
        guard type == .frame else { return prefix.payloadLength }
        let frame = try FrameHeader(header: header[...])
        let imageBytes = prefix.payloadLength - frame.metadataLength
        guard imageBytes <= maximumFrameBytes else {
            throw FrameStreamingError(
                .limitExceeded,
                "the peer announced an image of \(imageBytes) bytes, and the limit is \(maximumFrameBytes): \(FrameStreamingError.raiseLimit)"
            )
        }
        // Throws unless the image has the bytes that its shape needs.
        format = try frame.format(imageBytes: imageBytes, like: format)
        frameHeader = frame
        return frame.metadataLength
    }

    private mutating func event(of type: WireType) throws(FrameStreamingError) -> Event {
        guard let frame = frameHeader.take() else {
            guard let message = try WireMessage(type, header: header[...], payload: collected[...]) else {
                throw .violation("a frame without a header")
            }
            return .message(message)
        }
        return .frame(frame, metadata: collected, imageBytes: prefix.payloadLength - frame.metadataLength)
    }
}
