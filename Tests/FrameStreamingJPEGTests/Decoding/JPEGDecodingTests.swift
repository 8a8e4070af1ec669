import CTurboJPEG
import FrameStreamingCore
import Testing

@testable import FrameStreamingJPEG

@Suite struct JPEGDecodingTests {
    private let strict = JPEGCodec(strictness: .strict)
    private let tolerant = JPEGCodec(strictness: .tolerant)

    // MARK: Formats and scales

    @Test(arguments: [(1, 1), (2, 2), (17, 13), (64, 48), (130, 67)])
    func packedPixels(_ width: Int, _ height: Int) throws {
        let picture = TestPicture(width: width, height: height)
        let jpeg = try strict.encode(picture.frame(.rgb24), EncodeSettings(quality: 96, subsampling: .yuv444))
        for (format, size, places) in [
            (PixelFormat.rgb24, 3, [0, 1, 2]), (.bgr24, 3, [2, 1, 0]), (.rgba32, 4, [0, 1, 2]),
            (.bgra32, 4, [2, 1, 0]),
        ] {
            let samples = Samples(try strict.decode(jpeg, DecodeSettings(pixelFormat: format)))
            let result = difference(
                (0..<height).flatMap { y in
                    (0..<width).flatMap { x in
                        (0..<3).map { (samples[0, size * x + places[$0], y], picture.rgb(x, y, $0)) }
                    }
                })
            #expect(result.psnr > 38 && result.largest < 14, "\(format): \(result)")
            if size == 4 { #expect(samples[0, 3, 0] == 255) }
        }
    }

    @Test(arguments: [CInt(0), 1, 2, 4, 5])
    func planesFromEverySubsampling(_ sampling: CInt) throws {
        for (width, height) in [(1, 1), (2, 2), (17, 13), (64, 48), (131, 67)] {
            let picture = TestPicture(width: width, height: height)
            let jpeg = try jpegFrame(JPEGParts.encode(picture, sampling: sampling, quality: 97))
            for (format, across, down) in [
                (PixelFormat.i420, 2, 2), (.yv12, 2, 2), (.i422, 2, 1), (.i444, 1, 1),
            ] {
                let samples = Samples(try strict.decode(jpeg, DecodeSettings(pixelFormat: format)))
                #expect(samples.format.isTightlyPacked && samples.format.colorRange == .full)
                let planes = format == .yv12 ? [0, 2, 1] : [0, 1, 2]
                for (index, plane) in planes.enumerated() {
                    let shape = samples.format.plane(plane)
                    let (h, v) = index == 0 ? (1, 1) : (across, down)
                    let result = difference(
                        (0..<shape.height).flatMap { y in
                            (0..<shape.rowBytes).map { x in
                                (
                                    samples[plane, x, y],
                                    picture.sample(index, min(x * h, width - 1), min(y * v, height - 1))
                                )
                            }
                        })
                    #expect(
                        result.psnr > 35 && result.largest < 15,
                        "TJSAMP \(sampling) \(width)x\(height) \(format) \(index): \(result)")
                }
            }
        }
    }

    @Test func aGrayJPEGHasNoColour() throws {
        let picture = TestPicture(width: 17, height: 13)
        let jpeg = try strict.encode(picture.frame(.gray8, range: .full), EncodeSettings(quality: 96))
        #expect(try strict.nativePlaneFormat(of: jpeg) == .gray8)
        for format in [PixelFormat.i420, .yv12, .i422, .i444] {
            let decoded = try strict.decode(jpeg, DecodeSettings(pixelFormat: format))
            #expect(Set(bytes(decoded)[(17 * 13)...]) == [128])
            let result = difference(zip(bytes(decoded)[..<(17 * 13)], try bytes(picture.frame(.gray8))))
            #expect(result.largest <= 6)
        }
        let bgr = bytes(try strict.decode(jpeg, DecodeSettings(pixelFormat: .bgr24)))
        #expect(bgr[0] == bgr[1] && bgr[1] == bgr[2])
    }

