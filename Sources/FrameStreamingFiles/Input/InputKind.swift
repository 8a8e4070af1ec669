import FrameStreamingSystem

/// What an input is, as its first bytes tell.
package enum InputKind: Hashable, Sendable {
    /// YUV4MPEG2.
    case y4m
    /// JPEGs, one behind the other.
    case jpeg
    /// JPEGs with the headers of `multipart/x-mixed-replace` between them, which only live sources
    /// have.
    case multipart
    /// Something that this package does not read, with its name.
    case foreign(String)
    /// A response of an HTTP server that is no success, with its status.
    case httpError(Int)
    case unknown

    /// As many bytes suffice, and every input has them.
    static let byteCount = 12

    /// Looks at the first ``byteCount`` bytes, or at all there are.
    init(firstBytes: [UInt8]) {
        func has(_ text: String, at offset: Int = 0) -> Bool {
            firstBytes.dropFirst(offset).starts(with: text.utf8)
        }
        func has(_ bytes: [UInt8]) -> Bool { firstBytes.starts(with: bytes) }
        if has("YUV4MPEG2") {
            self = .y4m
        } else if has([0xFF, 0xD8, 0xFF, 0xF7]) {
            self = .foreign("JPEG-LS")
        } else if has([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if let status = Self.httpError(firstBytes) {
            self = .httpError(status)
        } else if Self.beginsMultipart(firstBytes) {
            self = .multipart
        } else if let name = Self.foreignNames.first(where: { has($0.bytes) })?.name {
            self = .foreign(name)
        } else if ["ftyp", "moov", "mdat", "wide", "free"].contains(where: { has($0, at: 4) }) {
            self = .foreign("MP4, MOV or HEIF")
        } else if has("RIFF") {
            self = .foreign(has("AVI ", at: 8) ? "AVI" : has("WEBP", at: 8) ? "WebP" : "RIFF or WAV")
        } else if firstBytes.count >= 4, firstBytes[0] == 0x47, firstBytes[1] & 0xE0 == 0x40,
            firstBytes[3] & 0xF0 == 0x10
        {
            self = .foreign("MPEG-TS")
        } else if has("BM"), firstBytes.count >= 10, firstBytes[6..<10].allSatisfy({ $0 == 0 }) {
            self = .foreign("BMP")
        } else {
            self = .unknown
        }
    }

    /// The status of an HTTP response that is no success (RFC 9110, 15); nil = it is none.
    private static func httpError(_ bytes: [UInt8]) -> Int? {
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard parts.count >= 2, parts[0].uppercased().hasPrefix("HTTP/"), let status = Int(parts[1]) else { return nil }
        return (300...599).contains(status) ? status : nil
    }

    /// Whether it is the header of a multipart, or of the HTTP response with it.
    private static func beginsMultipart(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes.drop { $0 == 10 || $0 == 13 }, as: UTF8.self).lowercased()
        return text.hasPrefix("--") || text.hasPrefix("http/")
            || "content-".hasPrefix(text.prefix(8)) && text.count >= 8
    }

    /// What to do with something foreign.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - input: The input that has it.
    static func remedy(for name: String, input: FileInput) -> String {
        switch name {
        case "gzip", "bzip2", "xz", "Zstandard", "ZIP", "7z": "unpack it first"
        case "a web page", "XML", "JSON": wrongAddress
        case "a NumPy array": "write the array's bytes alone (tofile), and give their size and pixel format"
        case "PDF": "name a video or a picture"
        default:
            "convert it to Y4M and read that from standard input: \(conversion(of: input))"
        }
    }

    /// What to do where a server gave something else than a stream.
    static let wrongAddress = "the address needs a password or another path: look at it with a browser"

    /// Whether it is a film or a picture that this module does not read, but FFmpeg may: a regular
    /// file, or the pattern of numbered pictures. False for what cannot be opened.
    package static func isFilm(path: String) -> Bool {
        guard let details = try? fileDetails(path) else { return isPattern(path) }
        // Opening a FIFO would let its writer begin, and closing it would end that.
        guard details.kind == .regular, path != "-", var input = try? FileInput(path: path),
            let bytes = try? input.peek(byteCount, until: .never), case .foreign(let name) = Self(firstBytes: bytes)
        else { return false }
        return remedy(for: name, input: input).contains(conversion(of: input))
    }

    /// Whether it is the name of numbered pictures, with one `%d` or `%0Nd`.
    package static func isPattern(_ path: String) -> Bool {
        let parts = path.split(separator: "%", omittingEmptySubsequences: false)
        return parts.count == 2 && parts[1].drop(while: \.isNumber).first == "d"
    }

    /// The command that converts an input to Y4M.
    static func conversion(of input: FileInput) -> String {
        "ffmpeg -i \(input.isStandardInput ? "-" : "FILE") -pix_fmt yuv420p -f yuv4mpegpipe -"
    }
}
