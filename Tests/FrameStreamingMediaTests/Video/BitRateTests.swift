import FrameStreamingCore
import TestThreads
import Testing

@testable import FrameStreamingMedia

/// The sizes of real encoders' frames follow what is asked for, while the encoder runs.
@Suite(.ownThread(atOnce: 2)) struct BitRateTests {
    private let planes = DecodeSettings(pixelFormat: .i420)

    private func settings(_ bytes: Int?, quality: Int = 95) -> EncodeSettings {
        var settings = EncodeSettings(quality: quality)
        settings.byteTarget = bytes
        return settings
    }

    @Test(arguments: VideoFormat.allCases) func sizesFollowTheTarget(format: VideoFormat) throws {
        let codec = try VideoCodec(format)
        let encoder = try codec.makeEncodingSession()
        let decoder = try codec.makeDecodingSession()
        var number = 0
        func run(_ bytes: Int?, _ count: Int) throws -> [Int] {
            try (0..<count).map { _ in
                let source = try NoisyPicture.i420(number)
                let frame = try encoder.encode(source, settings(bytes), standsAlone: number == 0)
                // Never a key frame: the encoder is the one of the first picture.
                #expect(frame.dependsOnPrevious == (number > 0), "\(number)")
                let decoded = try decoder.decode(frame, planes)
                if number % 8 == 7 { #expect(MovingPicture.likeness(decoded, source) > 12, "\(number)") }
                number += 1
                return frame.byteCount
            }
        }
        for bytes in [12_000, 3_000, 20_000, 6_000] {
            let sizes = try run(bytes, 20).suffix(15)
            let mean = sizes.reduce(0, +) / sizes.count
            #expect((bytes / 2...bytes * 5 / 4).contains(mean), "\(bytes): \(sizes)")
            #expect(sizes.allSatisfy { $0 < 2 * bytes }, "\(bytes): \(sizes)")
        }
        // Without a target the quality decides again.
        let free = try run(nil, 8)
        #expect(try #require(free.last) > 24_000, "\(free)")
    }

    /// The quality is a bound, too: a still picture costs next to nothing, whatever it may.
    @Test(arguments: VideoFormat.allCases) func noMoreThanTheQualityNeeds(format: VideoFormat) throws {
        let encoder = try VideoCodec(format).makeEncodingSession()
        let plain = try VideoCodec(format).makeEncodingSession()
        for number in 0..<10 {
            let source = try MovingPicture.i420(number, width: 320, height: 240)
            let bound = try encoder.encode(source, settings(200_000, quality: 50), standsAlone: false)
            let free = try plain.encode(source, settings(nil, quality: 50), standsAlone: false)
            #expect(abs(bound.byteCount - free.byteCount) <= free.byteCount / 4 + 64, "\(number)")
        }
    }

    @Test(arguments: VideoFormat.allCases) func keyFramesFollowTheTarget(format: VideoFormat) throws {
        let codec = try VideoCodec(format)
        let encoder = try codec.makeEncodingSession()
        let decoder = try codec.makeDecodingSession()
        var sizes: [Int] = []
        // The second one shows how much a key frame of this scene needs.
        for number in 0..<24 {
            let source = try NoisyPicture.i420(number)
            let frame = try encoder.encode(source, settings(15_000), standsAlone: number % 6 == 0)
            #expect(frame.dependsOnPrevious == (number % 6 > 0))
            _ = try decoder.decode(frame, planes)
            if number > 6, number % 6 == 0 { sizes.append(frame.byteCount) }
        }
        #expect(sizes.allSatisfy { (5_000..<30_000).contains($0) }, "sizes \(sizes)")
    }

    @Test(arguments: [VideoFormat.vp8, .vp9]) func anotherQualityNeedsNoKeyFrame(format: VideoFormat) throws {
        let codec = try VideoCodec(format)
        let encoder = try codec.makeEncodingSession()
        let decoder = try codec.makeDecodingSession()
        var likeness: [Int: Double] = [:]
        var sizes: [Int: Int] = [:]
        for (number, quality) in [60, 90, 30, 30, 60, 90, 90].enumerated() {
            let source = try NoisyPicture.i420(number)
            let frame = try encoder.encode(source, settings(nil, quality: quality), standsAlone: false)
            #expect(frame.dependsOnPrevious == (number > 0) && frame.quality == quality)
            likeness[quality] = MovingPicture.likeness(try decoder.decode(frame, planes), source)
            sizes[quality] = frame.byteCount
        }
        #expect(try #require(likeness[30]) < likeness[60] ?? 0 && likeness[60] ?? 0 < likeness[90] ?? 0, "\(likeness)")
        #expect(try #require(sizes[30]) < sizes[60] ?? 0 && sizes[60] ?? 0 < sizes[90] ?? 0, "\(sizes)")
    }

    @Test func targetsBelowAByteAreRefused() throws {
        let encoder = try VideoCodec(.h264).makeEncodingSession()
        for bytes in [0, -1, .min] {
            #expect(throws: FrameStreamingError.self) {
                _ = try encoder.encode(try NoisyPicture.i420(0), settings(bytes), standsAlone: false)
            }
        }
        // The extremes are targets like others.
        for bytes in [1, Int.max] {
            _ = try encoder.encode(try NoisyPicture.i420(0), settings(bytes), standsAlone: false)
        }
    }

    @Test(arguments: [VideoFormat.vp8, .vp9]) func theBudgetFindsTheQuantizer(format: VideoFormat) {
        var budget = FrameBudget(format, width: 1280, height: 720)
        // A scene whose frames are 400,000 bytes at quantizer 0, and half as many every 7 steps.
        func size(_ quantizer: Int) -> Int {
            (0..<quantizer).reduce(400_000) { bytes, _ in bytes * 906 / 1_000 }
        }
        var quantizer = 0
        for _ in 0..<30 {
            quantizer = budget.quantizer(bytes: 20_000, standsAlone: false, best: 4)
            budget.learn(bytes: size(quantizer), quantizer: quantizer, standsAlone: false)
        }
        #expect((14_000...23_000).contains(size(quantizer)), "\(quantizer): \(size(quantizer))")
        #expect(budget.quantizer(bytes: .max, standsAlone: false, best: 4) == 4)
        #expect(budget.quantizer(bytes: 1, standsAlone: false, best: 4) == 63)
        budget.learn(bytes: 0, quantizer: 63, standsAlone: true)
        #expect((4...63).contains(budget.quantizer(bytes: 0, standsAlone: true, best: 4)))
    }

    /// The way from one quantizer to another, in FFmpeg's and libvpx's own arithmetic.
    @Test func offsetsLeadToTheQuantizer() {
        for base in 0...63 {
            for wanted in 0...63 {
                #expect(RegionQuantizer.offset(from: base, to: wanted, .vp9) == wanted - base)
                let offset = RegionQuantizer.offset(from: base, to: wanted, .vp8)
                #expect(offset.signum() == (wanted - base).signum() && abs(offset) <= 63)
            }
        }
        #expect(RegionQuantizer.offset(from: 0, to: 63, .vp8) == 63)
        #expect(RegionQuantizer.offset(from: 11, to: 32, .vp8) == 25)
    }
}
