import FrameStreamingSystem
import FrameStreamingTesting
import Testing

@testable import FrameStreamingCamera
@testable import FrameStreamingCore

/// The JPEGs of MJPG cameras. The images are JPEGs in shape only: 24x16 pixels, one quantization
/// table, and a scan of a few bytes.
@Suite struct MotionJPEGTests {
    static let start: [UInt8] = [0xFF, 0xD8]
    static let end: [UInt8] = [0xFF, 0xD9]
    static let quantization: [UInt8] = [0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 16, count: 64)
    static let frame: [UInt8] = [0xFF, 0xC0, 0, 17, 8, 0, 16, 0, 24, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]
    static let tables = Array(MotionJPEG.standardTables)
    static let scan: [UInt8] = [0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0, 0x12, 0xFF, 0x00, 0x34, 0x56]
    static let whole = start + quantization + frame + tables + scan + end
    static let bare = start + quantization + frame + scan + end

    private func look(_ bytes: [UInt8]) -> MotionJPEG? {
        unsafe bytes.withUnsafeBytes { unsafe MotionJPEG($0) }
    }

    @Test func anIntactImageIsUnchanged() {
        let jpeg = look(Self.whole)
        #expect(jpeg?.range == 0..<Self.whole.count)
        #expect(jpeg?.isTruncated == false)
        #expect(jpeg?.tablesBelongAt == nil)
        #expect(jpeg?.width == 24)
        #expect(jpeg?.height == 16)
    }

    @Test func paddingIsNotPartOfTheImage() {
        let jpeg = look(Self.whole + [UInt8](repeating: 0, count: 5000))
        #expect(jpeg?.range == 0..<Self.whole.count)
        #expect(jpeg?.isTruncated == false)
        // Padding with other bytes is not, either.
        #expect(look(Self.whole + [1, 2, 3, 0, 0])?.range == 0..<Self.whole.count)
    }

    @Test(
        arguments: [
            [0xFF, 0xD8], [0xFF, 0xD8, 0xFF, 0xD9], [0, 0, 0], [0x12, 0xFF, 0xD8, 0x34], [0xFF, 0xD9],
        ] as [[UInt8]])
    func bytesBeforeTheImageAreLeftOut(_ junk: [UInt8]) {
        let jpeg = look(junk + Self.whole)
        #expect(jpeg?.range == junk.count..<junk.count + Self.whole.count)
        #expect(jpeg?.isTruncated == false)
    }

    @Test func aThumbnailIsNotTheImage() {
        // Its SOI, DQT and EOI are inside a segment and do not count.
        let inner = Self.whole
        let segment = [0xFF, 0xE1, UInt8((inner.count + 2) >> 8), UInt8((inner.count + 2) & 255)] + inner
        let jpeg = look(Self.start + segment + Self.quantization + Self.frame + Self.scan + Self.end)
        #expect(jpeg?.range.lowerBound == 0)
        // The thumbnail's tables are not the image's.
        #expect(jpeg?.tablesBelongAt == 2 + segment.count + Self.quantization.count + Self.frame.count)
    }

    @Test func anImageWithoutAnEndIsTruncated() {
        for length in Self.whole.count - 4..<Self.whole.count {
            #expect(look(Array(Self.whole[..<length]))?.isTruncated == true)
        }
        // Without a scan it is no image.
        for length in 0..<Self.whole.count - 2 - Self.scan.count { #expect(look(Array(Self.whole[..<length])) == nil) }
    }

    @Test func randomBytesNeverCrash() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var bytes = Self.bare
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            if let jpeg = look(bytes) {
                #expect(jpeg.range.upperBound <= bytes.count)
                #expect(jpeg.range.contains(jpeg.tablesBelongAt ?? jpeg.range.lowerBound))
            }
        }
    }

    // MARK: Through a camera

    private func video() -> FakeVideo {
        let video = FakeVideo()
        video.node { node in
            node.formats = [FakeNode.Format(fourcc: "MJPG", sizes: .discrete([(24, 16)]))]
            node.changeFormat = { $0.planes = [NodeFormat.Plane(stride: 0, size: 8192)] }
        }
        return video
    }

    @Test func jpegFramesAreDeliveredUnchanged() throws {
        let video = video()
        let camera = try video.camera()
        video.deliver(.frame([Self.whole + [UInt8](repeating: 0, count: 100)]))
        let frame = try #require(try camera.frame())
        #expect(frame.all == Self.whole)
        #expect(frame.format.pixelFormat == .jpeg)
        #expect([frame.format.width, frame.format.height] == [24, 16])
        // The Frame is the driver's buffer, without a copy.
        #expect(camera.pool.statistics.allocations == 0)
        #expect(video.node { $0.queued.count } == 4)
    }

    @Test func bytesBeforeTheImageAreCountedWithoutACopy() throws {
        let video = video()
        let camera = try video.camera()
        video.deliver(.frame([[0xFF, 0xD8, 0xFF, 0xD9] + Self.whole]))
        #expect(try camera.frame()?.all == Self.whole)
        #expect(camera.statistics.junkRemoved == 1)
        #expect(camera.pool.statistics.allocations == 0)
    }

    @Test func missingHuffmanTablesAreInserted() throws {
        let video = video()
        let camera = try video.camera()
        video.deliver(.frame([Self.bare]))
        let frame = try #require(try camera.frame())
        #expect(frame.all == Self.whole)
        #expect(camera.statistics.tablesInserted == 1)
        #expect(try JPEGHeader(frame.bytes).hasHuffmanTables)
        // The Frame is a copy, so the driver has its buffer again.
        #expect(video.node { $0.queued.count } == 5)
    }

    @Test(arguments: [TruncatedFramePolicy.drop, .pass, .repair]) func theTruncatedFramePolicyIsFollowed(
        _ policy: TruncatedFramePolicy
    ) throws {
        let video = video()
        let camera = try video.camera { $0.truncatedFrames = policy }
        let cut = Array(Self.whole.dropLast(4))
        video.deliver(.frame([cut]))
        let frame = try camera.frame()
        let expected: [UInt8]? =
            switch policy {
            case .pass: cut
            case .repair: cut + Self.end
            default: nil
            }
        #expect(frame?.all == expected)
        #expect(camera.statistics.truncatedFrames == 1)
        // Both faults at once.
        video.deliver(.frame([Array(Self.bare.dropLast(4))]))
        #expect(try camera.frame()?.all == expected)
    }

    @Test func buffersWithoutAnImageAreCounted() throws {
        let video = video()
        let camera = try video.camera { $0.truncatedFrames = .repair }
        video.deliver(.frame([[UInt8](repeating: 0x55, count: 300)]), .frame([Self.start + Self.end]))
        #expect(try camera.frame() == nil)
        #expect(camera.statistics.corruptFrames == 2)
        #expect(video.node { $0.queued.count } == 5)
    }
}
