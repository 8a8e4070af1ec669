/// How the bytes of a picture are laid out, named by its fourcc: four ASCII
/// characters, the first in the lowest byte, as in V4L2 (`v4l2_fourcc`) and DRM.
/// Compressed formats are pixel formats too.
///
/// A struct and not an enum, because a camera may have a format without a name here,
/// and its frames can still be sent.
public struct PixelFormat: RawRepresentable, Hashable, Sendable {
    /// The fourcc as a number.
    public let rawValue: UInt32

    /// The format with this fourcc number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The format with this fourcc, such as `"YUYV"`; nil unless it is one to four printable ASCII
    /// characters. Shorter ones are filled with blanks, as V4L2 does (`"Y8"` = `"Y8  "`).
    public init?(fourcc: String) {
        let bytes = Array(fourcc.utf8)
        guard (1...4).contains(bytes.count), bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else { return nil }
        var value: UInt32 = 0
        for index in 0..<4 {
            value |= UInt32(index < bytes.count ? bytes[index] : 0x20) << (8 * UInt32(index))
        }
        rawValue = value
    }

    private init(_ a: Character, _ b: Character, _ c: Character, _ d: Character) {
        var value: UInt32 = 0
        for (index, character) in [a, b, c, d].enumerated() {
            value |= UInt32(character.asciiValue ?? 0x3F) << (8 * UInt32(index))
        }
        rawValue = value
    }

    /// A JPEG picture, compressed (V4L2_PIX_FMT_JPEG).
    public static let jpeg = PixelFormat("J", "P", "E", "G")
    /// Planar Y, U, V; chroma halved both ways (V4L2_PIX_FMT_YUV420, `YU12`).
    public static let i420 = PixelFormat("Y", "U", "1", "2")
    /// Planar Y, V, U; chroma halved both ways (V4L2_PIX_FMT_YVU420, `YV12`).
    public static let yv12 = PixelFormat("Y", "V", "1", "2")
    /// Y, then interleaved U and V; chroma halved both ways (V4L2_PIX_FMT_NV12).
    public static let nv12 = PixelFormat("N", "V", "1", "2")
    /// Y, then interleaved V and U; chroma halved both ways (V4L2_PIX_FMT_NV21).
    public static let nv21 = PixelFormat("N", "V", "2", "1")
    /// Packed Y0 U Y1 V: two pixels in four bytes (V4L2_PIX_FMT_YUYV).
    public static let yuyv = PixelFormat("Y", "U", "Y", "V")
    /// Packed U Y0 V Y1: two pixels in four bytes (V4L2_PIX_FMT_UYVY).
    public static let uyvy = PixelFormat("U", "Y", "V", "Y")
    /// Planar Y, U, V; chroma halved horizontally (V4L2_PIX_FMT_YUV422P, `422P`).
    public static let i422 = PixelFormat("4", "2", "2", "P")
    /// Planar Y, U, V; full chroma (DRM_FORMAT_YUV444, `YU24`).
    public static let i444 = PixelFormat("Y", "U", "2", "4")
    /// Packed R, G, B bytes in memory order (V4L2_PIX_FMT_RGB24, `RGB3`).
    public static let rgb24 = PixelFormat("R", "G", "B", "3")
    /// Packed B, G, R bytes in memory order, as OpenCV has them (V4L2_PIX_FMT_BGR24, `BGR3`).
    public static let bgr24 = PixelFormat("B", "G", "R", "3")
    /// Packed R, G, B, A bytes in memory order (V4L2_PIX_FMT_RGBA32, `AB24`).
    public static let rgba32 = PixelFormat("A", "B", "2", "4")
    /// Packed B, G, R, A bytes in memory order (V4L2_PIX_FMT_ABGR32, `AR24`).
    public static let bgra32 = PixelFormat("A", "R", "2", "4")
    /// One byte of luma per pixel (V4L2_PIX_FMT_GREY).
    public static let gray8 = PixelFormat("G", "R", "E", "Y")

