import Testing

@testable import frame_view

@Suite struct LetterboxTests {
    @Test(arguments: [
        // The window's own shape, larger, smaller.
        ((640, 480), (640, 480), Area(x: 0, y: 0, width: 640, height: 480)),
        ((640, 480), (1280, 960), Area(x: 0, y: 0, width: 1280, height: 960)),
        ((1366, 768), (683, 384), Area(x: 0, y: 0, width: 683, height: 384)),
        // Bars on both sides, and above and below.
        ((640, 480), (1024, 480), Area(x: 192, y: 0, width: 640, height: 480)),
        ((640, 480), (640, 768), Area(x: 0, y: 144, width: 640, height: 480)),
        ((480, 640), (1024, 768), Area(x: 224, y: 0, width: 576, height: 768)),
        // Odd sizes.
        ((17, 13), (320, 240), Area(x: 3, y: 0, width: 314, height: 240)),
        ((1, 1), (1024, 768), Area(x: 128, y: 0, width: 768, height: 768)),
        // A line of pixels is still there in any window, and no product overflows.
        ((65_535, 1), (100, 100), Area(x: 0, y: 49, width: 100, height: 1)),
        ((1, 65_535), (100, 100), Area(x: 49, y: 0, width: 1, height: 100)),
        ((65_535, 65_535), (16_384, 16_384), Area(x: 0, y: 0, width: 16_384, height: 16_384)),
        ((4, 3), (1, 1), Area(x: 0, y: 0, width: 1, height: 1)),
    ])
    func aPictureFillsTheWindowOneWay(picture: (Int, Int), window: (Int, Int), area: Area) {
        let found = letterbox(
            Size(width: picture.0, height: picture.1), in: Size(width: window.0, height: window.1))
        #expect(found == area)
    }

    @Test func aWindowHasThePicturesSize() {
        let room = Size(width: 1024, height: 740)
        #expect(windowSize(for: Size(width: 640, height: 480), room: room) == Size(width: 640, height: 480))
        #expect(windowSize(for: Size(width: 1024, height: 740), room: room) == room)
    }

    @Test func aWindowIsNotLargerThanTheScreen() {
        let room = Size(width: 1024, height: 740)
        #expect(windowSize(for: Size(width: 1920, height: 1080), room: room) == Size(width: 1024, height: 576))
        #expect(windowSize(for: Size(width: 600, height: 6000), room: room) == Size(width: 74, height: 740))
    }

    @Test func aTinyPictureHasAWindowThatCanBeSeen() {
        let room = Size(width: 1024, height: 740)
        #expect(windowSize(for: Size(width: 1, height: 1), room: room) == Size(width: 320, height: 240))
        #expect(windowSize(for: Size(width: 17, height: 500), room: room) == Size(width: 320, height: 500))
        // Unless the screen is as tiny.
        #expect(
            windowSize(for: Size(width: 1, height: 1), room: Size(width: 160, height: 128))
                == Size(width: 160, height: 128))
    }
}
