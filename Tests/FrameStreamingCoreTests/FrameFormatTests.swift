import FrameStreamingCore
import Testing

@Suite struct FrameFormatTests {
    struct Case: CustomTestStringConvertible {
        var format: PixelFormat
        var width: Int
        var height: Int
        /// (offset, stride, row bytes, height) of each plane.
        var planes: [[Int]]
        var bytes: Int
        var testDescription: String { "\(width)x\(height) \(format)" }
    }

    static let cases: [Case] = [
        Case(format: .i420, width: 1, height: 1, planes: [[0, 1, 1, 1], [1, 1, 1, 1], [2, 1, 1, 1]], bytes: 3),
        Case(
            format: .i420, width: 17, height: 13, planes: [[0, 17, 17, 13], [221, 9, 9, 7], [284, 9, 9, 7]], bytes: 347),
        Case(format: .yv12, width: 4, height: 4, planes: [[0, 4, 4, 4], [16, 2, 2, 2], [20, 2, 2, 2]], bytes: 24),
        Case(format: .nv12, width: 17, height: 13, planes: [[0, 17, 17, 13], [221, 18, 18, 7]], bytes: 347),
        Case(format: .nv21, width: 1, height: 1, planes: [[0, 1, 1, 1], [1, 2, 2, 1]], bytes: 3),
        Case(format: .yuyv, width: 17, height: 13, planes: [[0, 36, 36, 13]], bytes: 468),
        Case(format: .uyvy, width: 1, height: 1, planes: [[0, 4, 4, 1]], bytes: 4),
        Case(
            format: .i422, width: 17, height: 13, planes: [[0, 17, 17, 13], [221, 9, 9, 13], [338, 9, 9, 13]],
            bytes: 455
        ),
        Case(format: .i444, width: 3, height: 5, planes: [[0, 3, 3, 5], [15, 3, 3, 5], [30, 3, 3, 5]], bytes: 45),
        Case(format: .rgb24, width: 17, height: 13, planes: [[0, 51, 51, 13]], bytes: 663),
        Case(format: .bgra32, width: 1366, height: 768, planes: [[0, 5464, 5464, 768]], bytes: 4_196_352),
        Case(format: .gray8, width: 17, height: 13, planes: [[0, 17, 17, 13]], bytes: 221),
        Case(format: .jpeg, width: 640, height: 480, planes: [], bytes: 0),
    ]

    @Test(arguments: cases) func planesFollowOneAnother(_ item: Case) throws {
        let format = try FrameFormat(width: item.width, height: item.height, pixelFormat: item.format)
        let planes = (0..<format.planeCount).map { index in
            let plane = format.plane(index)
            return [plane.offset, plane.stride, plane.rowBytes, plane.height]
        }
        #expect(planes == item.planes)
        #expect(format.byteCount == item.bytes)
        #expect(format.isTightlyPacked)
    }

    @Test func takesADriversStrides() throws {
        let format = try FrameFormat(
            width: 17, height: 13, pixelFormat: .i420, strides: [32, 16, 16], offsets: [0, 416, 528])
        #expect(format.plane(2) == PlaneLayout(offset: 528, stride: 16, rowBytes: 9, height: 7))
        // The last line needs no padding behind it.
        #expect(format.byteCount == 528 + 16 * 6 + 9)
        #expect(!format.isTightlyPacked)
    }

    @Test func aZeroStrideIsNoPadding() throws {
        let format = try FrameFormat(width: 5, height: 2, pixelFormat: .gray8, strides: [0])
        #expect(format.plane(0).stride == 5)
    }

    @Test(arguments: [(0, 1), (1, 0), (-1, 5), (65_536, 1), (1, .max)])
    func impossibleSizesAreRefused(width: Int, height: Int) {
        #expect(throws: FrameStreamingError.self) {
            try FrameFormat(width: width, height: height, pixelFormat: .i420)
        }
    }

    @Test func impossibleLayoutsAreRefused() {
        func refuses(_ strides: [Int], _ offsets: [Int] = []) -> FrameStreamingError.Code? {
            do {
                _ = try FrameFormat(width: 17, height: 13, pixelFormat: .i420, strides: strides, offsets: offsets)
                return nil
            } catch { return error.code }
        }
        #expect(refuses([16, 9, 9]) == .invalidArgument)
        #expect(refuses([17, 9]) == .invalidArgument)
        #expect(refuses([17, 9, 9], [0, -1, 300]) == .invalidArgument)
        #expect(refuses([17, 9, 9], [0, 300]) == .invalidArgument)
        #expect(refuses([.max, 9, 9]) == .invalidArgument)
        #expect(refuses([17, 9, 9], [0, 221, 284]) == nil)
    }

    @Test func yuvIsLimitedAndAllElseFullUnlessSaidOtherwise() throws {
        #expect(try FrameFormat(width: 2, height: 2, pixelFormat: .yuyv).colorRange == .limited)
        #expect(try FrameFormat(width: 2, height: 2, pixelFormat: .gray8).colorRange == .full)
        #expect(try FrameFormat(width: 2, height: 2, pixelFormat: .rgb24).colorRange == .full)
        #expect(try FrameFormat(width: 2, height: 2, pixelFormat: .jpeg).colorRange == .full)
        #expect(try FrameFormat(width: 2, height: 2, pixelFormat: .i420, colorRange: .full).colorRange == .full)
    }
}
