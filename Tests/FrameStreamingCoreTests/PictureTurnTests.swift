import FrameStreamingTesting
import Testing

@testable import FrameStreamingCore

/// Turning pixels, for each format and odd sizes.
@Suite struct PictureTurnTests {
    /// Where a pixel of the turned picture comes from, written out for each turn.
    private static func origin(_ turn: PictureTurn, _ x: Int, _ y: Int, _ width: Int, _ height: Int) -> (Int, Int) {
        switch turn {
        case .none: (x, y)
        case .flipHorizontally: (width - 1 - x, y)
        case .flipVertically: (x, height - 1 - y)
        case .rotate180: (width - 1 - x, height - 1 - y)
        case .transpose: (y, x)
        case .rotate90: (y, height - 1 - x)
        case .rotate270: (width - 1 - y, x)
        case .transverse: (width - 1 - y, height - 1 - x)
        }
    }

    /// A sample of a pixel's component, found in the plain way.
    private static func sample(_ frame: Frame, _ component: Int, _ x: Int, _ y: Int) -> Int {
        func at(_ plane: Int, _ x: Int, _ y: Int) -> Int {
            let layout = frame.format.plane(plane)
            return Int(frame.samples[layout.offset + y * layout.stride + x])
        }
        switch frame.format.pixelFormat {
        case .gray8: return at(0, x, y)
        case .rgb24, .bgr24: return at(0, 3 * x + component, y)
        case .rgba32, .bgra32: return at(0, 4 * x + component, y)
        case .i444: return at(component, x, y)
        case .i422: return component == 0 ? at(0, x, y) : at(component, x / 2, y)
        case .i420: return component == 0 ? at(0, x, y) : at(component, x / 2, y / 2)
        case .yv12: return component == 0 ? at(0, x, y) : at(3 - component, x / 2, y / 2)
        case .nv12: return component == 0 ? at(0, x, y) : at(1, x / 2 * 2 + component - 1, y / 2)
        case .nv21: return component == 0 ? at(0, x, y) : at(1, x / 2 * 2 + 2 - component, y / 2)
        case .yuyv: return component == 0 ? at(0, 2 * x, y) : at(0, x / 2 * 4 + 2 * component - 1, y)
        default: return component == 0 ? at(0, 2 * x + 1, y) : at(0, x / 2 * 4 + 2 * component - 2, y)
        }
    }

    private static func frame(_ pixelFormat: PixelFormat, _ width: Int, _ height: Int) throws -> Frame {
        let tight = try FrameFormat(width: width, height: height, pixelFormat: pixelFormat)
        // Lines with padding, as drivers have them.
        let format = try FrameFormat(
            width: width, height: height, pixelFormat: pixelFormat,
            strides: (0..<tight.planeCount).map { tight.plane($0).rowBytes + 3 })
        var frame = try Frame.filled(format, sequence: 7, captureTime: CaptureTime(.now)) {
            UInt8(truncatingIfNeeded: $0 &* 151 ^ ($0 >> 5))
        }
        frame.metadata = [1, 2, 3]
        return frame
    }

    private static func components(_ format: PixelFormat) -> Int {
        format == .gray8 ? 1 : [.rgba32, .bgra32].contains(format) ? 4 : 3
    }

    @Test(arguments: PixelFormat.allNamed.filter { $0 != .jpeg })
    func everyPixelGoesWhereItBelongs(_ pixelFormat: PixelFormat) throws {
        for (width, height) in [(1, 1), (2, 1), (1, 2), (17, 13), (18, 14), (130, 67)] {
            let frame = try Self.frame(pixelFormat, width, height)
            for turn in PictureTurn.all {
                let turned = try frame.turned(turn)
                let size = turn.swapsSides ? (height, width) : (width, height)
                try #require(turned.format.width == size.0 && turned.format.height == size.1)
                #expect(turned.format == frame.format.turned(turn))
                #expect(
                    turned.metadata == [1, 2, 3] && turned.sequence == 7 && turned.captureTime == frame.captureTime)
                // Chroma that pixels share is the mean of what each of them had.
                let shared: (Int, Int) =
                    switch turned.format.pixelFormat.sampling {
                    case .yuv420: (2, 2)
                    case .yuv422: (2, 1)
                    default: (1, 1)
                    }
                var wrong = 0
                for component in 0..<Self.components(pixelFormat) {
                    let (across, down) = component == 0 ? (1, 1) : shared
                    for y in 0..<size.1 {
                        for x in 0..<size.0 {
                            var sum = 0
                            for line in 0..<down {
                                for column in 0..<across {
                                    // An odd side's last pixel counts twice.
                                    let (from, to) = (x / across * across, y / down * down)
                                    let origin = Self.origin(
                                        turn, min(from + column, size.0 - 1), min(to + line, size.1 - 1), width, height)
                                    sum += Self.sample(frame, component, origin.0, origin.1)
                                }
                            }
                            let count = across * down
                            let mean = turn == .none ? Self.sample(frame, component, x, y) : (sum + count / 2) / count
                            if Self.sample(turned, component, x, y) != mean { wrong += 1 }
                        }
                    }
                }
                #expect(wrong == 0, "\(turn) of \(width)x\(height) \(pixelFormat)")
            }
        }
    }

    @Test func turnsFollowOneAnother() throws {
        let frame = try Self.frame(.rgb24, 5, 3)
        for first in PictureTurn.all {
            for second in PictureTurn.all {
                let once = try frame.turned(first.followed(by: second))
                let twice = try frame.turned(first).turned(second)
                #expect(once.format.width == twice.format.width, "\(first), \(second)")
                for y in 0..<once.format.height {
                    for x in 0..<once.format.width {
                        #expect(Self.sample(once, 0, x, y) == Self.sample(twice, 0, x, y), "\(first), \(second)")
                    }
                }
            }
        }
    }

    @Test func anUprightPictureIsTheSame() throws {
        var frame = try Self.frame(.i420, 17, 13)
        #expect(try frame.turned().sharesBytes(with: frame))
        frame.uprightTurn = .rotate90
        let upright = try frame.turned()
        #expect(upright.format.width == 13 && upright.uprightTurn == .none)
        // What is seen is turned, and not what is stored.
        let asStored = try frame.turned(.rotate270)
        #expect(asStored.sharesBytes(with: frame) && asStored.uprightTurn == .none)
        #expect(frame.uprightTurn == .rotate90)
    }

    @Test func namesOfTurns() {
        #expect(
            [0, 90, 180, 270].map { PictureTurn(clockwise: $0) } == [
                PictureTurn.none, .rotate90, .rotate180, .rotate270,
            ])
        #expect([-90, 1, 45, 360, Int.max, .min].allSatisfy { PictureTurn(clockwise: $0) == nil })
        #expect((1...8).compactMap { PictureTurn(exifOrientation: $0) } == PictureTurn.all)
        #expect([0, 9, -1, Int.max].allSatisfy { PictureTurn(exifOrientation: $0) == nil })
    }

    @Test func aCompressedPictureIsRefused() throws {
        let format = try FrameFormat(width: 2, height: 2, pixelFormat: .jpeg)
        var frame = try FramePool(capacity: 1).buffer(byteCount: 4).makeFrame(format: format)
        #expect(throws: FrameStreamingError.self) { try frame.turned(.rotate90) }
        frame.uprightTurn = .rotate180
        #expect(throws: FrameStreamingError.self) { try frame.turned() }
        #expect(format.turned(.rotate90) == nil)
    }
}
