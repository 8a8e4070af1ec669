/// A set of message types. It has a bit for each, because it is read for every message.
struct WireTypeSet: Hashable, ExpressibleByArrayLiteral {
    private var bits: UInt16 = 0

    init(arrayLiteral types: WireType...) { self.init(types) }

    init(_ types: some Sequence<WireType>) {
        for type in types { bits |= Self.bit(type) }
    }

    func contains(_ type: WireType) -> Bool { bits & Self.bit(type) != 0 }

    /// The types are numbered from 0x81.
    private static func bit(_ type: WireType) -> UInt16 { 1 << UInt16(type.rawValue & 0x0F) }

    /// The types that may follow the handshake.
    static let afterHandshake: WireTypeSet = [
        .frame, .acknowledgement, .ping, .pong, .bye, .byeAcknowledgement, .sourceLost, .sourceRestored, .request,
        .requestAnswer,
    ]
}
