import FrameStreamingCore
import Testing

@testable import FrameStreamingJPEG

private let formats: [PixelFormat] = [
    .i420, .yv12, .nv12, .nv21, .yuyv, .uyvy, .i422, .i444, .rgb24, .bgr24, .rgba32, .bgra32, .gray8,
]

@Suite struct JPEGEncodingTests {
    /// Encodes, decodes to I444 and compares with the known content.
    private func roundTrip(
        _ codec: JPEGCodec, _ picture: TestPicture, _ frame: Frame, _ subsampling: ChromaSubsampling?,
        _ label: String
    ) throws {
        let jpeg = try codec.encode(frame, EncodeSettings(quality: 96, subsampling: subsampling))
        let isGray = frame.format.pixelFormat == .gray8 || subsampling == .gray
        #expect(jpeg.format.pixelFormat == .jpeg)
        #expect(jpeg.format.colorRange == .full)
        #expect(jpeg.quality == 96)
        #expect((jpeg.format.width, jpeg.format.height) == (picture.width, picture.height))
        let native: PixelFormat =
            isGray ? .gray8 : subsampling == .yuv444 ? .i444 : subsampling == .yuv422 ? .i422 : .i420
        #expect(try codec.nativePlaneFormat(of: jpeg) == native, "\(label)")
        let decoded = try codec.decode(jpeg, DecodeSettings(pixelFormat: .i444))
        #expect(decoded.format.isTightlyPacked)
        let planes = difference(decoded, picture)
        #expect(planes[0].psnr > 40 && planes[0].largest <= 8, "luma of \(label): \(planes[0])")
        if isGray {
            let samples = Samples(decoded)
            #expect(samples[1, 0, 0] == 128 && samples[2, picture.width - 1, picture.height - 1] == 128)
        } else {
            for plane in 1...2 {
                #expect(
                    planes[plane].psnr > 39 && planes[plane].largest <= 9,
                    "plane \(plane) of \(label): \(planes[plane])")
            }
        }
    }

    @Test(arguments: formats)
    func everySubsamplingSizeAndRange(_ format: PixelFormat) throws {
        let codec = JPEGCodec()
        for (width, height) in [(1, 1), (2, 2), (3, 1), (1, 5), (17, 13), (64, 48), (94, 35)] {
            let picture = TestPicture(width: width, height: height)
            for range in [ColorRange.full, .limited] where format.isYUV || range == .full {
                for padding in width == 17 ? [0, 5] : [0] {
                    let frame = try picture.frame(format, range: range, padding: padding, offset: padding * 3)
                    for subsampling in [nil] + ChromaSubsampling.all.map(Optional.some) {
                        try roundTrip(
                            codec, picture, frame, subsampling,
                            "\(width)x\(height) \(format) \(range) +\(padding) as \(subsampling?.description ?? "default")"
                        )
                    }
                }
            }
        }
    }

    @Test(arguments: [PixelFormat.i420, .yuyv, .bgr24])
    func aLargeOddPicture(_ format: PixelFormat) throws {
        let picture = TestPicture(width: 683, height: 385)
        try roundTrip(
            JPEGCodec(), picture, picture.frame(format, range: format.isYUV ? .limited : .full), nil, "\(format)")
    }

    @Test(arguments: [PixelFormat.i420, .nv12, .yuyv, .uyvy, .i422, .i444, .gray8])
    func limitedBlackAndWhiteBecomeFull(_ format: PixelFormat) throws {
        let codec = JPEGCodec()
        for (limited, full) in [(UInt8(16), UInt8(0)), (235, 255), (0, 0), (255, 255)] {
            for range in [ColorRange.limited, .full] {
                let shape = try FrameFormat(width: 18, height: 10, pixelFormat: format, colorRange: range)
                var content = [UInt8](repeating: 128, count: shape.byteCount)
                for index in 0..<content.count {
                    let isLuma =
                        switch format {
                        case .yuyv: index % 2 == 0
                        case .uyvy: index % 2 == 1
                        default: index < 180
                        }
                    if isLuma { content[index] = limited }
                }
                let frame = try makeFrame(content, shape)
                let jpeg = try codec.encode(frame, EncodeSettings(quality: 100))
                #expect(jpeg.sourceColorRange == range)
                let gray = try codec.decode(jpeg, DecodeSettings(pixelFormat: .gray8))
                #expect(gray.sourceColorRange == range)
                #expect(Set(bytes(gray)) == [range == .limited ? full : limited])
            }
        }
    }

    @Test func chromaOfTwoLinesIsAveraged() throws {
        // Lines of chroma 100 and 140, alternating.
        let shape = try FrameFormat(width: 32, height: 32, pixelFormat: .yuyv, colorRange: .full)
        let content = (0..<32).flatMap { line in
            (0..<16).flatMap { _ in [128, line % 2 == 0 ? 100 : 140, 128, line % 2 == 0 ? 150 : 60] as [UInt8] }
        }
        let codec = JPEGCodec()
        let jpeg = try codec.encode(makeFrame(content, shape), EncodeSettings(quality: 100))
        let decoded = Samples(try codec.decode(jpeg, DecodeSettings(pixelFormat: .i420)))
        #expect(abs(Int(decoded[1, 5, 5]) - 120) <= 1)
        #expect(abs(Int(decoded[2, 5, 5]) - 105) <= 1)
    }

    @Test func aJPEGPassesUntouched() throws {
        let codec = JPEGCodec()
        let jpeg = try codec.encode(TestPicture(width: 8, height: 8).frame(.bgr24), EncodeSettings())
        let again = try codec.encode(jpeg, EncodeSettings(quality: 1))
        #expect(again.sharesBytes(with: jpeg))
        #expect(again.quality == 80)
    }

    @Test func theDescriptionIsKept() throws {
        var frame = try TestPicture(width: 8, height: 8).frame(.i420, range: .limited)
        frame.captureTime = CaptureTime(nanoseconds: 123)
        frame.sequence = 45
        frame.metadata = [6, 7]
        let codec = JPEGCodec()
        let jpeg = try codec.encode(frame, EncodeSettings(quality: 33))
        let decoded = try codec.decode(jpeg, DecodeSettings())
        for result in [jpeg, decoded] {
            #expect(result.captureTime == frame.captureTime)
            #expect(result.sequence == 45)
            #expect(result.metadata == [6, 7])
            #expect(result.sourceColorRange == .limited)
        }
        #expect(jpeg.quality == 33)
        #expect(decoded.quality == nil)
    }

    @Test func theCodecsOwnSubsamplingIsTheDefault() throws {
        let codec = JPEGCodec(subsampling: .yuv444)
        let frame = try TestPicture(width: 8, height: 8).frame(.bgr24)
        #expect(try codec.nativePlaneFormat(of: codec.encode(frame, EncodeSettings())) == .i444)
        let asked = try codec.encode(frame, EncodeSettings(subsampling: .yuv422))
        #expect(try codec.nativePlaneFormat(of: asked) == .i422)
    }

    @Test func qualityMayChangeBetweenFrames() throws {
        let codec = JPEGCodec()
        let frame = try TestPicture(width: 320, height: 240).frame(.i420)
        let sizes = try [90, 10, 50, 90].map { try codec.encode(frame, EncodeSettings(quality: $0)).byteCount }
        #expect(sizes[0] > sizes[2] && sizes[2] > sizes[1])
        #expect(sizes[0] == sizes[3])
    }

    @Test(arguments: [0, -1, 101, Int.max, Int.min])
    func qualityOutOfRange(_ quality: Int) throws {
        let frame = try TestPicture(width: 8, height: 8).frame(.i420)
        let codec = JPEGCodec()
        #expect(code { _ = try codec.encode(frame, EncodeSettings(quality: quality)) } == .invalidArgument)
        #expect(message { _ = try codec.encode(frame, EncodeSettings(quality: quality)) }.contains("1 (smallest)"))
    }

    @Test func formatsWithoutANameAreRefused() throws {
        let format = try FrameFormat(width: 8, height: 8, pixelFormat: #require(PixelFormat(fourcc: "BA81")))
        let frame = try makeFrame([UInt8](repeating: 0, count: 64), format)
        #expect(code { _ = try JPEGCodec().encode(frame, EncodeSettings()) } == .unsupported)
    }

    @Test func tooLargePicturesAreRefused() throws {
        let frame = try TestPicture(width: 20, height: 10).frame(.gray8)
        #expect(code { _ = try JPEGCodec(maximumPixels: 199).encode(frame, EncodeSettings()) } == .limitExceeded)
        _ = try JPEGCodec(maximumPixels: 200).encode(frame, EncodeSettings())
        let format = try FrameFormat(width: 65_501, height: 1, pixelFormat: .gray8)
        let long = try makeFrame([UInt8](repeating: 0, count: 65_501), format)
        #expect(code { _ = try JPEGCodec().encode(long, EncodeSettings()) } == .unsupported)
        let longest = try makeFrame(
            [UInt8](repeating: 0, count: 65_500), FrameFormat(width: 65_500, height: 1, pixelFormat: .gray8))
        let jpeg = try JPEGCodec().encode(longest, EncodeSettings())
        #expect(try JPEGCodec().decode(jpeg, DecodeSettings(pixelFormat: .gray8)).format.width == 65_500)
    }
}
