internal import FoundationEssentials

/// The JSON header before a frame's bytes.
enum LiveFrameHeader {
    /// Returns a stream's name as JSON. It is computed once per stream, because the rest of a
    /// header is numbers.
    static func quoted(_ name: String) -> String {
        (try? JSONEncoder().encode(name)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }

    /// Returns the header. `age` is in milliseconds.
    static func json(
        quotedStream: String, sequence: Int, width: Int, height: Int, quality: Int?, skipped: Int, age: Double?
    ) -> [UInt8] {
        let words = { (number: Int?) in number.map { String($0) } ?? "null" }
        // Three places suffice for milliseconds. The age is finite, so JSON can hold it.
        let age = age.map { "\(($0 * 1000).rounded() / 1000)" } ?? "null"
        return Array(
            """
            {"stream":\(quotedStream),"sequence":\(sequence),"width":\(width),"height":\(height),\
            "quality":\(words(quality)),"skipped":\(skipped),"age_ms":\(age)}
            """.utf8)
    }
}
