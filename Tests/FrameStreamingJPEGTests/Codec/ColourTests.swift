import FrameStreamingCore
import Foundation
import Testing

@testable import FrameStreamingJPEG

/// Colours defined in RGB are converted to every kind of YCbCr, encoded, and decoded to RGB.
@Suite struct ColourTests {
    private let codec = JPEGCodec()
    private static let spaces: [(ColorMatrix, ColorRange)] = [ColorMatrix.bt601, .bt709, .bt2020].flatMap {
        [($0, ColorRange.limited), ($0, .full)]
    }
    private static let formats: [PixelFormat] = [.i420, .yv12, .nv12, .nv21, .yuyv, .uyvy, .i422, .i444]
    /// 100 % colour bars: white, yellow, cyan, green, magenta, red, blue, black.
    private static let bars: [[Double]] = [
        [255, 255, 255], [255, 255, 0], [0, 255, 255], [0, 255, 0], [255, 0, 255], [255, 0, 0], [0, 0, 255], [0, 0, 0],
    ]

    private func rgb(_ frame: Frame, _ subsampling: ChromaSubsampling = .yuv444) throws -> Samples {
        let jpeg = try codec.encode(frame, EncodeSettings(quality: 98, subsampling: subsampling))
        #expect(jpeg.format.colorMatrix == .bt601 && jpeg.format.colorRange == .full)
        #expect(jpeg.sourceColorRange == frame.format.colorRange)
        let planes = try codec.decode(jpeg, DecodeSettings(pixelFormat: .i420))
        #expect(planes.format.colorMatrix == .bt601 && planes.format.colorRange == .full)
        #expect(planes.sourceColorRange == frame.format.colorRange)
        let result = try codec.decode(jpeg, DecodeSettings(pixelFormat: .rgb24))
        #expect((result.format.width, result.format.height) == (frame.format.width, frame.format.height))
        return Samples(result)
    }

