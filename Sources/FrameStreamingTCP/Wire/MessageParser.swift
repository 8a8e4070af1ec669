internal import FrameStreamingCore

/// Parses messages, however the bytes are split into reads. It has no I/O, and checks every length
/// before memory is allocated for it.
struct MessageParser {
    /// What was parsed.
    enum Event: Hashable {
        case message(WireMessage)
        /// A frame begins. The next `imageBytes` bytes of the input are its image, which the caller
        /// takes.
        case frame(FrameHeader, metadata: [UInt8], imageBytes: Int)
    }

    private enum Step: Hashable {
        case prefix
        case header(WireType)
        /// Header bytes of a later version, which are ignored.
        case laterHeader(WireType, left: Int)
        case payload(WireType, count: Int)
        /// A message that is unknown and not critical.
        case unknown(left: Int)
    }

    private let allowed: WireTypeSet
    private let maximumFrameByteCount: Int
    private var step = Step.prefix
    private var prefix = WirePrefix(.hello, payloadLength: 0)
    private var collected: [UInt8] = []
    private var header: [UInt8] = []
    private var frameHeader: FrameHeader?
    /// The last frame's format. Nearly all frames of a stream have the same.
    private(set) var format: FrameFormat?

    /// - Parameter allowed: The types that are expected. Other known types violate the protocol.
    init(allowed: WireTypeSet, maximumFrameByteCount: Int) {
        self.allowed = allowed
        self.maximumFrameByteCount = maximumFrameByteCount
        collected.reserveCapacity(256)
        header.reserveCapacity(128)
    }

    /// Whether part of a message was taken.
    var isInMessage: Bool { step != .prefix || !collected.isEmpty }

    /// Takes bytes from `input` until a message is complete; nil if more are needed, and then the
    /// input is empty.
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

    /// Parses a short message that is complete in `input`, which is the usual case, without copying
    /// it first.
    ///
    /// - Returns: Nil if only the prefix could be taken.
    private mutating func takeWhole(from input: inout InputBuffer) throws(FrameStreamingError) -> WireMessage? {
        prefix = try WirePrefix(unmarshal: input.bytes(0..<WirePrefix.length))
        step = try stepAfterPrefix()
        let payload = WirePrefix.length + prefix.headerLength
        guard case .header(let type) = step, type != .frame, input.count >= payload + prefix.payloadLength else {
            _ = input.drop(upTo: WirePrefix.length)
            return nil
        }
        // Further header bytes are of a later version.
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

    /// Refuses a known type that is not expected, and a byte that begins no message, as soon as it
    /// is seen.
    private func check(_ first: UInt8) throws(FrameStreamingError) {
        guard first >= 0x80 else { throw .violation("a message cannot begin with the byte \(first)") }
        if let type = WireType(rawValue: first), !allowed.contains(type) {
            throw .violation("\(type) is not expected now")
        }
    }

    private func stepAfterPrefix() throws(FrameStreamingError) -> Step {
        guard let type = WireType(rawValue: prefix.type) else {
            // In a handshake every message is needed.
            guard !prefix.isCritical, allowed.contains(.frame) else {
                throw .violation("the message \(prefix.type) is unknown and critical")
            }
            try check(payloadLength: maximumFrameByteCount + Frame.maximumMetadataByteCount, isFrame: true)
            return .unknown(left: prefix.headerLength + prefix.payloadLength)
        }
        guard prefix.headerLength >= type.headerLength else {
            throw .violation("\(type) with a header of \(prefix.headerLength) bytes instead of \(type.headerLength)")
        }
        try check(
            payloadLength: type == .frame
                ? maximumFrameByteCount + Frame.maximumMetadataByteCount : WirePrefix.largestControlPayload,
            isFrame: type == .frame)
        return .header(type)
    }

    private func check(payloadLength limit: Int, isFrame: Bool) throws(FrameStreamingError) {
        guard prefix.payloadLength <= limit else {
            let remedy = isFrame ? ": \(FrameStreamingError.raiseLimit)" : ", which the protocol sets"
            throw FrameStreamingError(
                .limitExceeded,
                "the peer announced a message of \(prefix.payloadLength) bytes, and the limit is \(limit)\(remedy)",
                limit: isFrame ? .frameBytes : .lengths)
        }
    }

    /// The payload bytes to collect here: of FRAME only the metadata.
    private mutating func payloadToCollect(_ type: WireType) throws(FrameStreamingError) -> Int {
        guard type == .frame else { return prefix.payloadLength }
        let frame = try FrameHeader(header: header[...])
        let imageBytes = prefix.payloadLength - frame.metadataLength
        guard imageBytes <= maximumFrameByteCount else {
            throw FrameStreamingError(
                .limitExceeded,
                "the peer announced an image of \(imageBytes) bytes, and the limit is \(maximumFrameByteCount): \(FrameStreamingError.raiseLimit)",
                limit: .frameBytes)
        }
        // Throws unless the image has the size that its format needs.
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
