import FrameStreamingCore
import Testing

@Suite struct PixelFormatTests {
    @Test(arguments: [
        (PixelFormat.jpeg, "JPEG"), (.i420, "YU12"), (.yv12, "YV12"), (.nv12, "NV12"), (.nv21, "NV21"),
        (.yuyv, "YUYV"), (.uyvy, "UYVY"), (.i422, "422P"), (.i444, "YU24"), (.rgb24, "RGB3"), (.bgr24, "BGR3"),
        (.rgba32, "AB24"), (.bgra32, "AR24"), (.gray8, "GREY"),
    ])
    func namedFormatsHaveTheKernelsFourcc(format: PixelFormat, fourcc: String) {
        #expect(format.fourcc == fourcc)
        #expect(PixelFormat(fourcc: fourcc) == format)
    }

    @Test func theFirstCharacterIsTheLowestByte() {
        // v4l2_fourcc('Y', 'U', 'Y', 'V')
        #expect(PixelFormat.yuyv.rawValue == 0x5659_5559)
    }

    @Test func namesAreTakenInAnyCaseAndFourccsAsTheyAre() {
        #expect(PixelFormat(name: "i420") == .i420)
        #expect(PixelFormat(name: "YU12") == .i420)
        #expect(PixelFormat(name: "H264")?.fourcc == "H264")
        #expect(PixelFormat(name: "Y8")?.fourcc == "Y8  ")
        #expect(PixelFormat(name: "") == nil)
        #expect(PixelFormat(name: "TOOLONG") == nil)
        #expect(PixelFormat(name: "ä") == nil)
    }

    @Test func describesItself() {
        #expect(PixelFormat.i420.description == "I420 (YU12)")
        #expect(PixelFormat.yuyv.description == "YUYV")
        #expect(PixelFormat(rawValue: 0x0101_4141).fourcc == "AA??")
    }
}