    @Test(arguments: formats)
    func barsHaveTheirColours(_ format: PixelFormat) throws {
        for (matrix, range) in Self.spaces {
            let space = try #require(ColourSpace(matrix, range))
            for padding in [0, 7] {
                let tight = try FrameFormat(width: 256, height: 18, pixelFormat: format)
                let shape = try FrameFormat(
                    width: 256, height: 18, pixelFormat: format,
                    strides: (0..<tight.planeCount).map { tight.plane($0).stride + padding }, colorRange: range,
                    colorMatrix: matrix)
                let frame = try space.frame(shape) { x, _ in Self.bars[x / 32] }
                for subsampling in [ChromaSubsampling.yuv420, .yuv422, .yuv444] {
                    let result = try rgb(frame, subsampling)
                    for (bar, colour) in Self.bars.enumerated() {
                        for channel in 0..<3 {
                            // Sampled in the middle, away from the ringing at the edges.
                            let value = Double(result[0, 3 * (32 * bar + 16) + channel, 9])
                            #expect(
                                abs(value - colour[channel]) <= 4,
                                "\(matrix) \(range) \(format) \(subsampling), bar \(bar): \(value)")
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: formats)
    func gradientsOfOddSizes(_ format: PixelFormat) throws {
        for (width, height) in [(1, 1), (2, 1), (1, 3), (17, 13), (131, 67)] {
            func colour(_ x: Int, _ y: Int) -> [Double] {
                let (x, y) = (Double(x) / 131, Double(y) / 67)
                return [40 + 150 * x, 200 - 120 * y, 60 + 60 * x + 90 * y]
            }
            let wanted: [UInt8] = (0..<height).flatMap { y -> [UInt8] in
                (0..<width).flatMap { x -> [UInt8] in colour(x, y).map { UInt8($0.rounded()) } }
            }
            for (matrix, range) in Self.spaces {
                let space = try #require(ColourSpace(matrix, range))
                let shape = try FrameFormat(
                    width: width, height: height, pixelFormat: format, colorRange: range, colorMatrix: matrix)
                let frame = try space.frame(shape, colour)
                for subsampling in [ChromaSubsampling.yuv420, .yuv422, .yuv444] {
                    let result = try rgb(frame, subsampling)
                    let quality = difference(3 * width, height) { (result[0, $0, $1], wanted[$1 * 3 * width + $0]) }
                    #expect(
                        quality.psnr > 40 && quality.largest <= 8,
                        "\(matrix) \(range) \(format) \(width)x\(height) \(subsampling): \(quality)")
                }
            }
        }
    }

    @Test func lumaAloneIsThatOfJFIF() throws {
        // The expected gray: what a gray JPEG of the RGB frame has.
        for (matrix, range) in Self.spaces {
            let space = try #require(ColourSpace(matrix, range))
            let shape = try FrameFormat(
                width: 16, height: 16, pixelFormat: .yuyv, colorRange: range, colorMatrix: matrix)
            for colour in Self.bars {
                let jpeg = try codec.encode(
                    space.frame(shape) { _, _ in colour }, EncodeSettings(quality: 98, subsampling: .gray))
                let gray = bytes(try codec.decode(jpeg, DecodeSettings(pixelFormat: .gray8)))
                let wanted = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
                #expect(gray.allSatisfy { abs(Double($0) - wanted) <= 2 })
            }
        }
    }

    @Test func grayIsTheSameInEveryMatrix() throws {
        let content = (0..<256).map { UInt8($0) }
        let jpegs = try [ColorMatrix.unspecified, .bt601, .bt709, .bt2020].map {
            bytes(
                try codec.encode(
                    makeFrame(
                        content,
                        FrameFormat(width: 16, height: 16, pixelFormat: .gray8, colorRange: .limited, colorMatrix: $0)),
                    EncodeSettings(quality: 90)))
        }
        #expect(Set(jpegs).count == 1)
    }

    @Test(arguments: [PixelFormat.rgb24, .bgr24, .rgba32, .bgra32])
    func limitedRGBIsExpanded(_ format: PixelFormat) throws {
        let size = format == .rgb24 || format == .bgr24 ? 3 : 4
        for (width, height, padding) in [(1, 1, 0), (17, 13, 5), (256, 16, 0)] {
            let shape = try FrameFormat(
                width: width, height: height, pixelFormat: format, strides: [width * size + padding],
                colorRange: .limited)
            var content = [UInt8](repeating: 0xA5, count: shape.byteCount)
            func value(_ x: Int) -> Double { Double(x * 255 / max(1, width - 1)) }
            for y in 0..<height {
                for byte in 0..<width * size {
                    content[y * shape.plane(0).stride + byte] = UInt8((16 + value(byte / size) * 219 / 255).rounded())
                }
            }
            let result = try rgb(makeFrame(content, shape))
            let quality = difference(
                (0..<height).flatMap { y in
                    (0..<width * 3).map { (result[0, $0, y], UInt8(value($0 / 3))) }
                })
            #expect(quality.largest <= 4, "\(format) \(width)x\(height): \(quality)")
        }
    }

    @Test func nothingIsAllocatedForTheMatrixOnceWarm() throws {
        let codec = JPEGCodec(framePoolCapacity: 2)
        let space = try #require(ColourSpace(.bt709, .limited))
        let frames = try [PixelFormat.i420, .yuyv, .nv12].map {
            try space.frame(
                FrameFormat(width: 130, height: 66, pixelFormat: $0, colorRange: .limited, colorMatrix: .bt709)
            ) { x, y in [Double(x), Double(y), 90] }
        }
        var settled: JPEGCodec.Statistics?
        for round in 0..<4 {
            for frame in frames { #expect(try codec.encode(frame, EncodeSettings()).byteCount > 0) }
            if round == 1 { settled = codec.statistics }
        }
        #expect(codec.statistics == settled)
    }
}
