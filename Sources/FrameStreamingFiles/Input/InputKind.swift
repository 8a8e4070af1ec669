/// What an input is, as its first bytes tell.
enum InputKind: Hashable, Sendable {
    /// YUV4MPEG2.
    case y4m
    /// JPEGs, one behind the other.
    case jpeg
    /// JPEGs with the headers of `multipart/x-mixed-replace` between them, which only live sources
    /// have.
    case multipart
    /// Something that this package does not read, with its name.
    case foreign(String)
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
        } else if has([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if Self.beginsMultipart(firstBytes) {
            self = .multipart
        } else if let name = Self.names.first(where: { has($0.bytes) })?.name {
            self = .foreign(name)
        } else if ["ftyp", "moov", "mdat", "wide", "free"].contains(where: { has($0, at: 4) }) {
            self = .foreign("MP4, MOV or HEIF")
        } else if has("RIFF") {
            self = .foreign(has("AVI ", at: 8) ? "AVI" : has("WEBP", at: 8) ? "WebP" : "RIFF")
        } else if firstBytes.count >= 4, firstBytes[0] == 0x47, firstBytes[1] & 0xE0 == 0x40,
            firstBytes[3] & 0xF0 == 0x10
        {
            self = .foreign("MPEG-TS")
        } else {
            self = .unknown
        }
    }

    /// Whether it is the header of a multipart, or of the HTTP response with it.
    private static func beginsMultipart(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes.drop { $0 == 10 || $0 == 13 }, as: UTF8.self).lowercased()
        return text.hasPrefix("--") || text.hasPrefix("http/")
            || "content-".hasPrefix(text.prefix(8)) && text.count >= 8
    }

    private static let names: [(bytes: [UInt8], name: String)] = [
        ([0x1A, 0x45, 0xDF, 0xA3], "Matroska or WebM"),
        ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A], "PNG"),
        (Array("GIF8".utf8), "GIF"),
        (Array("FLV\u{1}".utf8), "FLV"),
        (Array("OggS".utf8), "Ogg"),
        (Array("DKIF".utf8), "IVF"),
        ([0x30, 0x26, 0xB2, 0x75], "ASF or WMV"),
        ([0, 0, 1, 0xBA], "MPEG-PS"),
        ([0, 0, 1, 0xB3], "MPEG video"), ([0, 0, 1, 0xB0], "MPEG-4 video"),
        ([0, 0, 0, 1, 0x06], "H.264"), ([0, 0, 1, 0x06], "H.264"), ([0, 0, 0, 1, 0x65], "H.264"),
        ([0, 0, 0, 1, 0x67], "H.264"), ([0, 0, 0, 1, 0x27], "H.264"), ([0, 0, 0, 1, 0x09], "H.264"),
        ([0, 0, 1, 0x67], "H.264"), ([0, 0, 1, 0x09], "H.264"),
        ([0, 0, 0, 1, 0x40, 0x01], "H.265"), ([0, 0, 0, 1, 0x46, 0x01], "H.265"),
        ([0x49, 0x49, 0x2A, 0], "TIFF or DNG"), ([0x4D, 0x4D, 0, 0x2A], "TIFF or DNG"),
        ([0, 0, 0, 12, 0x6A, 0x50], "JPEG 2000"), ([0xFF, 0x4F, 0xFF, 0x51], "JPEG 2000"),
        ([0, 0, 0, 12, 0x4A, 0x58], "JPEG XL"), ([0xFF, 0x0A], "JPEG XL"),
        ([0x93] + Array("NUMPY".utf8), "a NumPy array"),
        ([0x1F, 0x8B], "gzip"), (Array("BZh".utf8), "bzip2"), ([0xFD, 0x37, 0x7A, 0x58], "xz"),
        ([0x28, 0xB5, 0x2F, 0xFD], "Zstandard"), (Array("PK\u{3}\u{4}".utf8), "ZIP"), (Array("%PDF".utf8), "PDF"),
        (Array("#EXTM3U".utf8), "a playlist"), (Array("v=0".utf8), "an SDP description"), (Array("ID3".utf8), "MP3"),
        (Array("{\"".utf8), "JSON"), (Array("{\n".utf8), "JSON"), (Array("{\r\n".utf8), "JSON"),
        (Array("P6\n".utf8), "PPM"), (Array("P5\n".utf8), "PGM"), (Array("P7\n".utf8), "PAM"),
        (Array("<!DOCTYPE".utf8), "a web page"), (Array("<!doctype".utf8), "a web page"),
        (Array("<html".utf8), "a web page"), (Array("<HTML".utf8), "a web page"), (Array("<?xml".utf8), "XML"),
    ]

    /// What to do with something foreign.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - input: The input as FFmpeg takes it.
    static func remedy(for name: String, input: String) -> String {
        switch name {
        case "gzip", "bzip2", "xz", "Zstandard", "ZIP": "unpack it first"
        case "a web page", "XML", "JSON": "the address needs a password or another path: look at it with a browser"
        case "a NumPy array": "write the array's bytes alone (tofile), and give their size and pixel format"
        case "PDF": "name a video or a picture"
        default:
            "convert it to Y4M and read that from standard input: ffmpeg -i \(input) -pix_fmt yuv420p -f yuv4mpegpipe -"
        }
    }
}
