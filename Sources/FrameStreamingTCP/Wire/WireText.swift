/// Text for people in a message: UTF-8 of limited length. Invalid text never ends a connection.
enum WireText {
    static let largest = 1024

    /// The text's bytes, cut between two characters if they exceed the limit.
    static func marshal(_ text: String, limit: Int = largest) -> [UInt8] {
        guard text.utf8.count > limit else { return Array(text.utf8) }
        var result: [UInt8] = []
        for character in text {
            let bytes = String(character).utf8
            if result.count + bytes.count > limit { break }
            result += bytes
        }
        return result
    }

    /// The bytes as text. Invalid UTF-8 becomes U+FFFD.
    static func unmarshal(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
