/// A page's message that a frame was drawn: its number as eight bytes, big-endian, and the stream's
/// name.
///
/// It is not JSON, because each page sends one for each frame.
struct LiveAcknowledgement: Hashable {
    let stream: String
    let sequence: Int

    /// Nil for bytes that are not an acknowledgement.
    init?(_ bytes: [UInt8]) {
        guard bytes.count > 8, let name = String(validating: bytes.dropFirst(8), as: UTF8.self),
            let number = Int(exactly: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
        else { return nil }
        stream = name
        sequence = number
    }
}
