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

    @Test(arguments: [
        ("yuv420p", PixelFormat.i420), ("yuvj420p", .i420), ("IYUV", .i420), ("yu12", .i420), ("yuv422p", .i422),
        ("yuv444p", .i444), ("yuyv422", .yuyv), ("yuy2", .yuyv), ("YUY2", .yuyv), ("yuyv", .yuyv), ("uyvy422", .uyvy),
        ("nv12", .nv12), ("nv21", .nv21), ("rgba", .rgba32), ("RGBA", .rgba32), ("rgb0", .rgba32), ("BGRx", .bgra32),
        ("bgr0", .bgra32), ("bgra", .bgra32), ("rgb", .rgb24), ("bgr", .bgr24), ("gray", .gray8), ("grey", .gray8),
        ("GRAY", .gray8), ("mjpeg", .jpeg), ("MJPEG", .jpeg), ("mjpg", .jpeg), ("jpg", .jpeg), ("jpeg", .jpeg),
    ])
    func namesOfOtherProgramsAreTaken(name: String, format: PixelFormat) {
        #expect(PixelFormat(name: name) == format)
    }

    @Test(arguments: ["MJPG", "XR24", "XB24", "Y444"]) func fourccsOfDriversStayWhatTheyAre(fourcc: String) {
        #expect(PixelFormat(name: fourcc)?.fourcc == fourcc)
        #expect(!PixelFormat.allNamed.contains { $0.fourcc == fourcc })
    }

    @Test func inFilesADriversFourccIsTheFormatWithItsBytes() {
        #expect(PixelFormat(name: "XR24")?.inFiles == .bgra32 && PixelFormat(name: "XB24")?.inFiles == .rgba32)
        #expect(PixelFormat(name: "MJPG")?.inFiles == .jpeg && PixelFormat.nv12.inFiles == .nv12)
        #expect(PixelFormat(name: "Y8")?.inFiles == .gray8 && PixelFormat(name: "Y444")?.inFiles.fourcc == "Y444")
    }

    @Test func describesItself() {
        #expect(PixelFormat.i420.description == "I420 (YU12)")
        #expect(PixelFormat.yuyv.description == "YUYV")
        #expect(PixelFormat(rawValue: 0x0101_4141).fourcc == "AA??")
    }
}
