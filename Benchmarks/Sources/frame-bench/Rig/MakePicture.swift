import ArgumentParser
import FoundationEssentials
import FrameStreaming

/// A JPEG of exactly so many bytes, from a clip's first picture, with a comment in
/// front that has room for a number.
///
/// The layout is known to `Benchmarks/Peers/stream.py`: FF D8, FF FE, length, `FRIG`, ten digits;
/// then the rest of the picture's own segments, and comments until the size is right.
struct MakePicture: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Writes a JPEG of an exact size for the rig.")
    @Argument var path: String
    @Option var clip: String
    @Option var bytes = 100_000

    func run() throws {
        let picture = try picturesOfClip(clip, count: 1)[0]
        let codec = JPEGCodec()
        let number = comment(Array("FRIG0000000000".utf8))
        var jpeg: [UInt8] = []
        // The best that leaves room for the number and one comment more.
        for quality in stride(from: 95, through: 5, by: -5) {
            let frame = try codec.encode(picture, EncodeSettings(quality: quality))
            guard frame.byteCount + number.count + 4 <= bytes else { continue }
            unsafe frame.withUnsafeBytes { jpeg = unsafe Array($0) }
            break
        }
        guard !jpeg.isEmpty else { throw Failure("the clip's pictures do not fit into \(bytes) bytes") }
        var result = Array(jpeg[..<2]) + number
        var missing = bytes - jpeg.count - number.count
        while missing > 0 {
            // Never so few left that no comment fits.
            let size = missing <= 60_000 ? missing : min(60_000, missing - 4)
            result += comment([UInt8](repeating: 0x20, count: size - 4))
            missing -= size
        }
        result += jpeg[2...]
        try Data(result).write(to: URL(filePath: path))
    }

    private func comment(_ text: [UInt8]) -> [UInt8] {
        let length = text.count + 2
        return [0xFF, 0xFE, UInt8(length >> 8), UInt8(length & 255)] + text
    }
}
