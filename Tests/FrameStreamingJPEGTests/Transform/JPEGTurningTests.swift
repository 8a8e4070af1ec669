import FrameStreamingCore
import FrameStreamingTesting
import Testing

@testable import FrameStreamingJPEG

/// Pictures that are turned, with the EXIF orientation of their camera.
@Suite struct JPEGTurningTests {
    private let codec = JPEGCodec()

    /// The JPEG with an EXIF segment behind its start.
    private func oriented(_ jpeg: Frame, _ orientation: Int) throws -> Frame {
        var payload: [UInt8] = Array("Exif".utf8)
        payload += [0, 0]
        payload += Array("MM".utf8)
        payload += [0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, UInt8(orientation), 0, 0]
        payload += [0, 0, 0, 0]
        let stored = bytes(jpeg)
        var all = Array(stored[..<2])
        all += [0xFF, 0xE1, 0, UInt8(payload.count + 2)]
        all += payload
        all += stored[2...]
        return try Frame.filled(jpeg.format, byteCount: all.count) { all[$0] }
    }

    private func luma(_ frame: Frame) throws -> Samples {
        Samples(try codec.decode(frame, DecodeSettings(pixelFormat: .gray8)))
    }

    /// How far the luma of `after` is from that of `before`, turned.
    private func distance(_ after: Frame, _ before: Frame, _ turn: PictureTurn) throws -> Int {
        var gray = try codec.decode(before, DecodeSettings(pixelFormat: .gray8))
        gray.uprightTurn = .none
        let expected = Samples(try gray.turned(turn))
        let result = try luma(after)
        let (width, height) = (after.format.width, after.format.height)
        return difference(
            (0..<height).flatMap { y in (0..<width).map { x in (result[0, x, y], expected[0, x, y]) } }
        ).largest
    }

    /// Sizes that are turned without loss, and that are encoded again.
    @Test(arguments: [(64, 48), (50, 30)]) func warningsAreMarkedOnWhatIsTurned(_ width: Int, _ height: Int) throws {
        let whole = try codec.encode(
            TestPicture(width: width, height: height).frame(.i444), EncodeSettings(quality: 90, subsampling: .yuv420))
        #expect(try !codec.turned(whole, .rotate90).hasDecodeWarnings)
        let bytes = bytes(whole).dropLast(40) + [0xFF, 0xD9]
        let cut = try Frame.filled(whole.format, byteCount: bytes.count) { bytes[bytes.startIndex + $0] }
        let before = codec.statistics.warnings
        let turned = try codec.turned(cut, .rotate90)
        #expect(turned.hasDecodeWarnings && !cut.hasDecodeWarnings)
        #expect(codec.statistics.warnings == before + 1)
        // The result is a picture without fault.
        #expect(try !codec.decode(turned, DecodeSettings(pixelFormat: .gray8)).hasDecodeWarnings)
    }