    /// H.264 in Annex B form, an access unit a frame (V4L2_PIX_FMT_H264).
    public static let h264 = PixelFormat("H", "2", "6", "4")
    /// VP8, a frame a frame (V4L2_PIX_FMT_VP8, `VP80`).
    public static let vp8 = PixelFormat("V", "P", "8", "0")
    /// VP9, a frame a frame (V4L2_PIX_FMT_VP9, `VP90`).
    public static let vp9 = PixelFormat("V", "P", "9", "0")

    /// The named formats with the names that command lines take for them.
    static let named: [(name: String, format: PixelFormat)] = [
        ("JPEG", .jpeg), ("I420", .i420), ("YV12", .yv12), ("NV12", .nv12), ("NV21", .nv21), ("YUYV", .yuyv),
        ("UYVY", .uyvy), ("I422", .i422), ("I444", .i444), ("RGB24", .rgb24), ("BGR24", .bgr24),
        ("RGBA32", .rgba32), ("BGRA32", .bgra32), ("GRAY8", .gray8),
    ]

    /// Every named format.
    public static var allNamed: [PixelFormat] { named.map(\.format) }

    /// What FFmpeg, V4L2 and GStreamer call the same bytes, in small letters. The fourth byte of
    /// `bgr0` and `rgb0` is read as alpha and ignored.
    private static let otherNames: [String: PixelFormat] = [
        "yuv420p": .i420, "yuvj420p": .i420, "iyuv": .i420, "yu12": .i420,
        "yuv422p": .i422, "yuvj422p": .i422, "y42b": .i422, "422p": .i422,
        "yuv444p": .i444, "yuvj444p": .i444, "y444": .i444, "yu24": .i444,
        "yuyv422": .yuyv, "yuy2": .yuyv, "yuynv": .yuyv, "uyvy422": .uyvy, "y422": .uyvy,
        "rgb": .rgb24, "rgb3": .rgb24, "bgr": .bgr24, "bgr3": .bgr24,
        "rgba": .rgba32, "rgb0": .rgba32, "rgbx": .rgba32, "ab24": .rgba32, "xb24": .rgba32,
        "bgra": .bgra32, "bgr0": .bgra32, "bgrx": .bgra32, "ar24": .bgra32, "xr24": .bgra32,
        "gray": .gray8, "grey": .gray8, "y8": .gray8, "y800": .gray8,
        "mjpeg": .jpeg, "mjpg": .jpeg, "jpg": .jpeg,
    ]

    /// Fourccs in capitals that mean something else to a driver than the same letters to a program:
    /// V4L2 distinguishes MJPG from JPEG, and its Y444 has 16 bits a pixel.
    private static let driverCodes: Set = ["MJPG", "XR24", "XB24", "Y444", "Y8"]

    /// The format of a name (`I420`, `rgb24`), of one that FFmpeg, V4L2 or GStreamer use (`yuv420p`,
    /// `yuy2`, `BGRx`), both in any case, else of a fourcc (`MJPG`, exact case).
    public init?(name: String) {
        if let known = Self.named.first(where: { $0.name == name.uppercased() }) {
            self = known.format
        } else if !Self.driverCodes.contains(name), let known = Self.otherNames[name.lowercased()] {
            self = known
        } else {
            self.init(fourcc: name)
        }
    }

    /// The named format with the same bytes as a driver's fourcc; otherwise the format itself.
    package var inFiles: PixelFormat {
        switch fourcc {
        case "MJPG": .jpeg
        case "Y8  ": .gray8
        case "XR24": .bgra32
        case "XB24": .rgba32
        default: self
        }
    }

    /// The four characters; bytes that do not print are `?`.
    public var fourcc: String {
        String(
            decoding: (0..<4).map { index -> UInt8 in
                let byte = UInt8(truncatingIfNeeded: rawValue >> (8 * UInt32(index)))
                return (0x20...0x7E).contains(byte) ? byte : UInt8(ascii: "?")
            }, as: UTF8.self)
    }

    /// Whether the samples are luma and chroma (or luma alone), so that a colour range applies.
    public var isYUV: Bool { sampling != nil }
}

extension PixelFormat: CustomStringConvertible {
    /// The name, with the fourcc where it differs: `I420 (YU12)`.
    public var description: String {
        guard let known = Self.named.first(where: { $0.format == self }) else { return fourcc }
        return known.name == fourcc ? known.name : "\(known.name) (\(fourcc))"
    }
}
