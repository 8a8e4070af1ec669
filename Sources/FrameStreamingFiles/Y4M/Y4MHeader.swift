package import FrameStreamingCore

/// The first line of a YUV4MPEG2 stream (yuv4mpeg(5) of mjpegtools): parameters that begin with a
/// letter, separated by blanks.
package struct Y4MHeader: Hashable, Sendable {
    package var width: Int
    package var height: Int
    /// The value of `C` without its prefix, such as `420jpeg`. The chroma siting is kept, though
    /// this package never uses it.
    package var chroma: String
    /// The pixel format of `chroma`.
    package var pixelFormat: PixelFormat
    /// Nil = unknown (`F0:0`, `F0:1`), unreadable or not stated.
    package var rate: FrameRate?
    /// `p` progressive, `t` top field first, `b` bottom field first, `m` mixed, `?` unknown.
    package var interlacing: Character
    /// The width and height of a pixel; nil = unknown (`A0:0`, `A0:1`), unreadable or not stated.
    package var aspect: Ratio?
    /// The value of XCOLORRANGE; nil = not stated, or a value other than LIMITED and FULL.
    package var colorRange: ColorRange?
    /// The value of XCOLORMATRIX, an extension of this package that other programs skip; nil = not
    /// stated. Y4M has no parameter for the matrix.
    package var colorMatrix: ColorMatrix?

    package struct Ratio: Hashable, Sendable {
        package var width: Int
        package var height: Int
    }

    /// The first bytes of every stream.
    package static let magic = Array("YUV4MPEG2".utf8)
    /// The first bytes of every frame.
    package static let frameMagic = Array("FRAME".utf8)
    /// The longest header, line end included; longer ones are refused.
    package static let longestLine = BufferedInput.aheadCapacity

    /// The chroma names that are read, with the format of each. The first name of a format is the
    /// one that is written.
    static let chromaNames: [(name: String, format: PixelFormat)] = [
        ("420jpeg", .i420), ("422", .i422), ("444", .i444), ("mono", .gray8),
        ("420mpeg2", .i420), ("420paldv", .i420), ("420", .i420),
    ]

    private static let matrices: [String: ColorMatrix] = ["BT601": .bt601, "BT709": .bt709, "BT2020": .bt2020]

    static let interlacings: [Character] = ["p", "t", "b", "m", "?"]

    /// Creates a header for frames of this format, progressive and with square pixels.
    ///
    /// - Throws: `unsupported` where Y4M has no name for the format.
    package init(format: FrameFormat, rate: FrameRate) throws(FrameStreamingError) {
        guard let chroma = Self.chromaNames.first(where: { $0.format == format.pixelFormat }) else {
            throw FrameStreamingError(
                .unsupported, "Y4M holds I420, I422, I444 and GRAY8, not \(format.pixelFormat): convert it first")
        }
        width = format.width
        height = format.height
        self.chroma = chroma.name
        pixelFormat = format.pixelFormat
        self.rate = rate
        interlacing = "p"
        aspect = Ratio(width: 1, height: 1)
        colorRange = format.colorRange
        colorMatrix = format.pixelFormat == .gray8 || format.colorMatrix == .unspecified ? nil : format.colorMatrix
    }

    /// Parses a header line, without its line end. A CR in front of that is ignored.
    ///
    /// Only width, height and chroma decide how frames are read. Every other parameter counts as
    /// not stated where its value is not understood.
    ///
    /// - Throws: `malformedInput` for a line that is not a header, or has no valid size;
    ///   `unsupported` for chroma that is not read.
    package init(parsing line: [UInt8]) throws(FrameStreamingError) {
        let words = line.split { [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")].contains($0) }
        guard let first = words.first, Array(first) == Self.magic else {
            throw FrameStreamingError(.malformedInput, "not Y4M: it does not begin with YUV4MPEG2")
        }
        var size: (width: Int?, height: Int?) = (nil, nil)
        var planes: String?
        var planesByExtension: String?
        interlacing = "?"
        rate = nil
        aspect = nil
        colorRange = nil
        colorMatrix = nil
        for word in words.dropFirst() {
            let text = String(decoding: word, as: UTF8.self)
            let value = String(text.dropFirst())
            switch text.first {
            case "W": size.width = try Self.side(text)
            case "H": size.height = try Self.side(text)
            case "F": rate = Self.ratio(value).flatMap { FrameRate($0.width, per: $0.height) }
            case "I":
                if let flag = value.first, value.count == 1, Self.interlacings.contains(flag) { interlacing = flag }
            case "A": aspect = Self.ratio(value).flatMap { $0.width > 0 && $0.height > 0 ? $0 : nil }
            case "C": planes = value
            case "X":
                if value.hasPrefix("COLORRANGE=") {
                    colorRange = ColorRange(name: String(value.dropFirst(11)))
                } else if value.hasPrefix("COLORMATRIX=") {
                    // An unknown matrix is treated as not stated.
                    colorMatrix = Self.matrices[value.dropFirst(12).uppercased()]
                } else if value.hasPrefix("YSCSS=") {
                    planesByExtension = value.dropFirst(6).lowercased()
                }
            // Unknown parameters are ignored, as the format demands.
            default: break
            }
        }
        guard let width = size.width, let height = size.height else {
            throw FrameStreamingError(
                .malformedInput, "the Y4M header has no \(size.width == nil ? "width (W)" : "height (H)")")
        }
        self.width = width
        self.height = height
        // As in mjpegtools and FFmpeg: C wins over XYSCSS, and without either it is 4:2:0 as in
        // JPEG.
        chroma = planes ?? planesByExtension ?? "420jpeg"
        pixelFormat = try Self.format(chroma: chroma.lowercased())
    }

    private static func format(chroma: String) throws(FrameStreamingError) -> PixelFormat {
        // `p8` states eight bits a sample, which is what all names without a depth have.
        let name = chroma.hasSuffix("p8") ? String(chroma.dropLast(2)) : chroma
        if let known = chromaNames.first(where: { $0.name == name }) { return known.format }
        // The siting of the chroma does not change how the samples lie.
        let siting = name.utf8.dropFirst(3)
        if name.hasPrefix("420"), siting.count > 3, siting.allSatisfy({ (0x61...0x7A).contains($0) }) { return .i420 }
        let (fault, target) =
            switch name {
            case "411": ("has chroma for four pixels across", "yuv422p")
            case "410": ("has chroma for four by four pixels", "yuv420p")
            case "444alpha": ("has an alpha plane", "yuv444p")
            default:
                if let depth = depth(of: name) {
                    (
                        "has \(depth) bits a sample",
                        name.hasPrefix("mono") ? "gray" : "yuv\(["422", "444"].first(where: name.hasPrefix) ?? "420")p"
                    )
                } else {
                    ("is not known", "yuv420p")
                }
            }
        throw FrameStreamingError(
            .unsupported,
            "the Y4M header's chroma C\(chroma.prefix(40)) \(fault); 8 bits of 4:2:0, 4:2:2, 4:4:4 and mono are read: convert it with "
                + "ffmpeg -i FILE -pix_fmt \(target) -f yuv4mpegpipe -")
    }

    /// The bits of a sample: 10 of `420p10`, 16 of `mono16`. Nil = the name states none.
    private static func depth(of name: String) -> Int? {
        let kinds = ["420p", "422p", "444p", "440p", "mono"]
        guard let kind = kinds.first(where: name.hasPrefix), let depth = Int(name.dropFirst(kind.count)),
            (9...32).contains(depth)
        else { return nil }
        return depth
    }

    private static func side(_ text: String) throws(FrameStreamingError) -> Int {
        let digits = text.utf8.dropFirst()
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }), let side = Int(text.dropFirst()), side > 0 else {
            throw wrong(text, "\(text.prefix(1))640")
        }
        guard side <= FrameFormat.maximumSide else {
            throw FrameStreamingError(
                .limitExceeded, "the Y4M header says \(text), but no side is longer than \(FrameFormat.maximumSide)")
        }
        return side
    }

    /// `25:1`, or `25` for `25:1`.
    private static func ratio(_ text: String) -> Ratio? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count),
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let width = Int(parts[0]), let height = parts.count == 1 ? 1 : Int(parts[1])
        else { return nil }
        return Ratio(width: width, height: height)
    }

    private static func wrong(_ text: String, _ example: String) -> FrameStreamingError {
        FrameStreamingError(
            .malformedInput, "the Y4M header's \"\(text.prefix(40))\" is invalid: it should look like \(example)")
    }

    /// The header line with its line end, in the order W H F I A C X.
    package var line: String {
        var words = ["YUV4MPEG2", "W\(width)", "H\(height)"]
        words.append(rate.map { "F\($0.numerator):\($0.denominator)" } ?? "F0:0")
        words.append("I\(interlacing)")
        words.append(aspect.map { "A\($0.width):\($0.height)" } ?? "A0:0")
        words.append("C\(chroma)")
        if let name = Self.matrices.first(where: { $0.value == colorMatrix })?.key {
            words.append("XCOLORMATRIX=\(name)")
        }
        if let colorRange { words.append("XCOLORRANGE=\(colorRange.description.uppercased())") }
        return words.joined(separator: " ") + "\n"
    }
}
