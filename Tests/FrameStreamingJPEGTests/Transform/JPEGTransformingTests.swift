import FrameStreamingCore
import Testing

@testable import FrameStreamingJPEG

@Suite struct JPEGTransformingTests {
    private let codec = JPEGCodec()

    /// The place in the original of the pixel at (x, y) of the result.
    private func origin(
        _ operation: PictureTurn, _ x: Int, _ y: Int, _ width: Int, _ height: Int
    ) -> (Int, Int) {
        switch operation {
        case .flipHorizontally: (width - 1 - x, y)
        case .flipVertically: (x, height - 1 - y)
        case .transpose: (y, x)
        case .transverse: (width - 1 - y, height - 1 - x)
        case .rotate90: (y, height - 1 - x)
        case .rotate180: (width - 1 - x, height - 1 - y)
        case .rotate270: (width - 1 - y, x)
        default: (x, y)
        }
    }

    private func turnsSides(_ operation: PictureTurn) -> Bool {
        [.transpose, .transverse, .rotate90, .rotate270].contains(operation)
    }

    private func luma(_ frame: Frame) throws -> Samples {
        Samples(try codec.decode(frame, DecodeSettings(pixelFormat: .gray8)))
    }

    @Test(arguments: PictureTurn.all)
    func pixelsAreWhereTheyBelong(_ operation: PictureTurn) throws {
        for subsampling in ChromaSubsampling.all {
            let picture = TestPicture(width: 64, height: 48)
            let jpeg = try codec.encode(
                picture.frame(.i444), EncodeSettings(quality: 90, subsampling: subsampling))
            let turned = try codec.transform(jpeg, JPEGTransform(operation))
            let sides = turnsSides(operation) ? (48, 64) : (64, 48)
            #expect((turned.format.width, turned.format.height) == sides)
            #expect(turned.quality == 90)
            for format in [PixelFormat.gray8, .i444] {
                let before = Samples(try codec.decode(jpeg, DecodeSettings(pixelFormat: format)))
                let after = Samples(try codec.decode(turned, DecodeSettings(pixelFormat: format)))
                for plane in 0..<(format == .gray8 ? 1 : 3) {
                    let result = difference(
                        (0..<sides.1).flatMap { y in
                            (0..<sides.0).map { x in
                                let (fromX, fromY) = origin(operation, x, y, 64, 48)
                                return (after[plane, x, y], before[plane, fromX, fromY])
                            }
                        })
                    #expect(result.largest <= 3, "\(operation) \(subsampling) \(format) plane \(plane): \(result)")
                }
            }
        }
    }

    @Test func incompleteBlocksAreRefusedOrTrimmed() throws {
        let picture = TestPicture(width: 70, height: 50)
        let jpeg = try codec.encode(picture.frame(.i420), EncodeSettings(quality: 90))
        let expected: [(PictureTurn, Int, Int)] = [
            (.flipHorizontally, 64, 50), (.flipVertically, 70, 48), (.transverse, 48, 64), (.rotate90, 48, 70),
            (.rotate180, 64, 48), (.rotate270, 50, 64),
        ]
        for (operation, width, height) in expected {
            #expect(code { _ = try codec.transform(jpeg, JPEGTransform(operation)) } == .invalidArgument)
            let trimmed = try codec.transform(jpeg, JPEGTransform(operation, edges: .trim))
            #expect((trimmed.format.width, trimmed.format.height) == (width, height), "\(operation)")
            let before = try luma(jpeg)
            let after = try luma(trimmed)
            let (fromX, fromY) = origin(operation, 3, 5, 64, 48)
            #expect(abs(Int(after[0, 3, 5]) - Int(before[0, fromX, fromY])) <= 3, "\(operation)")
        }
        for operation in [PictureTurn.none, .transpose] {
            let whole = try codec.transform(jpeg, JPEGTransform(operation))
            #expect(whole.format.width * whole.format.height == 70 * 50)
        }
    }

