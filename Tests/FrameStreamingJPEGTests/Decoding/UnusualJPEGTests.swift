import CTurboJPEG
import FrameStreamingCore
import Testing

@testable import FrameStreamingJPEG

/// Every kind of JPEG that libjpeg decodes becomes pixels, planes and gray, in every scale.
@Suite struct UnusualJPEGTests {
    private let codec = JPEGCodec(strictness: .strict)

    /// A JPEG and what it shows, as R, G, B.
    struct Kind: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        let colour: [Int]

        init(_ name: String, _ jpeg: FlatJPEG, _ colour: [Int]) { self.init(name, jpeg.bytes, colour) }

        init(_ name: String, _ bytes: [UInt8], _ colour: [Int]) {
            testDescription = name
            self.bytes = bytes
            self.colour = colour
        }
    }

    // Y, Cb and Cr of 180, 90, 40 are 112, 87 and 177.
    private static let colour = [180, 90, 40]
    private static let yuv = [111, 88, 177]

    static let kinds: [Kind] =
        [
            (4, 2, 1, 1), (3, 1, 1, 1), (3, 2, 1, 1), (1, 3, 1, 1), (2, 2, 2, 1), (2, 2, 1, 2), (4, 1, 2, 1),
            (1, 4, 1, 1), (2, 4, 1, 1),
        ].map { (h, v, x, y) in
            Kind("\(h)x\(v), \(x)x\(y)", FlatJPEG(yuv, [(h, v), (x, y), (x, y)]), colour)
        } + [
            Kind("chroma of two kinds", FlatJPEG(yuv, [(2, 2), (2, 1), (1, 2)]), colour),
            Kind("more chroma than luma", FlatJPEG(yuv, [(1, 1), (2, 2), (2, 2)]), colour),
            Kind("RGB by names", FlatJPEG(colour, [(1, 1), (1, 1), (1, 1)], names: Array("RGB".utf8)), colour),
            Kind("RGB by Adobe", FlatJPEG(colour, [(1, 1), (1, 1), (1, 1)], transform: 0), colour),
            Kind("RGB of 4:2:0", FlatJPEG(colour, [(2, 2), (1, 1), (1, 1)], transform: 0), colour),
            Kind("CMYK", FlatJPEG([200, 100, 44, 230], Array(repeating: (1, 1), count: 4), transform: 0), colour),
            Kind(
                "CMYK of unusual factors",
                FlatJPEG([200, 100, 44, 230], [(2, 2), (1, 1), (1, 1), (2, 2)], transform: 0), colour),
            // YCbCr of the inks' complements: 55, 155, 211 become 131, 173, 74.
            Kind("YCCK", FlatJPEG([131, 173, 74, 230], Array(repeating: (1, 1), count: 4), transform: 2), colour),
            Kind("gray with factors", FlatJPEG([77], [(2, 2)]), [77, 77, 77]),
            Kind("arithmetic-coded", ArithmeticJPEG.sequential, colour),
            Kind("arithmetic-coded and progressive", ArithmeticJPEG.progressive, colour),
        ]

    private static func expected(_ format: PixelFormat, _ rgb: [Int]) -> [[Int]] {
        let (r, g, b) = (Double(rgb[0]), Double(rgb[1]), Double(rgb[2]))
        let y = 0.299 * r + 0.587 * g + 0.114 * b
        let yuv = [y, 128 + (b - y) / 1.772, 128 + (r - y) / 1.402].map { Int($0.rounded()) }
        switch format {
        case .rgb24: return [rgb]
        case .bgr24: return [rgb.reversed()]
        case .rgba32: return [rgb + [255]]
        case .bgra32: return [rgb.reversed() + [255]]
        case .gray8: return [[yuv[0]]]
        case .yv12: return [[yuv[0]], [yuv[2]], [yuv[1]]]
        default: return yuv.map { [$0] }
        }
    }

    @Test(arguments: kinds) func `it decodes to every format and scale`(kind: Kind) throws {
        let jpeg = try jpegFrame(kind.bytes)
        let formats: [PixelFormat] = [.rgb24, .bgr24, .rgba32, .bgra32, .gray8, .i420, .yv12, .i422, .i444]
        for scale in [PictureScale.full, .half, .quarter, .eighth] {
            for format in formats {
                let frame = try codec.decode(jpeg, DecodeSettings(pixelFormat: format, scale: scale))
                #expect(frame.format.width == scale.scaled(37) && frame.format.height == scale.scaled(29))
                #expect(frame.format.pixelFormat == format && !frame.hasDecodeWarnings)
                #expect(frame.format.colorRange == .full)
                for (index, values) in Self.expected(format, kind.colour).enumerated() {
                    let plane = frame.plane(index)
                    var worst = 0
                    for line in 0..<plane.layout.height {
                        for byte in 0..<plane.layout.rowBytes {
                            let sample = Int(plane.samples[line * plane.layout.stride + byte])
                            worst = max(worst, abs(sample - values[byte % values.count]))
                        }
                    }
                    #expect(worst <= 3, "\(format) at \(scale), plane \(index)")
                }
            }
        }
    }

    @Test(arguments: kinds) func `its planes have a format`(kind: Kind) throws {
        let jpeg = try jpegFrame(kind.bytes)
        let format = try codec.nativePlaneFormat(of: jpeg)
        #expect([.i420, .i422, .i444, .gray8].contains(format))
        #expect(try codec.decode(jpeg, DecodeSettings(pixelFormat: format)).format.pixelFormat == format)
    }

    @Test func `TurboJPEG's own inks are those of Adobe`() throws {
        let frame = try codec.decode(jpegFrame(JPEGParts.cmyk()), DecodeSettings(pixelFormat: .rgb24))
        // 90 of each: 90 * 90 / 255.
        let samples = Samples(frame)
        for byte in 0..<24 { #expect(abs(Int(samples[0, byte, 3]) - 32) <= 1) }
    }

    @Test func `RGB keeps its details`() throws {
        let picture = TestPicture(width: 67, height: 45)
        let packed = try picture.frame(.rgb24)
        // The samples of R, G and B, in the planes of a JPEG that says so.
        var planes: [UInt8] = []
        let samples = Samples(packed)
        for colour in 0..<3 { for y in 0..<45 { for x in 0..<67 { planes.append(samples[0, 3 * x + colour, y]) } } }
        let format = try FrameFormat(width: 67, height: 45, pixelFormat: .i444, colorRange: .full)
        let jpeg = try codec.encode(makeFrame(planes, format), EncodeSettings(quality: 97, subsampling: .yuv444))
        var bytes = unsafe jpeg.withUnsafeBytes { unsafe Array($0) }
        // Without JFIF's marker, Adobe's says what the components are.
        bytes.replaceSubrange(2..<20, with: [0xFF, 0xEE, 0, 14] + Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, 0])
        for (target, size) in [(PixelFormat.i444, 1), (.i420, 2)] {
            let decoded = Samples(try codec.decode(jpegFrame(bytes), DecodeSettings(pixelFormat: target)))
            let luma = difference(
                (0..<45).flatMap { y in (0..<67).map { x in (decoded[0, x, y], picture.sample(0, x, y)) } })
            #expect(luma.psnr > 38, "\(target): \(luma)")
            for index in 1...2 {
                let shape = decoded.format.plane(index)
                let chroma = difference(
                    (0..<shape.height).flatMap { y in
                        (0..<shape.rowBytes).map { x in
                            (decoded[index, x, y], picture.sample(index, min(x * size, 66), min(y * size, 44)))
                        }
                    })
                #expect(chroma.psnr > 35, "\(target) \(index): \(chroma)")
            }
        }
    }

    @Test(arguments: [
        (UInt8(0xC3), UInt8(8), "lossless"), (0xC7, 8, "lossless"), (0xCB, 8, "lossless"), (0xC5, 8, "hierarchical"),
        (0xC1, 12, "12 bits"), (0xC0, 12, "12 bits"), (0xC2, 12, "12 bits"), (0xC3, 16, "lossless"),
    ])
    func `what is not decoded is named`(marker: UInt8, bits: UInt8, name: String) throws {
        var bytes = FlatJPEG(Self.yuv, [(1, 1), (1, 1), (1, 1)]).bytes
        let place = try #require((0..<bytes.count - 1).first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
        bytes[place + 1] = marker
        bytes[place + 4] = bits
        let jpeg = try jpegFrame(bytes)
        for codec in [codec, JPEGCodec()] {
            for format in [PixelFormat.bgr24, .i420, .gray8] {
                let settings = DecodeSettings(pixelFormat: format)
                #expect(code { _ = try codec.decode(jpeg, settings) } == .unsupported)
                #expect(message { _ = try codec.decode(jpeg, settings) }.contains(name))
            }
            #expect(code { _ = try codec.nativePlaneFormat(of: jpeg) } == .unsupported)
            #expect(code { _ = try codec.transform(jpeg, JPEGTransform(.rotate90)) } == .unsupported)
        }
    }

    @Test func `damage in any of them is no trap`() throws {
        for kind in Self.kinds {
            let tolerant = JPEGCodec(maximumPixels: 1 << 20)
            for index in stride(from: 2, to: kind.bytes.count, by: 3) {
                var damaged = kind.bytes
                damaged[index] ^= 0x55
                for format in [PixelFormat.bgr24, .i420, .gray8] {
                    _ = code { _ = try tolerant.decode(jpegFrame(damaged), DecodeSettings(pixelFormat: format)) }
                }
            }
        }
    }
}
