import FrameStreamingCore
import FrameStreamingMedia
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// H.264, VP8 and VP9 by FFmpeg's real encoders and decoders: what is decoded is compared with what was
/// encoded.
@Suite(.ownThread(atOnce: 2)) struct VideoCodecTests {
    private let settings = EncodeSettings(quality: 90)
    private let planes = DecodeSettings(pixelFormat: .i420)

    @Test(arguments: VideoFormat.allCases, [(64, 48), (17, 13), (1, 1), (2, 3), (1366, 768)])
    func picturesComeBackAsTheyWere(format: VideoFormat, size: (width: Int, height: Int)) throws {
        let codec = try VideoCodec(format)
        let encoder = try codec.makeEncodingSession()
        let decoder = try codec.makeDecodingSession()
        for number in 0..<(size.width > 1000 ? 3 : 12) {
            var source = try MovingPicture.i420(number, width: size.width, height: size.height)
            source.metadata = [1, 2, UInt8(number)]
            source.captureTime = CaptureTime(.now)
            let encoded = try encoder.encode(source, settings, standsAlone: number == 7)
            #expect(encoded.format.pixelFormat == format.pixelFormat && encoded.format.planeCount == 0)
            #expect(encoded.format.width == size.width && encoded.format.height == size.height)
            #expect(encoded.dependsOnPrevious == ![0, 7].contains(number), "\(number)")
            #expect(encoded.metadata == source.metadata && encoded.sequence == source.sequence)
            let decoded = try decoder.decode(encoded, planes)
            #expect(decoded.metadata == source.metadata && decoded.captureTime == source.captureTime)
            #expect(decoded.format.colorRange == .limited && decoded.format.colorMatrix == .bt601)
            #expect(!decoded.dependsOnPrevious && decoded.quality == nil)
            let likeness = MovingPicture.likeness(decoded, source)
            #expect(likeness > 28, "\(number): \(likeness) dB")
        }
    }

    @Test(arguments: [PixelFormat.bgr24, .rgb24, .bgra32, .rgba32]) func coloursComeBack(_ pixelFormat: PixelFormat)
        throws
    {
        let codec = try VideoCodec(.h264)
        let source = try MovingPicture.rgb(3, width: 130, height: 98, as: pixelFormat)
        let encoded = try codec.encode(source, EncodeSettings(quality: 95))
        #expect(encoded.format.colorRange == .limited && encoded.format.colorMatrix == .bt601)
        let decoded = try codec.decode(encoded, DecodeSettings(pixelFormat: pixelFormat))
        #expect(decoded.format.colorRange == .full)
        // Without alpha.
        var (largest, sum) = (0, 0)
        let bytes = source.format.plane(0).rowBytes / 130
        for y in 0..<98 {
            let (a, b) = (source.plane(0).row(y), decoded.plane(0).row(y))
            for x in a.indices where bytes == 3 || x % 4 < 3 {
                largest = max(largest, abs(Int(a[x]) - Int(b[x])))
                sum += abs(Int(a[x]) - Int(b[x]))
            }
        }
        #expect(sum < 98 * 130 * 3 * 4, "\(sum) \(largest)")
    }

    @Test(arguments: [PixelFormat.nv12, .nv21, .yuyv, .uyvy, .i422, .i444, .yv12, .gray8])
    func everyLayoutIsTaken(_ pixelFormat: PixelFormat) throws {
        let codec = try VideoCodec(.h264)
        let format = try FrameFormat(width: 33, height: 17, pixelFormat: pixelFormat)
        // One gray value with luma and chroma apart.
        let source = try Frame.filled(format) { index in
            if format.planeCount == 1, pixelFormat != .gray8 {
                return index % 2 == (pixelFormat == .yuyv ? 0 : 1) ? 90 : 128
            }
            return index < format.plane(0).byteCount ? 90 : 128
        }
        let decoded = try codec.decode(try codec.encode(source, settings), DecodeSettings(pixelFormat: .gray8))
        let luma = decoded.plane(0)
        for y in 0..<17 {
            let row = luma.row(y)
            #expect(row.indices.allSatisfy { abs(Int(row[$0]) - 90) <= 3 }, "\(pixelFormat), row \(y)")
        }
    }

    @Test func scaledPicturesAreSmaller() throws {
        let codec = try VideoCodec(.h264)
        let source = try MovingPicture.i420(1, width: 131, height: 99)
        let encoded = try codec.encode(source, EncodeSettings(quality: 90, scale: .half))
        #expect(encoded.format.width == 66 && encoded.format.height == 50)
        let decoded = try codec.decode(encoded, DecodeSettings(pixelFormat: .bgr24, scale: .quarter))
        #expect(decoded.format.width == 17 && decoded.format.height == 13)
    }

    /// No encoder begins again.
    @Test(arguments: VideoFormat.allCases) func theQualityChangesWhileItRuns(format: VideoFormat) throws {
        let codec = try VideoCodec(format)
        let encoder = try codec.makeEncodingSession()
        let decoder = try codec.makeDecodingSession()
        var bytes: [Int: Int] = [:]
        for number in 0..<30 {
            let quality = number < 15 ? 90 : 20
            let source = try MovingPicture.i420(number, width: 320, height: 240)
            let encoded = try encoder.encode(source, EncodeSettings(quality: quality), standsAlone: false)
            #expect(encoded.quality == quality)
            #expect(encoded.dependsOnPrevious == (number > 0), "\(number)")
            #expect(try decoder.decode(encoded, planes).format.width == 320)
            if number % 15 > 4 { bytes[quality, default: 0] += encoded.byteCount }
        }
        #expect((bytes[20] ?? 0) * 2 < bytes[90] ?? 0, "\(bytes)")
    }

    @Test func anotherSizeBeginsAgain() throws {
        let codec = try VideoCodec(.h264)
        let encoder = try codec.makeEncodingSession()
        let decoder = try codec.makeDecodingSession()
        for number in 0..<8 {
            let source = try MovingPicture.i420(number, width: number < 4 ? 64 : 97, height: 48)
            let encoded = try encoder.encode(source, settings, standsAlone: false)
            #expect(encoded.dependsOnPrevious == (number % 4 > 0))
            #expect(MovingPicture.likeness(try decoder.decode(encoded, planes), source) > 28)
        }
    }

    /// Damaged and hostile frames are refused, or give a picture of the stated size: nothing traps.
    @Test(arguments: VideoFormat.allCases) func damagedFramesAreRefused(format: VideoFormat) throws {
        let codec = try VideoCodec(format)
        let encoder = try codec.makeEncodingSession()
        let frames = try (0..<4).map { number in
            try encoder.encode(
                try MovingPicture.i420(number, width: 64, height: 48), settings, standsAlone: false)
        }
        var state: UInt64 = 7
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var refused = 0
        for _ in 0..<500 {
            let decoder = try codec.makeDecodingSession()
            for frame in frames {
                var bytes = frame.samples.indices.map { frame.samples[$0] }
                for _ in 0..<random(4) { bytes[random(bytes.count)] = UInt8(random(256)) }
                if random(4) == 0 { bytes.removeLast(random(bytes.count)) }
                var damaged = try Frame.filled(frame.format, byteCount: bytes.count) { bytes[$0] }
                damaged.takeDescription(of: frame)
                do throws(FrameStreamingError) {
                    let picture = try decoder.decode(damaged, planes)
                    #expect(picture.format.width == 64 && picture.format.height == 48)
                } catch {
                    #expect([.corruptImage, .unsupported, .limitExceeded].contains(error.code), "\(error)")
                    refused += 1
                    break
                }
            }
        }
        #expect(refused > 50, "\(refused)")
    }

    @Test func whatIsImpossibleSaysWhy() throws {
        func error(_ body: () throws(FrameStreamingError) -> Void) -> FrameStreamingError? {
            do throws(FrameStreamingError) {
                try body()
                return nil
            } catch { return error }
        }
        let unknown = error { () throws(FrameStreamingError) in _ = try VideoCodec(.h264, encoder: "h264_of_mars") }
        #expect(unknown?.code == .unsupported && unknown?.message.contains("ffmpeg -encoders") == true)
        let other = error { () throws(FrameStreamingError) in _ = try VideoCodec(.vp8, encoder: "libx264") }
        #expect(other?.code == .unsupported && other?.message.contains("does not make VP8") == true)
        let codec = try VideoCodec(.h264, maximumPixels: 100)
        let picture = try MovingPicture.i420(0, width: 64, height: 48)
        let encoded = try codec.encode(picture, settings)
        #expect(
            error { () throws(FrameStreamingError) in _ = try codec.decode(encoded, planes) }?.code == .limitExceeded)
        let jpeg = try Frame.filled(
            try FrameFormat(width: 8, height: 8, pixelFormat: .jpeg), byteCount: 9
        ) { UInt8($0) }
        #expect(error { () throws(FrameStreamingError) in _ = try codec.encode(jpeg, settings) }?.code == .unsupported)
        #expect(
            error { () throws(FrameStreamingError) in
                _ = try codec.encode(picture, EncodeSettings(quality: 0))
            }?.code == .invalidArgument)
    }

    /// A whole pipeline with a slow receiver: pictures are dropped before they are encoded.
    @Test(arguments: VideoFormat.allCases) func aStreamWithDropsShowsRightPictures(format: VideoFormat) throws {
        let codec = try VideoCodec(format)
        let link = MemoryTransport.pair(creditAhead: 2)
        let receiver = try FrameReceiver(codec: codec, transport: link.receiver, decode: planes)
        let receiving = try Background("the receiver") { () throws -> [ReceivedFrame] in
            var received: [ReceivedFrame] = []
            while let frame = try receiver.next() { received.append(frame) }
            return received
        }
        var source = ScriptedSource(
            try (0..<200).map { try MovingPicture.i420($0, width: 160, height: 120) }, isLive: true)
        let total = try FrameSender(
            codec: codec, transport: link.sender,
            options: SenderOptions(policy: .latest, window: .fixed(2), encode: settings)
        ).run(&source).total
        let received = try receiving.value()
        #expect(total.acknowledged == received.count && total.failed == 0 && received.count > 1)
        for (index, frame) in received.enumerated() {
            let source = try MovingPicture.i420(Int(frame.frame.sequence), width: 160, height: 120)
            #expect(MovingPicture.likeness(frame.frame, source) > 28, "\(frame.frame.sequence)")
            #expect(frame.encoded.dependsOnPrevious == (index > 0))
        }
    }
}
