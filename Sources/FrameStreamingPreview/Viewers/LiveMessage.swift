internal import FoundationEssentials

/// What a page says, as text.
struct LiveMessage: Decodable {
    let type: String
    /// Of `watch`: the streams that are to be seen.
    let streams: [String]?

    init?(_ text: [UInt8]) {
        guard let message = try? JSONDecoder().decode(LiveMessage.self, from: Data(text)) else { return nil }
        self = message
    }
}

/// That a picture was drawn: eight bytes of its number, the highest first, and the stream's name. Not JSON, because one comes for each
/// picture from each page.
struct LiveAcknowledgement: Hashable {
    let stream: String
    let sequence: Int

    /// Nil for what is none.
    init?(_ bytes: [UInt8]) {
        guard bytes.count > 8, let name = String(validating: bytes.dropFirst(8), as: UTF8.self),
            let number = Int(exactly: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
        else { return nil }
        stream = name
        sequence = number
    }
}

/// What stands before a picture's bytes.
enum PictureHeader {
    /// A stream's name as JSON: made once for each stream, for the rest of a header is numbers.
    static func quoted(_ name: String) -> String {
        (try? JSONEncoder().encode(name)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }

    /// As JSON. `age` is in milliseconds.
    static func json(
        quotedStream: String, sequence: Int, width: Int, height: Int, quality: Int?, skipped: Int, age: Double?
    ) -> [UInt8] {
        let words = { (number: Int?) in number.map { String($0) } ?? "null" }
        // Of milliseconds three places are enough; a clock that is far off gives none that JSON could not hold.
        let age = age.map { "\(($0 * 1000).rounded() / 1000)" } ?? "null"
        return Array(
            """
            {"stream":\(quotedStream),"sequence":\(sequence),"width":\(width),"height":\(height),\
            "quality":\(words(quality)),"skipped":\(skipped),"age_ms":\(age)}
            """.utf8)
    }
}
