import FrameStreamingCore
import Foundation
import Testing

@testable import FrameStreamingJPEG

@Suite struct JPEGCodecTests {
    @Test func aHandleIsGoodAgainAfterAFatalError() throws {
        let codec = JPEGCodec()
        let picture = TestPicture(width: 32, height: 32)
        let jpeg = try JPEGParts.encode(picture)
        let good = try jpegFrame(jpeg)
        let bad = try jpegFrame([0xFF, 0xD8] + jpeg)
        let expected = bytes(try codec.decode(good, DecodeSettings()))
        for _ in 0..<20 {
            #expect(code { _ = try codec.decode(bad, DecodeSettings()) } == .corruptImage)
            #expect(bytes(try codec.decode(good, DecodeSettings())) == expected)
        }
        #expect(codec.statistics.handles == 1)
    }

    @Test func nothingIsAllocatedOnceWarm() throws {
        let codec = JPEGCodec(framePoolCapacity: 3)
        let picture = TestPicture(width: 330, height: 244)
        let frames = try [PixelFormat.i420, .yuyv, .bgr24].map { try picture.frame($0, range: .limited) }
        var settled: JPEGCodec.Statistics?
        for round in 0..<6 {
            for frame in frames {
                let jpeg = try codec.encode(frame, EncodeSettings(quality: 80))
                for format in [PixelFormat.bgr24, .i420, .i444] {
                    let decoded = try codec.decode(jpeg, DecodeSettings(pixelFormat: format))
                    #expect(decoded.byteCount > 0)
                }
                _ = try codec.transform(jpeg, JPEGTransform(.rotate90, edges: .trim))
            }
            if round == 1 { settled = codec.statistics }
        }
        #expect(codec.statistics == settled)
        #expect(codec.statistics.encoded.leased == 0 && codec.statistics.decoded.leased == 0)
        #expect(codec.statistics.encoded.unpooled == 0 && codec.statistics.decoded.unpooled == 0)
    }

    @Test func manyThreadsGetWhatOneGets() throws {
        let codec = JPEGCodec(framePoolCapacity: 8)
        let pictures = try (0..<8).map { index in
            try TestPicture(width: 64 + 7 * index, height: 48 + 5 * index).frame(
                [PixelFormat.i420, .yuyv, .bgr24, .nv12][index % 4], range: .limited)
        }
        @Sendable func work(_ codec: JPEGCodec, _ index: Int) throws -> [[UInt8]] {
            let jpeg = try codec.encode(pictures[index], EncodeSettings(quality: 30 + 8 * index))
            return try [bytes(jpeg)]
                + [PixelFormat.bgr24, .i420, .i422].map {
                    bytes(try codec.decode(jpeg, DecodeSettings(pixelFormat: $0)))
                } + [bytes(codec.transform(jpeg, JPEGTransform(.rotate180, edges: .trim)))]
        }
        let expected = try (0..<8).map { try work(JPEGCodec(), $0) }
        let wrong = Wrong()
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for turn in 0..<20 {
                let index = (thread + turn) % 8
                if (try? work(codec, index)) != expected[index] { wrong.count() }
            }
        }
        #expect(wrong.total == 0)
        #expect(codec.statistics.handles <= 24)
    }

    private final class Wrong: @unchecked Sendable {
        private let lock = NSLock()
        private var sum = 0
        func count() { lock.withLock { sum += 1 } }
        var total: Int { lock.withLock { sum } }
    }
}
