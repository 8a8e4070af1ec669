import FrameStreamingCore

/// Looks for JPEGs in an input whose first bytes tell nothing.
///
/// Such an input may begin inside a frame, or with a multipart's boundary or header in an unusual
/// form.
struct InputSearch: Sendable {
    /// As many bytes are searched: more than a frame of most cameras has.
    static let byteCount = 1 << 20

    /// Before this position no JPEG begins.
    private var position = 0

    /// Looks at the input's first bytes: those of the last call and more.
    ///
    /// - Returns: `jpeg` or `multipart`; nil = no JPEG begins in them.
    mutating func kind(of bytes: [UInt8]) -> InputKind? {
        // Bytes of UInt8: no padding is read.
        let span = unsafe bytes.span.bytes
        while true {
            position = span.firstOfFF(from: position)
            switch JPEGFrameWalk.isStart(span, at: position) {
            case true?: return Self.isPart(bytes[..<position]) ? .multipart : .jpeg
            case nil: return nil
            case false?: position += 1
            }
        }
    }

    /// Whether the bytes before a JPEG end with the header of a part.
    private static func isPart(_ bytes: ArraySlice<UInt8>) -> Bool {
        let header = String(decoding: bytes.suffix(1024), as: UTF8.self).lowercased()
        return header.contains("content-type:") || header.contains("content-length:")
    }
}
