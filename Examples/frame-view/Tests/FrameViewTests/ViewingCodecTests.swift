import FrameStreaming
import FrameStreamingTesting
import Testing

@testable import frame_view

@Suite struct ViewingCodecTests {
    private let codec = ViewingCodec(largest: Size(width: 16_384, height: 16_384))

    /// Whatever the JPEG has, the texture gets planes of 4:2:0, full range.
    @Test(arguments: ChromaSubsampling.all) func allSamplingsBecomePlanes(sampling: ChromaSubsampling) throws {
        let frame = try codec.decode(TestPictures.jpeg(width: 130, height: 50, sampling), DecodeSettings())
        #expect(frame.format.pixelFormat == .i420 && frame.format.colorRange == .full)
        #expect(frame.format.width == 130 && frame.format.height == 50)
        // The second bar is yellow: luma 226, and without chroma gray.
        let row = frame.format.plane(0).stride * 2
        let y = frame.plane(0).samples[row + 24]
        let u = frame.plane(1).samples[12]
        let v = frame.plane(2).samples[12]
        #expect(abs(Int(y) - 226) <= 4, "\(sampling): \(y)")
        #expect(abs(Int(u) - (sampling == .gray ? 128 : 0)) <= 6, "\(sampling): \(u)")
        #expect(abs(Int(v) - (sampling == .gray ? 128 : 149)) <= 6, "\(sampling): \(v)")
    }

    @Test(arguments: [(1, 1), (17, 13), (1366, 768)]) func oddSizes(width: Int, height: Int) throws {
        let frame = try codec.decode(TestPictures.jpeg(width: width, height: height), DecodeSettings())
        #expect(frame.format.width == width && frame.format.height == height)
        #expect(frame.format.plane(1).rowBytes == (width + 1) / 2 && frame.format.plane(2).height == (height + 1) / 2)
    }

    /// A JPEG of RGB has no planes of luma and chroma, but can be shown nevertheless.
    @Test func aJPEGOfRGBIsConverted() throws {
        let frame = try codec.decode(Self.jpegOfRGB(), DecodeSettings())
        #expect(frame.format.pixelFormat == .i420 && frame.format.width == 16 && frame.format.height == 16)
        let pixel = (0..<3).map { Int(frame.plane($0).samples[0]) }
        // The Y, Cb and Cr of 147, 53, 201 as red, green and blue.
        #expect(zip(pixel, [98, 186, 163]).allSatisfy { abs($0 - $1) <= 3 }, "\(pixel)")
    }

    @Test func whatDoesNotDecodeSaysSo() throws {
        let frame = try TestPictures.compressed([1, 2, 3], width: 130, height: 50)
        let error = #expect(throws: FrameStreamingError.self) { try codec.decode(frame, DecodeSettings()) }
        #expect(error?.code == .corruptImage)
    }

    @Test func whatIsCutIsShownAsFarAsItGoes() throws {
        let whole = try TestPictures.bytes(TestPictures.jpeg(width: 130, height: 50))
        let half = try TestPictures.compressed(Array(whole.prefix(whole.count / 2)), width: 130, height: 50)
        let frame = try codec.decode(half, DecodeSettings())
        #expect(frame.hasDecodeWarnings && frame.format.width == 130)
    }

    @Test func aPictureLargerThanATextureIsMadeSmaller() throws {
        let small = ViewingCodec(largest: Size(width: 64, height: 64))
        let frame = try small.decode(TestPictures.jpeg(width: 130, height: 50), DecodeSettings())
        #expect(frame.format.width == 33 && frame.format.height == 13)
        let tall = try small.decode(TestPictures.jpeg(width: 20, height: 65), DecodeSettings())
        #expect(tall.format.width == 10 && tall.format.height == 33)
        #expect(small.scale(for: Size(width: 64, height: 64)) == .full)
        #expect(small.scale(for: Size(width: 5000, height: 64)) == .eighth)
    }

    /// A JPEG of 4:4:4 whose three components are named R, G and B. Without a JFIF
    /// marker, libjpeg decides by these names.
    static func jpegOfRGB() throws -> Frame {
        let format = try FrameFormat(width: 16, height: 16, pixelFormat: .i444, colorRange: .full)
        let picture = try Frame.filled(format) { [147, 53, 201][$0 / 256] }
        let jpeg = try JPEGCodec().encode(picture, EncodeSettings(quality: 95, subsampling: .yuv444))
        var bytes = TestPictures.bytes(jpeg)
        // Without the JFIF marker (FF E0, its length), and with 'R', 'G', 'B' for the numbers 1, 2,
        // 3 in the frame's and the scan's header.
        let length = Int(bytes[4]) << 8 | Int(bytes[5])
        #expect(bytes[2] == 0xFF && bytes[3] == 0xE0)
        bytes.removeSubrange(2..<4 + length)
        func place(_ marker: UInt8) throws -> Int {
            try #require((0..<bytes.count - 1).first { bytes[$0] == 0xFF && bytes[$0 + 1] == marker })
        }
        let (frameHeader, scanHeader) = (try place(0xC0), try place(0xDA))
        for (index, name) in "RGB".utf8.enumerated() {
            bytes[frameHeader + 10 + 3 * index] = name
            bytes[scanHeader + 5 + 2 * index] = name
        }
        return try TestPictures.compressed(bytes, width: 16, height: 16)
    }
}
