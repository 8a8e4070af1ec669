import FrameStreamingCore
import FrameStreamingFiles
import Foundation

/// A short clip that the tests make: smooth waves that travel, so that JPEG keeps them well and
/// each frame differs from its neighbours by far more than JPEG's errors.
struct Clip {
    let width: Int
    let height: Int
    let format: PixelFormat
    let range: ColorRange
    /// The planes of each frame, one behind the other.
    let frames: [[UInt8]]

    init(
        _ width: Int = 64, _ height: Int = 48, frames: Int = 6, format: PixelFormat = .i420,
        range: ColorRange = .limited
    ) {
        self.width = width
        self.height = height
        self.format = format
        self.range = range
        let (low, high) = range == .limited ? (16.0, 235.0) : (0.0, 255.0)
        self.frames = (0..<frames).map { number in
            var bytes: [UInt8] = []
            for y in 0..<height {
                for x in 0..<width {
                    let wave = sin(Double(x) / 9 + Double(number) * 0.9) * cos(Double(y) / 11 - Double(number) * 0.6)
                    bytes.append(UInt8((low + (high - low) * (0.5 + 0.5 * wave)).rounded()))
                }
            }
            let chroma = Self.chroma(width, height, format)
            for plane in 0..<(chroma.width > 0 ? 2 : 0) {
                for y in 0..<chroma.height {
                    for x in 0..<chroma.width {
                        let wave = sin(Double(x + plane * 7) / Double(chroma.width) * 4 + Double(y) / 17)
                        bytes.append(UInt8((128 + 40 * wave).rounded()))
                    }
                }
            }
            return bytes
        }
    }

    private static func chroma(_ width: Int, _ height: Int, _ format: PixelFormat) -> (width: Int, height: Int) {
        switch format {
        case .i420: ((width + 1) / 2, (height + 1) / 2)
        case .i422: ((width + 1) / 2, height)
        case .i444: (width, height)
        default: (0, 0)
        }
    }

    private var chromaName: String {
        switch format {
        case .i422: "422"
        case .i444: "444"
        case .gray8: "mono"
        default: "420jpeg"
        }
    }

    /// The clip as a Y4M file. A file without the tag has limited range.
    var y4m: [UInt8] {
        var bytes = Array("YUV4MPEG2 W\(width) H\(height) F25:1 Ip A1:1 C\(chromaName)".utf8)
        if range == .full { bytes += Array(" XCOLORRANGE=FULL".utf8) }
        bytes += [UInt8(ascii: "\n")]
        return bytes + y4mFrames
    }

    /// The same without the header, for a pipe that goes on.
    var y4mFrames: [UInt8] { frames.flatMap { Array("FRAME\n".utf8) + $0 } }

    /// The clip without a header.
    var raw: [UInt8] { frames.flatMap(\.self) }

    /// Luma of a frame against `other`, in dB.
    func psnr(_ number: Int, _ other: [UInt8]) -> Double {
        var sum = 0
        for index in 0..<width * height {
            let difference = Int(frames[number][index]) - Int(other[index])
            sum += difference * difference
        }
        return sum == 0 ? 99 : 10 * log10(255 * 255 * Double(width * height) / Double(sum))
    }

    /// The same for a recording in either range: a JPEG whose source range is unknown is
    /// recorded as it is, in full range.
    func difference(to recording: Recording) -> String? {
        let isExpanded = range == .limited && recording.format?.colorRange == .full
        return difference(to: isExpanded ? recording.pictures.map(Self.limited) : recording.pictures)
    }

    /// Full range back to limited.
    static func limited(_ luma: [UInt8]) -> [UInt8] { luma.map { UInt8((16 + Double($0) * 219 / 255).rounded()) } }

    /// Why `pictures` are not this clip's frames after JPEG, in order; nil where they are.
    /// A neighbour would be 15 dB worse.
    func difference(to pictures: [[UInt8]], from first: Int = 0) -> String? {
        for (index, picture) in pictures.enumerated() {
            let number = (first + index) % frames.count
            guard picture.count >= width * height else { return "frame \(index) has \(picture.count) bytes" }
            let quality = psnr(number, picture)
            if quality < 32 { return "frame \(index): \(quality) dB" }
        }
        return nil
    }
}

/// A Y4M file read back.
struct Recording {
    let header: String
    let format: FrameFormat?
    let pictures: [[UInt8]]

    init(_ path: String) throws {
        let all = Array(try Data(contentsOf: URL(fileURLWithPath: path)).prefix(200))
        header = String(decoding: all.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        var options = PlaybackOptions()
        options.pace = .maximum
        let source = try RawFileSource(path: path, options: options)
        var pictures: [[UInt8]] = []
        while case .frame(let frame)? = try source.next(until: .never) {
            pictures.append(unsafe frame.withUnsafeBytes { unsafe Array($0) })
        }
        self.pictures = pictures
        format = source.format
    }
}
