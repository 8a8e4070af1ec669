import CV4L2
import FrameStreamingSystem
import FrameStreamingTesting
import Glibc
import Testing

@testable import FrameStreamingCamera
@testable import FrameStreamingCore

@Suite struct ControlTests {
    static let automatic = UInt32(V4L2_CID_EXPOSURE_AUTO)
    static let exposure = UInt32(V4L2_CID_EXPOSURE_ABSOLUTE)
    static let brightness = UInt32(V4L2_CID_BRIGHTNESS)
    static let mirror = UInt32(V4L2_CID_HFLIP)
    static let push = UInt32(V4L2_CID_DO_WHITE_BALANCE)

    private func video() -> FakeVideo {
        let video = FakeVideo()
        video.node { node in
            node.controls = [
                FakeNode.Control(
                    id: Self.automatic, title: "Auto Exposure", type: V4L2_CTRL_TYPE_MENU, range: 0...3, value: 3,
                    items: [1: "Manual Mode", 3: "Aperture Priority Mode"]),
                FakeNode.Control(
                    id: Self.exposure, title: "Exposure Time, Absolute", range: 3...2047,
                    flags: V4L2_CTRL_FLAG_INACTIVE),
                FakeNode.Control(id: Self.brightness, title: "Brightness", range: -10...10),
                FakeNode.Control(id: Self.mirror, title: "Horizontal Flip", type: V4L2_CTRL_TYPE_BOOLEAN, range: 0...1),
                FakeNode.Control(id: Self.push, title: "Do White Balance", type: V4L2_CTRL_TYPE_BUTTON, range: 0...0),
                FakeNode.Control(
                    id: UInt32(V4L2_CID_GAMMA), title: "Gamma", value: 9, flags: V4L2_CTRL_FLAG_READ_ONLY),
                FakeNode.Control(id: UInt32(V4L2_CID_HUE), title: "Hue", flags: V4L2_CTRL_FLAG_DISABLED),
                FakeNode.Control(
                    id: UInt32(V4L2_CID_USER_CLASS), title: "User Controls", type: V4L2_CTRL_TYPE_CTRL_CLASS),
            ]
        }
        return video
    }