    @Test(arguments: [PictureScale.half, .quarter, .eighth])
    func everyScale(_ scale: PictureScale) throws {
        for (width, height) in [(1, 1), (3, 2), (17, 13), (64, 48), (131, 67)] {
            let picture = TestPicture(width: width, height: height)
            for sampling: CInt in [0, 1, 2, 4, 5, 3] {
                let jpeg = try jpegFrame(JPEGParts.encode(picture, sampling: sampling, quality: 97))
                let n = scale.denominator
                for format in [PixelFormat.gray8, .i420, .i422, .i444, .bgr24, .rgb24, .bgra32, .rgba32] {
                    let samples = Samples(try strict.decode(jpeg, DecodeSettings(pixelFormat: format, scale: scale)))
                    #expect(
                        samples.format.width == (width + n - 1) / n && samples.format.height == (height + n - 1) / n)
                    guard format.isYUV else { continue }
                    // The mean of the pixels that each new one covers, away from the padded edge.
                    var pairs: [(UInt8, UInt8)] = []
                    for y in 0..<height / n {
                        for x in 0..<width / n {
                            var sum = 0.0
                            for j in 0..<n { for i in 0..<n { sum += picture.y(x * n + i, y * n + j) } }
                            pairs.append((samples[0, x, y], UInt8((sum / Double(n * n)).rounded())))
                        }
                    }
                    if pairs.isEmpty { continue }
                    let result = difference(pairs)
                    #expect(result.psnr > 33, "TJSAMP \(sampling) \(width)x\(height) \(format) \(scale): \(result)")
                }
            }
        }
    }

    @Test func theOwnPlanesHaveAFormat() throws {
        let picture = TestPicture(width: 40, height: 24)
        let expected: [(CInt, PixelFormat)] = [(0, .i444), (1, .i422), (2, .i420), (3, .gray8), (4, .i444), (5, .i422)]
        for (sampling, format) in expected {
            #expect(
                try strict.nativePlaneFormat(of: jpegFrame(JPEGParts.encode(picture, sampling: sampling))) == format)
        }
    }

    @Test func theHeaderIsTrustedMoreThanTheFormat() throws {
        let jpeg = try JPEGParts.encode(TestPicture(width: 24, height: 10))
        let decoded = try strict.decode(jpegFrame(jpeg, width: 640, height: 480), DecodeSettings())
        #expect((decoded.format.width, decoded.format.height) == (24, 10))
    }

    @Test func unsupportedDecodesAreRefused() throws {
        let raw = try TestPicture(width: 8, height: 8).frame(.bgr24)
        #expect(code { _ = try strict.decode(raw, DecodeSettings()) } == .unsupported)
        #expect(code { _ = try strict.nativePlaneFormat(of: raw) } == .unsupported)
        #expect(code { _ = try strict.transform(raw, JPEGTransform()) } == .unsupported)
        let jpeg = try strict.encode(raw, EncodeSettings())
        for format in [PixelFormat.yuyv, .nv12, .jpeg] {
            #expect(code { _ = try strict.decode(jpeg, DecodeSettings(pixelFormat: format)) } == .invalidArgument)
        }
    }

    // MARK: Broken JPEGs

    @Test func truncatedIsAWarning() throws {
        let picture = TestPicture(width: 128, height: 128)
        let whole = try JPEGParts.encode(picture)
        let half = try jpegFrame(Array(whole[..<(whole.count / 2)]))
        for format in [PixelFormat.bgr24, .i420, .i444, .gray8] {
            let settings = DecodeSettings(pixelFormat: format)
            #expect(code { _ = try strict.decode(half, settings) } == .corruptImage)
            #expect(message { _ = try strict.decode(half, settings) }.contains("Premature end"))
            let before = tolerant.statistics.warnings
            let delivered = try tolerant.decode(half, settings)
            #expect(delivered.format.width == 128)
            #expect(tolerant.statistics.warnings == before + 1)
        }
        let samples = Samples(try tolerant.decode(half, DecodeSettings(pixelFormat: .gray8)))
        let upper = difference(
            (0..<32).flatMap { y in (0..<128).map { (samples[0, $0, y], picture.sample(0, $0, y)) } })
        #expect(upper.psnr > 35, "what had come is there")
    }

    @Test func everyTruncationIsAPictureOrATypedError() throws {
        let whole = try JPEGParts.encode(TestPicture(width: 33, height: 17), flags: TJFLAG_PROGRESSIVE)
        for count in stride(from: 1, to: whole.count - 1, by: 3) {
            let frame = try jpegFrame(Array(whole[..<count]))
            #expect(code { _ = try strict.decode(frame, DecodeSettings()) } == .corruptImage, "\(count) bytes")
            let outcome = code { _ = try tolerant.decode(frame, DecodeSettings(pixelFormat: .i420)) }
            #expect(outcome == nil || outcome == .corruptImage)
        }
    }

    @Test func twoStartsAreFatal() throws {
        let whole = try JPEGParts.encode(TestPicture(width: 16, height: 16))
        let twice = try jpegFrame([0xFF, 0xD8] + whole)
        for codec in [strict, tolerant] {
            #expect(code { _ = try codec.decode(twice, DecodeSettings()) } == .corruptImage)
            #expect(message { _ = try codec.decode(twice, DecodeSettings()) }.contains("SOI"))
        }
    }

    @Test func trailingZerosAreFine() throws {
        let whole = try JPEGParts.encode(TestPicture(width: 16, height: 16))
        let plain = try strict.decode(jpegFrame(whole), DecodeSettings())
        let padded = try strict.decode(jpegFrame(whole + [UInt8](repeating: 0, count: 4000)), DecodeSettings())
        #expect(bytes(plain) == bytes(padded))
    }

    @Test func tablesOnlyHoldsNoPicture() throws {
        let good = try jpegFrame(JPEGParts.encode(TestPicture(width: 16, height: 16)))
        let tables = try jpegFrame(StandardHuffmanTables.jpeg)
        for codec in [strict, tolerant] {
            for _ in 0..<2 {
                // Also after a JPEG whose size must not be taken for this one's.
                #expect(code { _ = try codec.decode(tables, DecodeSettings()) } == .corruptImage)
                #expect(code { _ = try codec.nativePlaneFormat(of: tables) } == .corruptImage)
                #expect(code { _ = try codec.transform(tables, JPEGTransform(.rotate180)) } == .corruptImage)
                _ = try codec.decode(good, DecodeSettings())
            }
        }
    }

    @Test func aHugeClaimIsRefusedBeforeAnythingIsAllocated() throws {
        let small = try JPEGParts.encode(TestPicture(width: 16, height: 16))
        let huge = try jpegFrame(JPEGParts.claiming(65_500, 65_500, small))
        let codec = JPEGCodec(strictness: .tolerant)
        for settings in [DecodeSettings(), DecodeSettings(pixelFormat: .i444, scale: .eighth)] {
            #expect(code { _ = try codec.decode(huge, settings) } == .limitExceeded)
        }
        #expect(code { _ = try codec.transform(huge, JPEGTransform(.rotate90)) } == .limitExceeded)
        #expect(code { _ = try codec.nativePlaneFormat(of: huge) } == .limitExceeded)
        #expect(codec.statistics.decoded.allocations == 0)
        #expect(codec.statistics.encoded.allocations == 0)
        #expect(codec.statistics.scratchAllocations == 0)
    }

    @Test(arguments: [true, false])
    func scanBombsAreRefused(_ repeating: Bool) throws {
        let bomb = try jpegFrame(JPEGParts.scanBomb(repeating: repeating))
        for format in [PixelFormat.gray8, .bgr24, .i420] {
            let settings = DecodeSettings(pixelFormat: format)
            #expect(code { _ = try strict.decode(bomb, settings) } == .limitExceeded)
            #expect(message { _ = try tolerant.decode(bomb, settings) }.contains("maximumScans"))
        }
        #expect(code { _ = try tolerant.transform(bomb, JPEGTransform(.rotate90)) } == .limitExceeded)
        // The library has its own limit, which still applies if ours is raised.
        let generous = JPEGCodec(strictness: .tolerant, maximumScans: 10_000)
        #expect(message { _ = try generous.decode(bomb, DecodeSettings()) }.contains("scans"))
    }

    /// The library reports a warning if a warning came before it gave up. The buffer then holds an
    /// earlier frame.
    @Test func givingUpAfterAWarningDeliversNothing() throws {
        let codec = JPEGCodec(strictness: .tolerant, framePoolCapacity: 1)
        let picture = TestPicture(width: 48, height: 48)
        var progressive = try JPEGParts.encode(picture, flags: TJFLAG_PROGRESSIVE)
        _ = try codec.decode(jpegFrame(progressive), DecodeSettings())
        let start = JPEGParts.scanStart(progressive)
        // A marker cuts the first scan short (a warning), and a second start of image is fatal.
        progressive.replaceSubrange(start + 2..<start + 4, with: [0xFF, 0xD8])
        let broken = try jpegFrame(progressive)
        #expect(code { _ = try codec.decode(broken, DecodeSettings()) } == .corruptImage)
        #expect(code { _ = try codec.decode(broken, DecodeSettings(pixelFormat: .i420)) } == .corruptImage)
        #expect(codec.statistics.warnings == 0)
    }

    @Test func corruptDataIsAWarning() throws {
        var jpeg = try JPEGParts.encode(TestPicture(width: 64, height: 64))
        let start = JPEGParts.scanStart(jpeg)
        for index in start + 40..<start + 80 { jpeg[index] = 0xFE }
        let frame = try jpegFrame(jpeg)
        #expect(code { _ = try strict.decode(frame, DecodeSettings()) } == .corruptImage)
        #expect(try tolerant.decode(frame, DecodeSettings()).format.width == 64)
    }

    @Test func damageAnywhereIsAPictureOrATypedError() throws {
        let whole = try JPEGParts.encode(TestPicture(width: 33, height: 17))
        var random = SystemRandomNumberGenerator()
        for _ in 0..<400 {
            var damaged = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: 2..<whole.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let frame = try jpegFrame(damaged)
            for codec in [
                JPEGCodec(strictness: .strict, maximumPixels: 1 << 20),
                JPEGCodec(strictness: .tolerant, maximumPixels: 1 << 20),
            ] {
                for format in [PixelFormat.bgr24, .i422] {
                    let outcome = code { _ = try codec.decode(frame, DecodeSettings(pixelFormat: format)) }
                    #expect([nil, .corruptImage, .limitExceeded, .unsupported].contains(outcome))
                }
                let outcome = code { _ = try codec.transform(frame, JPEGTransform(.rotate90, edges: .trim)) }
                #expect([nil, .corruptImage, .limitExceeded, .unsupported, .invalidArgument].contains(outcome))
            }
        }
    }

    @Test func noiseIsNoJPEG() throws {
        for content in [[0], [0xFF, 0xD8], [0xFF, 0xD8, 0xFF], [UInt8](repeating: 0xFF, count: 999)] as [[UInt8]] {
            for codec in [strict, tolerant] {
                #expect(code { _ = try codec.decode(jpegFrame(content), DecodeSettings()) } == .corruptImage)
            }
        }
    }

    // MARK: Tables

    @Test func aPictureWithoutHuffmanTablesAfterOneWithItsOwn() throws {
        let picture = TestPicture(width: 64, height: 48)
        let standard = try JPEGParts.encode(picture)
        let bare = JPEGParts.without(0xC4, standard)
        #expect(bare.count < standard.count)
        let own = try JPEGParts.encode(picture, flags: TJFLAG_PROGRESSIVE)
        let expected = bytes(try strict.decode(jpegFrame(standard), DecodeSettings()))
        _ = try strict.decode(jpegFrame(own), DecodeSettings())
        #expect(bytes(try strict.decode(jpegFrame(bare), DecodeSettings())) == expected)
        _ = try strict.transform(jpegFrame(own), JPEGTransform(.rotate180))
        let turned = try strict.transform(jpegFrame(bare), JPEGTransform(.rotate180))
        let back = try strict.transform(turned, JPEGTransform(.rotate180))
        #expect(bytes(try strict.decode(back, DecodeSettings())) == expected)
    }

    @Test func aPictureWithoutQuantizationBorrowsNone() throws {
        let whole = try JPEGParts.encode(TestPicture(width: 16, height: 16))
        let bare = try jpegFrame(JPEGParts.without(0xDB, whole))
        for codec in [strict, tolerant] {
            _ = try codec.decode(jpegFrame(whole), DecodeSettings())
            #expect(code { _ = try codec.decode(bare, DecodeSettings()) } == .corruptImage)
        }
    }
}