    @Test(arguments: 1...8) func wholeBlocksAreTurnedWithoutLoss(_ orientation: Int) throws {
        let stored = try codec.encode(
            TestPicture(width: 64, height: 48).frame(.i444), EncodeSettings(quality: 90, subsampling: .yuv420))
        let frame = try oriented(stored, orientation)
        let decoded = try codec.decode(frame, DecodeSettings(pixelFormat: .gray8))
        let upright = try #require(PictureTurn(exifOrientation: orientation))
        #expect(decoded.uprightTurn == upright)
        for turn in [PictureTurn.none, .rotate90, .rotate180, .rotate270] {
            let turned = try codec.turned(frame, turn)
            let whole = upright.followed(by: turn)
            #expect(turned.format.width == (whole.swapsSides ? 48 : 64))
            // 3: a coefficient that is moved is decoded with other rounding.
            #expect(try distance(turned, stored, whole) <= 3, "\(orientation), \(turn)")
            #expect(try codec.decode(turned, DecodeSettings(pixelFormat: .gray8)).uprightTurn == .none)
            if upright == .none, turn == .none { #expect(turned.sharesBytes(with: frame)) }
            // Nothing was quantised again: turned back, the picture is the same.
            let back = try codec.turned(turned, whole.inverse)
            #expect(try distance(back, stored, .none) == 0, "\(orientation), \(turn)")
        }
    }

    /// Sizes and samplings that no lossless turn has.
    @Test(arguments: [(17, 13), (1, 1), (72, 56), (1366, 768)]) func otherSizesAreEncodedAgain(
        _ width: Int, _ height: Int
    ) throws {
        for subsampling in ChromaSubsampling.all {
            let stored = try codec.encode(
                TestPicture(width: width, height: height).frame(.i444),
                EncodeSettings(quality: 95, subsampling: subsampling))
            let frame = try oriented(stored, 6)
            // The two cancel each other, and the picture is not to be turned twice.
            let asStored = try codec.turned(frame, .rotate270, quality: 95)
            #expect(asStored.format.width == width)
            #expect(try distance(asStored, stored, .none) <= 12, "\(subsampling)")
            #expect(try codec.decode(asStored, DecodeSettings(pixelFormat: .gray8)).uprightTurn == .none)
            let turned = try codec.turned(frame, quality: 95)
            #expect(turned.format.width == height && turned.format.height == width)
            #expect(try distance(turned, stored, .rotate90) <= 12, "\(subsampling)")
            #expect(try codec.decode(turned, DecodeSettings(pixelFormat: .gray8)).uprightTurn == .none)
        }
    }

    @Test func whatIsEncodedAgainIsUpright() throws {
        let stored = try codec.encode(
            TestPicture(width: 40, height: 24).frame(.i420), EncodeSettings(quality: 95))
        let frame = try oriented(stored, 8)
        let small = try codec.decode(frame, DecodeSettings(pixelFormat: .i420, scale: .half))
        let again = try codec.encode(small, EncodeSettings(quality: 95))
        #expect(again.format.width == 12 && again.format.height == 20)
        #expect(again.uprightTurn == .none)
        let raw = try codec.decode(frame, DecodeSettings(pixelFormat: .bgr24))
        let whole = try codec.encode(raw, EncodeSettings(quality: 95))
        #expect(try distance(whole, stored, .rotate270) <= 12)
    }

    @Test func aSourceTurnsRawFramesAndJPEGsAndPassesTheRestOn() throws {
        let picture = TestPicture(width: 32, height: 16)
        let jpeg = try codec.encode(picture.frame(.i420), EncodeSettings(quality: 90))
        let raw = try picture.frame(.yuyv)
        let lost = FrameStreamingError(.connectionLost, "unplugged")
        let whole = bytes(jpeg)
        let cut = try Frame.filled(jpeg.format, byteCount: 20) { whole[$0] }
        var source = TurnedSource(
            ScriptedSource(
                steps: [
                    .event(.frame(raw)), .event(.frame(cut)), .event(.frame(jpeg)),
                    .event(.lost(error: lost)), .event(.restored),
                ], isLive: true), turn: .rotate90)
        #expect(source.isLive)
        var seen: [String] = []
        while let event = try source.next(until: Deadline.after(.seconds(30))) {
            switch event {
            case .frame(let frame): seen.append("\(frame.format)")
            case .lost: seen.append("lost")
            case .restored: seen.append("restored")
            case .damaged(let count, let latest): seen.append("\(count) \(latest.code)")
            @unknown default: seen.append("unknown")
            }
        }
        #expect(seen == ["16x32 I444 (YU24)", "1 corruptImage", "16x32 JPEG", "lost", "restored"])
    }

    /// What a codec refuses costs one picture, as it does on the way to a receiver.
    @Test func aSourceLeavesOutWhatCannotBeTurned() throws {
        let small = try codec.encode(TestPicture(width: 16, height: 16).frame(.i420), EncodeSettings(quality: 90))
        let large = try codec.encode(TestPicture(width: 64, height: 64).frame(.i420), EncodeSettings(quality: 90))
        let end = FrameStreamingError(.truncatedInput, "the camera is gone")
        let steps: [ScriptedSource.Step] =
            [.event(.frame(small))] + [Frame](repeating: large, count: 3).map { .event(.frame($0)) } + [.failure(end)]
        var source = TurnedSource(
            ScriptedSource(steps: steps), turn: .rotate90, codec: JPEGCodec(maximumPixels: 16 * 16))
        var seen: [String] = []
        var failure: FrameStreamingError?
        while failure == nil {
            do throws(FrameStreamingError) {
                switch try source.next(until: .after(.seconds(60))) {
                case .frame(let frame)?: seen.append("\(frame.format)")
                case .damaged(let count, let latest)?: seen.append("\(count) \(latest.code)")
                default: seen.append("other")
                }
            } catch {
                failure = error
            }
        }
        #expect(seen == ["16x16 JPEG", "1 limitExceeded", "2 limitExceeded"] && failure == end)
        // Nothing but pictures that cannot be turned is a failure.
        var hopeless = TurnedSource(
            ScriptedSource(steps: Array(steps[1...3])), turn: .rotate90, codec: JPEGCodec(maximumPixels: 16 * 16))
        for words in ["1", "2"] {
            guard case .damaged(let count, _)? = try hopeless.next(until: .after(.seconds(60))) else { break }
            #expect("\(count)" == words)
        }
        #expect(throws: FrameStreamingError.self) { _ = try hopeless.next(until: .after(.seconds(60))) }
        // A source that never has to be waited for does not keep its caller.
        var hasty = TurnedSource(
            ScriptedSource(steps: steps), turn: .rotate90, codec: JPEGCodec(maximumPixels: 1))
        #expect(throws: FrameStreamingError.self) {
            guard case .damaged(count: 1, latest: _)? = try hasty.next(until: .now) else { return }
            _ = try hasty.next(until: .now)
        }
    }

    /// More metadata than a transformed picture has room for.
    @Test func aPictureWithMuchMetadataIsEncodedAgain() throws {
        let jpeg = try codec.encode(TestPicture(width: 64, height: 64).frame(.i420), EncodeSettings(quality: 90))
        let stored = bytes(jpeg)
        var all = Array(stored[..<2])
        for _ in 0..<4 { all += [0xFF, 0xE2, 0xFF, 0xFF] + [UInt8](repeating: 7, count: 65_533) }
        all += stored[2...]
        let frame = try Frame.filled(jpeg.format, byteCount: all.count) { all[$0] }
        let turned = try codec.turned(frame, .rotate90, quality: 95)
        #expect(try distance(turned, jpeg, .rotate90) <= 12)
        #expect(turned.byteCount < 65_536)
    }

    @Test func aQualityThatIsNoneIsRefused() throws {
        let jpeg = try codec.encode(TestPicture(width: 17, height: 13).frame(.i420), EncodeSettings(quality: 90))
        var unknown = jpeg
        unknown.quality = nil
        #expect(throws: FrameStreamingError.self) { try codec.turned(unknown, .rotate90, quality: 0) }
        #expect(try codec.turned(jpeg, .rotate90, quality: 0).quality == 90)
    }
}

extension PictureTurn {
    fileprivate var inverse: PictureTurn {
        switch self {
        case .rotate90: .rotate270
        case .rotate270: .rotate90
        default: self
        }
    }
}