    @Test func trimmingAllOfItIsRefused() throws {
        let jpeg = try codec.encode(TestPicture(width: 7, height: 60).frame(.i420), EncodeSettings())
        #expect(
            code { _ = try codec.transform(jpeg, JPEGTransform(.flipHorizontally, edges: .trim)) } == .invalidArgument)
    }

    @Test func croppingKeepsThePixels() throws {
        let jpeg = try codec.encode(TestPicture(width: 96, height: 80).frame(.i420), EncodeSettings(quality: 90))
        let region = JPEGTransform.Region(x: 16, y: 32, width: 45, height: 31)
        let part = try codec.transform(jpeg, JPEGTransform(crop: region))
        #expect((part.format.width, part.format.height) == (45, 31))
        let (before, after) = (try luma(jpeg), try luma(part))
        for y in 0..<31 {
            for x in 0..<45 where after[0, x, y] != before[0, x + 16, y + 32] {
                Issue.record("(\(x), \(y)) differs")
                return
            }
        }
    }

    @Test func croppingATurnedPictureCountsInTheTurnedOne() throws {
        // 4:2:2 turned is 4:4:0: its blocks are 8 wide and 16 high.
        let jpeg = try codec.encode(
            TestPicture(width: 96, height: 80).frame(.i422), EncodeSettings(quality: 90, subsampling: .yuv422))
        let region = JPEGTransform.Region(x: 8, y: 16, width: 40, height: 24)
        let part = try codec.transform(jpeg, JPEGTransform(.rotate90, crop: region))
        #expect((part.format.width, part.format.height) == (40, 24))
        let (before, after) = (try luma(jpeg), try luma(part))
        let pairs = (0..<24).flatMap { y in
            (0..<40).map { x in
                let (fromX, fromY) = origin(.rotate90, x + 8, y + 16, 96, 80)
                return (after[0, x, y], before[0, fromX, fromY])
            }
        }
        #expect(difference(pairs).largest <= 3)
    }

    @Test(arguments: [
        (8, 0, 16, 16), (0, 8, 16, 16), (-16, 0, 16, 16), (0, 0, 0, 16), (0, 0, 16, -1), (0, 0, 97, 16), (80, 0, 17, 1),
        (0, 80, 1, 1), (16, 16, Int.max, 1), (Int.max & ~15, 0, 1, 1),
    ])
    func impossibleCrops(_ x: Int, _ y: Int, _ width: Int, _ height: Int) throws {
        let jpeg = try codec.encode(TestPicture(width: 96, height: 80).frame(.i420), EncodeSettings())
        let region = JPEGTransform.Region(x: x, y: y, width: width, height: height)
        #expect(code { _ = try codec.transform(jpeg, JPEGTransform(crop: region)) } == .invalidArgument)
    }

    @Test func colourIsDropped() throws {
        let jpeg = try codec.encode(TestPicture(width: 33, height: 19).frame(.i420), EncodeSettings(quality: 90))
        let region = JPEGTransform.Region(x: 8, y: 8, width: 9, height: 9)
        let gray = try codec.transform(jpeg, JPEGTransform(crop: region, dropsColour: true))
        #expect(try codec.nativePlaneFormat(of: gray) == .gray8)
        #expect((gray.format.width, gray.format.height) == (9, 9))
        #expect(try luma(gray)[0, 1, 1] == luma(jpeg)[0, 9, 9])
    }

    @Test func metadataIsKeptOrDropped() throws {
        let plain = try JPEGParts.encode(TestPicture(width: 32, height: 32))
        let comment = [0xFF, 0xFE, 0, 8] + Array("remark".utf8)
        let jpeg = try jpegFrame(Array(plain[..<2]) + comment + plain[2...])
        for keeps in [true, false] {
            let turned = bytes(try codec.transform(jpeg, JPEGTransform(.rotate90, keepsMetadata: keeps)))
            #expect(JPEGParts.segments(turned).contains { $0.marker == 0xFE } == keeps)
        }
    }

    @Test func moreMetadataThanRoomIsATypedError() throws {
        let plain = try JPEGParts.encode(TestPicture(width: 8, height: 8))
        let segment: [UInt8] = [0xFF, 0xEC, 0xFF, 0xFF] + [UInt8](repeating: 7, count: 65_533)
        let jpeg = try jpegFrame(Array(plain[..<2]) + segment + segment + plain[2...])
        #expect(code { _ = try codec.transform(jpeg, JPEGTransform(.transpose)) } == .limitExceeded)
        let slim = try codec.transform(jpeg, JPEGTransform(.transpose, keepsMetadata: false))
        #expect(slim.byteCount < 2000)
        #expect(try codec.decode(slim, DecodeSettings()).format.width == 8)
    }

    @Test func aTruncatedPictureFollowsTheStrictness() throws {
        let whole = try JPEGParts.encode(TestPicture(width: 256, height: 256))
        let half = try jpegFrame(Array(whole[..<(whole.count / 2)]))
        let strict = JPEGCodec(strictness: .strict)
        #expect(code { _ = try strict.transform(half, JPEGTransform(.rotate90)) } == .corruptImage)
        let tolerant = JPEGCodec(strictness: .tolerant)
        let turned = try tolerant.transform(half, JPEGTransform(.rotate90))
        #expect(tolerant.statistics.warnings == 1)
        #expect(try codec.decode(turned, DecodeSettings()).format.width == 256)
    }
}
