internal import FrameStreamingCore

/// The message types of protocol 1. All are above 0x7F, so that the first byte differs from a text
/// client's.
enum WireType: UInt8, CaseIterable {
    case hello = 0x81
    case welcome = 0x82
    case reject = 0x83
    case frame = 0x84
    case acknowledgement = 0x85
    case ping = 0x86
    case pong = 0x87
    case bye = 0x88
    case byeAcknowledgement = 0x89
    case sourceLost = 0x8A
    case sourceRestored = 0x8B
    case request = 0x8C
    case requestAnswer = 0x8D

    /// The length of the header in protocol 1. A later version may send more bytes, never fewer.
    var headerLength: Int {
        switch self {
        case .hello, .welcome: Hello.headerLength
        case .reject: Reject.headerLength
        case .frame: FrameHeader.length
        case .acknowledgement: Acknowledgement.headerLength
        case .ping: Ping.headerLength
        case .pong: Pong.headerLength
        case .bye: Bye.headerLength
        case .byeAcknowledgement: ByeAcknowledgement.headerLength
        case .sourceLost, .sourceRestored: 0
        case .request: WireRequest.headerLength
        case .requestAnswer: WireRequestAnswer.headerLength
        }
    }

    /// The most header bytes that are read here.
    var longestHeader: Int {
        switch self {
        case .acknowledgement: Acknowledgement.headerLengthWithStages
        case .frame: FrameHeader.longest
        default: headerLength
        }
    }

    /// Whether a peer that does not know the message must end the connection. Peers of protocol 1
    /// know all types. Later ones need not know those that are not critical.
    var isCritical: Bool {
        switch self {
        case .ping, .pong, .sourceLost, .sourceRestored, .request, .requestAnswer: false
        default: true
        }
    }
}

/// The eight bytes that every message begins with.
struct WirePrefix: Hashable {
    static let length = 8
    static let criticalFlag: UInt8 = 1
    /// The largest payload of any message but FRAME, so that no message makes a receiver allocate
    /// more.
    static let largestControlPayload = 4096

    var type: UInt8
    var flags: UInt8
    var headerLength: Int
    var payloadLength: Int

    init(type: UInt8, flags: UInt8, headerLength: Int, payloadLength: Int) {
        self.type = type
        self.flags = flags
        self.headerLength = headerLength
        self.payloadLength = payloadLength
    }

    init(_ type: WireType, payloadLength: Int) {
        self.init(
            type: type.rawValue, flags: type.isCritical ? Self.criticalFlag : 0, headerLength: type.headerLength,
            payloadLength: payloadLength)
    }

    init(unmarshal bytes: ArraySlice<UInt8>) throws(FrameStreamingError) {
        var reader = ByteReader(bytes)
        type = try reader.take()
        flags = try reader.take()
        headerLength = Int(try reader.take(UInt16.self))
        payloadLength = Int(try reader.take(UInt32.self))
    }

    var isCritical: Bool { flags & Self.criticalFlag != 0 }

    func marshal(into writer: inout ByteWriter) {
        writer.put(type)
        writer.put(flags)
        writer.put(UInt16(headerLength))
        writer.put(UInt32(payloadLength))
    }
}

extension ByteWriter {
    /// Writes a whole message without an image.
    ///
    /// - Parameter headerLength: The header's length, if it is not the one that protocol 1 began
    ///   with.
    static func message(
        _ type: WireType, headerLength: Int? = nil, payload: [UInt8] = [],
        _ header: (inout ByteWriter) -> Void = { _ in }
    ) -> [UInt8] {
        var prefix = WirePrefix(type, payloadLength: payload.count)
        if let headerLength { prefix.headerLength = headerLength }
        var writer = ByteWriter(capacity: WirePrefix.length + prefix.headerLength + payload.count)
        prefix.marshal(into: &writer)
        header(&writer)
        writer.put(payload)
        return writer.bytes
    }
}
