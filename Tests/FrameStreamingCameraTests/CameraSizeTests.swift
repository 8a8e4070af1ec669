import Testing

@testable import FrameStreamingCamera

@Suite struct CameraSizeTests {
    @Test(arguments: [
        (640, 480, 640, 480), (641, 480, 640, 480), (643, 480, 644, 480), (1, 1, 32, 16), (5000, 5000, 1920, 1080),
        (100, 47, 100, 46),
    ])
    func theNearestSizeIsInsideTheRangeAndOnAStep(
        _ width: Int, _ height: Int, _ expectedWidth: Int, _ expectedHeight: Int
    ) {
        let range = CameraSize(minimum: (32, 16), maximum: (1920, 1080), step: (4, 2))
        let nearest = range.nearest(width, height)
        #expect(nearest.width == expectedWidth)
        #expect(abs(nearest.height - expectedHeight) <= 2)
        #expect((nearest.height - 16) % 2 == 0)
    }

    @Test func sizesStayBelowAnOddMaximum() {
        let nearest = CameraSize(minimum: (2, 2), maximum: (9, 9), step: (4, 4)).nearest(9, 9)
        #expect(nearest == (6, 6))
    }

    @Test func aStepOfZeroCountsAsOne() {
        #expect(CameraSize(minimum: (2, 2), maximum: (9, 9), step: (0, 0)).nearest(7, 5) == (7, 5))
    }
}
