import CTurboJPEG
import FrameStreamingCore
import Testing

@testable import FrameStreamingJPEG

@Suite struct TurboCompressorTests {
    /// Noise at quality 100, which no JPEG makes small.
    private func noise(_ width: Int, _ height: Int, _ format: PixelFormat) throws -> Frame {
        let shape = try FrameFormat(width: width, height: height, pixelFormat: format, colorRange: .full)
        var random = SystemRandomNumberGenerator()
        // Half of the bytes are 255. One random number is for four bytes: it costs more than they do.
        let words: [UInt8] = (0..<(shape.byteCount + 3) / 4).flatMap { _ -> [UInt8] in
            let word = random.next()
            return (0..<4).map { index -> UInt8 in
                let part = word >> UInt64(16 * index)
                return part & 256 == 0 ? 255 : UInt8(truncatingIfNeeded: part)
            }
        }
        return try makeFrame(Array(words.prefix(shape.byteCount)), shape)
    }

    @Test func theRoomIsNeverLessThanTheLibraryTakes() throws {
        let pool = FramePool(capacity: 4)
        for (width, height) in [
            (1, 1), (2, 2), (3, 7), (8, 8), (9, 9), (17, 13), (16, 1), (1, 33), (65, 49), (320, 200),
        ] {
            for (format, samplings) in [
                (PixelFormat.gray8, [ChromaSubsampling.gray]), (.bgr24, ChromaSubsampling.all),
                (.i444, ChromaSubsampling.all), (.yuyv, ChromaSubsampling.all),
            ] {
                let frame = try noise(width, height, format)
                for sampling in samplings {
                    // A new compressor each time, so its room is no larger than this frame needs.
                    let compressor = try TurboCompressor()
                    let buffer = try compressor.compress(
                        frame, quality: 100, subsampling: sampling, into: pool)
                    #expect(UInt(compressor.outputCapacity) == tjBufSize(CInt(width), CInt(height), sampling.code))
                    #expect(buffer.byteCount <= compressor.outputCapacity)
                    #expect(buffer.byteCount > 0)
                }
            }
        }
    }

    @Test func theRoomIsKeptFromFrameToFrame() throws {
        let compressor = try TurboCompressor()
        let pool = FramePool(capacity: 1)
        for (size, allocations) in [(64, 2), (64, 2), (16, 2), (128, 4), (64, 4)] {
            _ = try compressor.compress(
                noise(size, size, .yuyv), quality: 50, subsampling: .yuv420, into: pool)
            #expect(compressor.scratchAllocations == allocations)
        }
    }

    @Test func fullRangePlanesAreUsedInPlace() throws {
        let compressor = try TurboCompressor()
        let pool = FramePool(capacity: 1)
        let picture = TestPicture(width: 32, height: 16)
        for (format, sampling) in [
            (PixelFormat.i420, ChromaSubsampling.yuv420), (.yv12, .yuv420), (.i422, .yuv422), (.i444, .yuv444),
            (.gray8, .gray), (.i420, .gray), (.nv12, .gray),
        ] {
            _ = try compressor.compress(
                picture.frame(format, padding: 9), quality: 50, subsampling: sampling, into: pool)
            // The one allocation is the output's, which 4:4:4 made larger.
            #expect(compressor.scratchAllocations <= 3)
        }
        let before = compressor.scratchAllocations
        _ = try compressor.compress(picture.frame(.nv12), quality: 50, subsampling: .yuv420, into: pool)
        #expect(compressor.scratchAllocations == before + 1)
    }

    @Test func impossibleSizesAreAnError() {
        #expect(code { _ = try TurboHandle.largestJPEG(width: 0, height: 4, sampling: 0) } == .unsupported)
        #expect(code { _ = try TurboHandle.largestJPEG(width: 4, height: 4, sampling: 99) } == .unsupported)
    }
}