    @Test func allKindsOfControlsAreListed() throws {
        let controls = try video().camera().controls()
        #expect(
            Set(controls.map(\.name)) == [
                "auto_exposure", "exposure_time_absolute", "brightness", "horizontal_flip", "do_white_balance", "gamma",
            ])
        let menu = try #require(controls.first { $0.kind == .menu })
        // A menu lacks index 1.
        #expect(menu.items.map(\.name) == ["Manual Mode", "Aperture Priority Mode"])
        #expect(menu.items.map(\.index) == [1, 3])
        #expect(menu.value == 3)
        #expect(controls.first { $0.kind == .button }?.value == nil)
        #expect(controls.filter(\.isReadOnly).map(\.name) == ["gamma"])
        #expect(controls.filter(\.isInactive).map(\.name) == ["exposure_time_absolute"])
        #expect(controls.first { $0.name == "brightness" }?.minimum == -10)
    }

    @Test func theAutomaticModeIsSwitchedOffFirst() throws {
        let video = video()
        let camera = try video.camera()
        try camera.set(CameraControlSetting(name: "exposure_time_absolute", value: "100"))
        #expect(video.node { $0.set.map(\.0) } == [Self.automatic, Self.exposure])
        #expect(video.node { $0.set.map(\.1) } == [1, 100])
        // The automatic mode is off already.
        try camera.set(CameraControlSetting(name: "exposure_time_absolute", value: "50"))
        #expect(video.node { $0.set.count } == 3)
        #expect(try camera.value(ofControl: "exposure_time_absolute") == 50)
    }

    @Test func automaticModesAreSetFirstInAnyOrderOfSettings() throws {
        let video = video()
        _ = try video.camera { options in
            options.controls = ["brightness=-3", "exposure_time_absolute=7", "auto_exposure=manual mode"].compactMap {
                CameraControlSetting($0)
            }
        }
        #expect(video.node { $0.set.map(\.0) } == [Self.automatic, Self.brightness, Self.exposure])
        #expect(video.node { $0.set.map(\.1) } == [1, -3, 7])
    }

    @Test(
        arguments: [
            ("horizontal_flip", "on", 1), ("horizontal_flip", "false", 0), ("Horizontal Flip", "yes", 1),
            ("auto_exposure", "1", 1), ("auto_exposure", "Aperture Priority Mode", 3), ("do_white_balance", "x", 1),
            ("brightness", "-10", -10),
        ] as [(String, String, Int32)])
    func valuesAreParsedAsPeopleWriteThem(_ name: String, _ value: String, _ expected: Int32) throws {
        let video = video()
        try video.camera().set(CameraControlSetting(name: name, value: value))
        #expect(video.node { $0.set.last?.1 } == expected)
    }

    @Test(arguments: [
        ("nonsense", "1", FrameStreamingError.Code.invalidArgument), ("brightness", "11", .invalidArgument),
        ("brightness", "bright", .invalidArgument), ("auto_exposure", "2", .invalidArgument),
        ("horizontal_flip", "maybe", .invalidArgument), ("gamma", "1", .unsupported), ("hue", "1", .invalidArgument),
    ])
    func aWrongSettingThrows(_ name: String, _ value: String, _ expected: FrameStreamingError.Code) throws {
        let video = video()
        let camera = try video.camera()
        let setting = CameraControlSetting(name: name, value: value)
        #expect(code { try camera.set(setting) } == expected)
        // At the opening it is the caller's mistake, and the node is closed.
        #expect(code { _ = try video.camera { $0.controls = [setting] } } == expected)
        #expect(video.node { $0.set.isEmpty })
    }

    @Test(arguments: [
        (EACCES, FrameStreamingError.Code.notPermitted), (EBUSY, .busy), (ERANGE, .invalidArgument), (EIO, .system),
    ])
    func aRefusedControlDoesNotStopTheCamera(_ errno: CInt, _ expected: FrameStreamingError.Code) throws {
        let video = video()
        video.node { node in
            node.controls = node.controls.map { control in
                var control = control
                control.refusal = control.id == Self.brightness ? errno : nil
                return control
            }
        }
        let seen = Monitor<[FrameStreamingError.Code?]>([])
        let camera = try video.camera { options in
            options.controls = [CameraControlSetting(name: "brightness", value: "1")]
            options.onEvent = { event in
                if event.kind == .controlRefused { seen.withLock { $0.append(event.error?.code) } }
            }
        }
        #expect(seen.withLock(\.self) == [expected])
        video.deliver(.frame(yuyv(1)))
        #expect(try camera.frame()?.firstByte == 1)
        #expect(code { try camera.set(CameraControlSetting(name: "brightness", value: "1")) } == expected)
    }

    @Test func controlsAreSetAgainAfterAReplug() throws {
        let video = video()
        let camera = try video.camera { $0.controls = [CameraControlSetting(name: "brightness", value: "1")] }
        try camera.set(CameraControlSetting(name: "brightness", value: "2"))
        try camera.set(CameraControlSetting(name: "exposure_time_absolute", value: "33"))
        video.deliver(.failure(ENODEV))
        #expect(try camera.event()?.words == "lost sourceLost")
        #expect(camera.controls().isEmpty)
        // Set while the camera is lost.
        try camera.set(CameraControlSetting(name: "horizontal_flip", value: "on"))
        video.node { node in
            node.set = []
            node.controls = node.controls.map { control in
                var control = control
                control.value = control.id == Self.automatic ? 3 : 0
                return control
            }
        }
        video.deliver(.frame(yuyv(1)))
        while try camera.event()?.words != "restored" {}
        #expect(video.node { $0.set.map(\.0) } == [Self.automatic, Self.brightness, Self.exposure, Self.mirror])
        #expect(video.node { $0.set.map(\.1) } == [1, 2, 33, 1])
    }

    @Test(arguments: [("a=b", "a", "b"), ("a=b=c", "a", "b=c")])
    func aSettingIsParsedFromText(_ text: String, _ name: String, _ value: String) {
        #expect(CameraControlSetting(text) == CameraControlSetting(name: name, value: value))
    }

    @Test(arguments: ["", "a", "=b", "a="]) func otherTextIsNoSetting(_ text: String) {
        #expect(CameraControlSetting(text) == nil)
    }
}
