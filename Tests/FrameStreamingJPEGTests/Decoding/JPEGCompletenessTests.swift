import CTurboJPEG
import FrameStreamingCore
import FrameStreamingJPEG
import Testing

/// Data of libjpeg itself, of which the end is known.
@Suite struct JPEGCompletenessTests {
    private func completeness(_ bytes: [UInt8]) -> JPEGCompleteness { JPEGCompleteness(of: unsafe bytes.span.bytes) }

    @Test(
        arguments: [TJSAMP_444, TJSAMP_422, TJSAMP_420, TJSAMP_GRAY, TJSAMP_440, TJSAMP_411].map { CInt($0.rawValue) })
    func `data are complete with their last byte`(sampling: CInt) throws {
        for (width, height) in [(64, 48), (37, 29), (8, 8)] {
            let jpeg = try JPEGParts.encode(TestPicture(width: width, height: height), sampling: sampling)
            #expect(completeness(jpeg) == .complete(byteCount: jpeg.count - 2))
            #expect(completeness(jpeg.dropLast(2) + [0, 0, 0]) == .complete(byteCount: jpeg.count - 2))
            let start = JPEGParts.segments(jpeg).last?.range.upperBound ?? 0
            // The last byte may hold padding only.
            for cut in start..<jpeg.count - 3 {
                #expect(completeness(Array(jpeg.prefix(cut))) == .cut, "\(width)x\(height) cut at \(cut)")
            }
        }
    }

    @Test func `a progressive JPEG is not judged`() throws {
        let jpeg = try JPEGParts.encode(TestPicture(width: 64, height: 48), flags: TJFLAG_PROGRESSIVE)
        #expect(completeness(jpeg) == .unknown)
        #expect(completeness(Array(jpeg.prefix(jpeg.count / 2))) == .unknown)
    }

    @Test func `tables that are left out are the standard ones`() throws {
        let jpeg = try JPEGParts.encode(TestPicture(width: 37, height: 29))
        let without = JPEGParts.without(0xC4, jpeg)
        #expect(completeness(without) == .complete(byteCount: without.count - 2))
    }

    @Test func `no bytes trap`() throws {
        let jpeg = try JPEGParts.encode(TestPicture(width: 37, height: 29))
        for index in 2..<jpeg.count {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var damaged = jpeg
                damaged[index] = value
                _ = completeness(damaged)
                _ = completeness(Array(damaged.prefix(index + 1)))
            }
        }
    }
}
