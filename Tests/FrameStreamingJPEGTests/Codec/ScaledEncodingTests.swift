import FrameStreamingCore
import Testing

@testable import FrameStreamingJPEG

@Suite struct ScaledEncodingTests {
    private static let scales: [PictureScale] = [.half, .quarter, .eighth]
    private static let formats: [PixelFormat] = [
        .i420, .yv12, .nv12, .nv21, .yuyv, .uyvy, .i422, .i444, .rgb24, .bgr24, .rgba32, .bgra32, .gray8,
    ]
    private let codec = JPEGCodec()

    /// The mean of the existing samples of a box, in double precision.
    private func mean(
        _ x: Int, _ y: Int, _ n: Int, _ picture: TestPicture, _ sample: (Int, Int) -> Double
    ) -> UInt8 {
        var (sum, count) = (0.0, 0.0)
        for j in y * n..<min(picture.height, y * n + n) {
            for i in x * n..<min(picture.width, x * n + n) {
                sum += sample(i, j)
                count += 1
            }
        }
        return UInt8((sum / count).rounded())
    }

    @Test(arguments: formats)
    func eachPixelIsTheMeanOfItsBox(_ format: PixelFormat) throws {
        for (width, height, padding) in [(1, 1, 0), (2, 3, 0), (17, 13, 5), (64, 48, 0), (130, 67, 3), (203, 101, 0)] {
            let picture = TestPicture(width: width, height: height)
            // The means of each scale and plane, line after line: the same for every range and subsampling.
            let means: [[[UInt8]]] = Self.scales.map { scale in
                [picture.y, picture.u, picture.v].map { sample -> [UInt8] in
                    (0..<scale.scaled(height)).flatMap { y -> [UInt8] in
                        (0..<scale.scaled(width)).map { x in mean(x, y, scale.denominator, picture, sample) }
                    }
                }
            }
            for range in [ColorRange.full, .limited] where format.isYUV || range == .full {
                let frame = try picture.frame(format, range: range, padding: padding)
                for (scale, means) in zip(Self.scales, means) {
                    for subsampling in [ChromaSubsampling.yuv444, .yuv422, .yuv420, .gray] {
                        let jpeg = try codec.encode(
                            frame, EncodeSettings(quality: 97, subsampling: subsampling, scale: scale))
                        let label = "\(width)x\(height) \(format) \(range) \(scale) as \(subsampling)"
                        let size = [scale.scaled(width), scale.scaled(height)]
                        #expect([jpeg.format.width, jpeg.format.height] == size, "\(label)")
                        // This size is the JPEG's own.
                        let decoded = Samples(try codec.decode(jpeg, DecodeSettings(pixelFormat: .i444)))
                        #expect([decoded.format.width, decoded.format.height] == size, "\(label)")
                        let isGray = format == .gray8 || subsampling == .gray
                        for plane in 0..<(isGray ? 1 : 3) {
                            let wanted = means[plane]
                            let result = difference(size[0], size[1]) { x, y in
                                (decoded[plane, x, y], wanted[y * size[0] + x])
                            }
                            #expect(
                                result.psnr > 36 && result.largest <= 14, "plane \(plane) of \(label): \(result)")
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: formats)
    func oneColourStaysIt(_ format: PixelFormat) throws {
        for (width, height) in [(1, 1), (17, 13), (40, 9)] {
            let shape = try FrameFormat(width: width, height: height, pixelFormat: format, colorRange: .full)
            let frame = try makeFrame([UInt8](repeating: 201, count: shape.byteCount), shape)
            let whole = Samples(
                try codec.decode(codec.encode(frame, EncodeSettings(quality: 100)), DecodeSettings(pixelFormat: .i444)))
            for scale in Self.scales {
                let small = Samples(
                    try codec.decode(
                        codec.encode(frame, EncodeSettings(quality: 100, scale: scale)),
                        DecodeSettings(pixelFormat: .i444)))
                for plane in 0..<3 {
                    for y in 0..<small.format.height {
                        for x in 0..<small.format.width {
                            #expect(abs(Int(small[plane, x, y]) - Int(whole[plane, 0, 0])) <= 1)
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: [ColorMatrix.bt709, .bt2020])
    func rangeAndMatrixAreConvertedToo(_ matrix: ColorMatrix) throws {
        // Blocks of colour, a whole number of which makes one new pixel.
        let colours: [[Double]] = [[220, 30, 40], [20, 200, 60], [40, 50, 230], [250, 240, 20]]
        for format in [PixelFormat.i420, .nv12, .yuyv, .uyvy, .i422, .i444] {
            for range in [ColorRange.limited, .full] {
                let space = try #require(ColourSpace(matrix, range))
                let shape = try FrameFormat(
                    width: 512, height: 132, pixelFormat: format, colorRange: range, colorMatrix: matrix)
                let frame = try space.frame(shape) { x, _ in colours[x / 128] }
                for scale in Self.scales {
                    let jpeg = try codec.encode(
                        frame, EncodeSettings(quality: 98, subsampling: .yuv444, scale: scale))
                    #expect(jpeg.format.colorMatrix == .bt601 && jpeg.sourceColorRange == range)
                    let rgb = Samples(try codec.decode(jpeg, DecodeSettings(pixelFormat: .rgb24)))
                    for (block, colour) in colours.enumerated() {
                        let x = (128 * block + 64) / scale.denominator
                        for channel in 0..<3 {
                            let value = Double(rgb[0, 3 * x + channel, 5])
                            #expect(
                                abs(value - colour[channel]) <= 5, "\(format) \(range) \(scale) \(colour): \(value)")
                        }
                    }
                }
            }
        }
    }

    @Test func limitedRGBIsExpandedToo() throws {
        let shape = try FrameFormat(width: 21, height: 11, pixelFormat: .bgra32, colorRange: .limited)
        for (limited, full) in [(UInt8(16), 0), (235, 255), (125, 127)] {
            let frame = try makeFrame([UInt8](repeating: limited, count: shape.byteCount), shape)
            let jpeg = try codec.encode(frame, EncodeSettings(quality: 98, scale: .quarter))
            let gray = bytes(try codec.decode(jpeg, DecodeSettings(pixelFormat: .gray8)))
            #expect(gray.count == 18 && gray.allSatisfy { abs(Int($0) - full) <= 1 })
        }
    }

    @Test func nothingIsAllocatedOnceWarm() throws {
        let codec = JPEGCodec(framePoolCapacity: 2)
        let frames = try Self.formats.map { try TestPicture(width: 130, height: 67).frame($0) }
        var settled: JPEGCodec.Statistics?
        for round in 0..<4 {
            for frame in frames {
                for scale in Self.scales {
                    #expect(try codec.encode(frame, EncodeSettings(scale: scale)).byteCount > 0)
                }
            }
            if round == 1 { settled = codec.statistics }
        }
        #expect(codec.statistics == settled)
    }

    @Test func aJPEGIsNotMadeSmaller() throws {
        let jpeg = try codec.encode(TestPicture(width: 16, height: 16).frame(.bgr24), EncodeSettings())
        for scale in Self.scales {
            let settings = EncodeSettings(scale: scale)
            #expect(code { _ = try codec.encode(jpeg, settings) } == .unsupported)
            #expect(message { _ = try codec.encode(jpeg, settings) }.contains("decode it at \(scale)"))
        }
    }

    @Test func aLongSideFitsAfterScaling() throws {
        let format = try FrameFormat(width: 65_535, height: 2, pixelFormat: .gray8, colorRange: .full)
        let frame = try makeFrame([UInt8](repeating: 90, count: format.byteCount), format)
        #expect(code { _ = try codec.encode(frame, EncodeSettings()) } == .unsupported)
        let jpeg = try codec.encode(frame, EncodeSettings(scale: .half))
        #expect(try codec.decode(jpeg, DecodeSettings(pixelFormat: .gray8)).format.width == 32_768)
        // The whole frame counts.
        let strict = JPEGCodec(maximumPixels: 131_069)
        #expect(code { _ = try strict.encode(frame, EncodeSettings(scale: .half)) } == .limitExceeded)
    }
}
