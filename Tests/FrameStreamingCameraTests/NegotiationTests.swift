import CV4L2
import FrameStreamingSystem
import FrameStreamingTesting
import Glibc
import Testing

@testable import FrameStreamingCamera
@testable import FrameStreamingCore

/// Opening a camera and choosing a format, with answers that real drivers give.
@Suite struct NegotiationTests {
    // MARK: What is a camera

    static let capture = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING

    @Test(arguments: [
        // The metadata node of a webcam: the device captures, this node does not.
        (Int32(V4L2_CAP_META_CAPTURE) | V4L2_CAP_STREAMING, capture as Int32?, false),
        (V4L2_CAP_VIDEO_M2M | V4L2_CAP_STREAMING, capture, false),
        (V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_STREAMING, capture, false),
        (capture | V4L2_CAP_VIDEO_M2M_MPLANE, capture, false),
        (capture, capture, true),
        (V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_STREAMING, capture, true),
        // An old driver has one set of flags for the device.
        (capture, nil, true),
    ])
    func theFlagsOfTheNodeDecide(_ flags: Int32, _ deviceFlags: Int32?, _ isCamera: Bool) throws {
        let video = FakeVideo()
        video.node { node in
            node.flags = flags
            node.deviceFlags = deviceFlags
        }
        #expect(try VideoNode("/dev/video0", video).capability.isCamera == isCamera)
        #expect(CameraDevice.all(video).count == (isCamera ? 1 : 0))
        #expect(code { _ = try video.camera() } == (isCamera ? nil : .unsupported))
    }

    @Test func aCameraThatCannotStreamIsRefused() {
        let video = FakeVideo()
        video.node { $0.flags = V4L2_CAP_VIDEO_CAPTURE }
        #expect(code { _ = try video.camera() } == .unsupported)
    }

    @Test(arguments: [
        (EACCES, FrameStreamingError.Code.notPermitted, "group video"), (ENOENT, .notFound, "no such camera"),
        (EBUSY, .busy, "another program"), (ENODEV, .notFound, "plug it in"), (EIO, .system, "Input/output"),
    ])
    func aFailedOpeningSaysWhatToDo(_ errno: CInt, _ expected: FrameStreamingError.Code, _ words: String) throws {
        let video = FakeVideo()
        video.node { $0.openError = errno }
        let error = #expect(throws: FrameStreamingError.self) { try video.camera() }
        #expect(error?.code == expected)
        #expect(error?.errno == errno)
        #expect(error?.message.contains(words) == true)
        #expect(error?.subject == "/dev/video0")
    }

    @Test(arguments: [ENOTTY, EINVAL]) func aFileThatIsNoVideoNodeIsRefusedAndClosed(_ errno: CInt) {
        let video = FakeVideo()
        video.node { $0.failures[fs_VIDIOC_QUERYCAP] = [errno] }
        let error = #expect(throws: FrameStreamingError.self) { try video.camera() }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("not a V4L2 device") == true)
        #expect(video.state.withLock { $0.open.isEmpty && $0.closed.count == 1 && $0.adopted == 0 })
    }

    // MARK: S_FMT

    @Test func theGrantedFormatIsReportedAndUsed() throws {
        let video = FakeVideo()
        video.node { node in
            node.formats = [FakeNode.Format(fourcc: "YUYV", sizes: .discrete([(32, 16), (16, 8)]))]
            node.changeFormat = { format in
                // Another size, padded lines, a buffer that is larger
                // than the picture, another field.
                (format.width, format.height, format.field) = (10, 6, 0)
                format.planes = [NodeFormat.Plane(stride: 64, size: 5000)]
            }
        }
        let camera = try video.camera { ($0.width, $0.height) = (20, 10) }
        let granted = camera.granted.frame
        #expect([granted.width, granted.height, granted.plane(0).stride] == [10, 6, 64])
        video.deliver(.frame([(0..<384).map { UInt8($0 & 255) }]))
        let frame = try #require(try camera.frame())
        #expect(frame.format == granted)
        #expect(frame.byteCount == 384)
        #expect(frame.all == (0..<384).map { UInt8($0 & 255) })
    }

    @Test(arguments: [
        ("YU12", PixelFormat.i420, 32, [32, 16, 16]), ("422P", .i422, 32, [32, 16, 16]), ("NV12", .nv12, 32, [32, 32]),
        ("GREY", .gray8, 20, [20]), ("RGB3", .rgb24, 60, [60]), ("XR24", .bgra32, 64, [64]), ("YUYV", .yuyv, 40, [40]),
        // 0: the driver does not report a stride.
        ("YU12", .i420, 0, [16, 8, 8]),
    ])
    func everyPlaneHasItsStride(_ fourcc: String, _ format: PixelFormat, _ stride: Int, _ expected: [Int]) throws {
        let video = FakeVideo()
        video.node { node in
            node.formats = [FakeNode.Format(fourcc: fourcc)]
            node.changeFormat = { $0.planes = [NodeFormat.Plane(stride: stride, size: 10_000)] }
        }
        let granted = try video.camera().granted
        #expect(granted.frame.pixelFormat == format)
        #expect(granted.native.fourcc == fourcc)
        #expect((0..<granted.frame.planeCount).map { granted.frame.plane($0).stride } == expected)
    }

    @Test func aFormatOtherThanTheRequestedOneIsAnError() {
        let video = FakeVideo()
        video.node { node in
            node.formats = [FakeNode.Format(fourcc: "MJPG"), FakeNode.Format(fourcc: "YUYV")]
            node.changeFormat = { $0.fourcc = code("YUYV") }
        }
        let error = #expect(throws: FrameStreamingError.self) { try video.camera { $0.pixelFormat = .jpeg } }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("MJPG, YUYV") == true)
        #expect(code { _ = try video.camera { $0.pixelFormat = .nv12 } } == .unsupported)
        #expect(video.state.withLock { $0.open.isEmpty })
    }

    @Test(arguments: [
        (fs_VIDIOC_S_FMT, EBUSY, FrameStreamingError.Code.busy, "another program"),
        (fs_VIDIOC_S_FMT, EINVAL, .unsupported, "its formats are YUYV"),
        (fs_VIDIOC_REQBUFS, EBUSY, .busy, "another program"), (fs_VIDIOC_REQBUFS, ENOMEM, .system, "memory"),
        (fs_VIDIOC_QUERYBUF, EINVAL, .system, "QUERYBUF"),
        (fs_VIDIOC_STREAMON, ENOSPC, .limitExceeded, "MJPG"), (fs_VIDIOC_STREAMON, EIO, .sourceLost, "cable"),
        (fs_VIDIOC_STREAMON, ENODEV, .sourceLost, "plug it in"),
    ])
    func aFailedStartClosesTheNode(
        _ request: UInt, _ errno: CInt, _ expected: FrameStreamingError.Code, _ words: String
    ) {
        let video = FakeVideo()
        video.node { $0.failures[request] = [errno] }
        let error = #expect(throws: FrameStreamingError.self) { try video.camera() }
        #expect(error?.code == expected)
        #expect(error?.message.contains(words) == true)
        #expect(video.state.withLock { $0.open.isEmpty })
    }

    @Test(arguments: [(0, true), (1, true), (4, true), (5, false), (6, false), (7, false)] as [(UInt32, Bool)])
    func separateFieldsAreRefused(_ field: UInt32, _ isTaken: Bool) {
        let video = FakeVideo()
        video.node { node in node.changeFormat = { $0.field = field } }
        #expect(code { _ = try video.camera() } == (isTaken ? nil : .unsupported))
    }

    @Test func aStrideShorterThanALineIsRefused() {
        let video = FakeVideo()
        video.node { node in node.changeFormat = { $0.planes[0].stride = 20 } }
        #expect(code { _ = try video.camera() } == .unsupported)
    }

    // MARK: Rates and sizes

    @Test func theRateIsGrantedAsAFraction() throws {
        let video = FakeVideo()
        video.node { node in node.changeInterval = { _ in v4l2_fract(numerator: 1001, denominator: 30000) } }
        #expect(try video.camera().granted.rate == FrameRate("30000/1001"))
        video.node { node in node.changeInterval = { _ in v4l2_fract(numerator: 2, denominator: 15) } }
        #expect(try video.camera().granted.rate == FrameRate("7.5"))
        video.node { node in node.changeInterval = { _ in v4l2_fract(numerator: 0, denominator: 0) } }
        #expect(try video.camera().granted.rate == nil)
    }

    @Test func aDriverWithoutRatesStreams() throws {
        let video = FakeVideo()
        video.node { node in
            node.failures[fs_VIDIOC_S_PARM] = [ENOTTY]
            node.failures[fs_VIDIOC_G_PARM] = [ENOTTY]
        }
        #expect(try video.camera().granted.rate == nil)
        video.node { $0.rateFlag = 0 }
        #expect(try video.camera().granted.rate == nil)
        video.deliver(.frame(yuyv(1)))
        #expect(try video.camera().frame()?.firstByte == 1)
    }

    @Test func theRateIsSetEvenIfItIsAlreadyEqual() throws {
        let video = FakeVideo()
        _ = try video.camera { $0.rate = .thirty }
        #expect(video.count(fs_VIDIOC_S_PARM) == 1)
    }

    @Test(arguments: [
        (FakeNode.Sizes.stepwise(minimum: (16, 8), maximum: (1920, 1080), step: (8, 4)), 641, 479, 640, 480),
        (.continuous(minimum: (1, 1), maximum: (4096, 2160)), 641, 479, 641, 479),
        (.continuous(minimum: (1, 1), maximum: (320, 200)), 641, 479, 320, 200),
        (.none, 642, 480, 642, 480),
        (.discrete([(320, 240), (1280, 720), (640, 480)]), 600, 400, 640, 480),
    ])
    func allKindsOfSizeListsAreRead(
        _ sizes: FakeNode.Sizes, _ width: Int, _ height: Int, _ grantedWidth: Int, _ grantedHeight: Int
    ) throws {
        let video = FakeVideo()
        video.node { $0.formats = [FakeNode.Format(fourcc: "GREY", sizes: sizes, stepwiseIntervals: true)] }
        let granted = try video.camera { ($0.width, $0.height) = (width, height) }.granted.frame
        #expect(granted.width == grantedWidth)
        #expect(abs(granted.height - grantedHeight) <= 4)
    }

    @Test func anEndlessListIsAbandoned() throws {
        let video = FakeVideo()
        // The driver answers every index with the same range, which is read once.
        video.node {
            $0.formats = [
                FakeNode.Format(fourcc: "YUYV", sizes: .stepwise(minimum: (16, 8), maximum: (32, 16), step: (2, 2)))
            ]
        }
        let device = try CameraDevice(path: "/dev/video0", calls: video)
        #expect(device.formats.map(\.modes.count) == [1])
        #expect(device.formats[0].modes[0].size.description == "16x8...32x16 by 2x2")
        #expect(device.formats[0].modes[0].rates == [.thirty])
    }

    // MARK: Choice

    static func formats(_ list: (String, [String: [(UInt32, UInt32)]])...) -> [FakeNode.Format] {
        list.map { FakeNode.Format(fourcc: $0.0, sizes: .discrete([(640, 480), (1920, 1080)]), intervals: $0.1) }
    }

    static let webcam = formats(
        ("YUYV", ["640x480": [(1, 30)], "1920x1080": [(1, 5)]]), ("MJPG", ["": [(1, 30), (1, 15)]]))

    @Test(
        arguments: [
            // Raw wins if it reaches the rate; JPEG wins if only JPEG does.
            (webcam, 640, 480, "30", nil, "YUYV"), (webcam, 1920, 1080, "30", nil, "MJPG"),
            (webcam, 1920, 1080, "5", nil, "YUYV"),
            // No format reaches the rate: the fastest wins.
            (webcam, 1920, 1080, "60", nil, "MJPG"),
            // 29.97 counts as 30.
            (formats(("MJPG", ["": [(1, 30)]]), ("YUYV", ["": [(1001, 30000)]])), 640, 480, "30", nil, "YUYV"),
            // The format that costs the codec least wins; gray is last.
            (formats(("RGB3", [:]), ("YU12", [:]), ("YUYV", [:])), 640, 480, "30", nil, "YU12"),
            (formats(("GREY", ["": [(1, 60)]]), ("MJPG", ["": [(1, 15)]])), 640, 480, "60", nil, "MJPG"),
            (formats(("GREY", [:]), ("Y16 ", [:])), 640, 480, "30", nil, "GREY"),
            // Requested by this package's format or by a fourcc of V4L2.
            (webcam, 640, 480, "30", PixelFormat.jpeg, "MJPG"),
            (webcam, 640, 480, "30", PixelFormat(fourcc: "MJPG"), "MJPG"),
        ] as [([FakeNode.Format], Int, Int, String, PixelFormat?, String)])
    func theBestFormatIsChosen(
        _ formats: [FakeNode.Format], _ width: Int, _ height: Int, _ rate: String, _ asked: PixelFormat?,
        _ expected: String
    ) throws {
        let video = FakeVideo()
        video.node { $0.formats = formats }
        let granted = try video.camera { options in
            (options.width, options.height) = (width, height)
            options.rate = FrameRate(rate)
            options.pixelFormat = asked
        }.granted
        #expect(granted.native.fourcc == expected)
        #expect([granted.frame.width, granted.frame.height] == [width, height])
    }

    @Test func onlyUnreadableFormatsAreConverted() throws {
        let video = FakeVideo()
        video.node { $0.formats = [FakeNode.Format(fourcc: "BA81", sizes: .discrete([(640, 480)]))] }
        #expect(code { _ = try video.camera() } == .unsupported)
        let converter = FakeConverter(code("BA81"))
        video.state.withLock { $0.converter = converter }
        let events = Monitor<[CameraEvent.Kind]>([])
        let camera = try video.camera { $0.onEvent = { event in events.withLock { $0.append(event.kind) } } }
        #expect(camera.granted.isConverted)
        #expect(camera.granted.native.fourcc == "BA81")
        #expect(camera.granted.frame.pixelFormat == .i420)
        #expect(events.withLock(\.self) == [.converting, .opened])
        video.deliver(.frame([[UInt8](repeating: 7, count: 1000)]))
        #expect(try camera.frame()?.firstByte == 8)
        converter.fails.withLock { $0 = true }
        video.deliver(.frame([[UInt8](repeating: 7, count: 1000)]))
        #expect(try camera.frame() == nil)
        #expect(camera.statistics.converted == 1)
        #expect(camera.statistics.corruptFrames == 1)
        // The driver has all buffers again.
        #expect(video.node { $0.queued.count } == 5)
        // With a readable format in the list, the library is not used.
        video.node { $0.formats.append(FakeNode.Format(fourcc: "GREY")) }
        #expect(try !video.camera().granted.isConverted)
        // It is used if the format is requested.
        let asked = try video.camera { $0.pixelFormat = PixelFormat(fourcc: "BA81") }
        #expect(asked.granted.isConverted)
    }

    // MARK: Buffers

    @Test(arguments: [1, 2, 3, 8, 32]) func allGrantedBuffersAreUsed(_ count: Int) throws {
        let video = FakeVideo()
        video.node { node in node.grants = { _ in count } }
        let camera = try video.camera()
        #expect(camera.granted.bufferCount == count)
        #expect(video.node { $0.queued.count } == count)
        for value in 0..<20 as Range<UInt8> {
            video.deliver(.frame(yuyv(value), sequence: UInt32(value)))
            #expect(try camera.frame()?.firstByte == value)
        }
        #expect(camera.statistics.copiedOut == (count == 1 ? 20 : 0))
        #expect(video.node { $0.queued.count } == count)
    }

    @Test func withoutBuffersOpeningFails() {
        let video = FakeVideo()
        video.node { node in node.grants = { _ in 0 } }
        #expect(code { _ = try video.camera() } == .system)
    }

    // MARK: Several planes

    @Test func aMultiPlanarBufferWithOnePlaneIsLeased() throws {
        let video = FakeVideo()
        video.node { $0.flags = V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_STREAMING }
        let camera = try video.camera()
        // libv4l2's plugin for such nodes is not used.
        #expect(video.state.withLock(\.adopted) == 0)
        // bytesused counts the 64 bytes before data_offset.
        video.node { node in node.lengths = [1024] }
        video.deliver(.frame([[UInt8](repeating: 9, count: 64) + yuyv(5)[0]], used: 320, offset: 64))
        let frame = try #require(try camera.frame())
        #expect(frame.all == yuyv(5)[0])
        #expect(camera.pool.statistics.allocations == 0)
        video.deliver(.frame([[UInt8](repeating: 9, count: 256)], offset: 64))
        #expect(try camera.frame() == nil)
        #expect(camera.statistics.shortFrames == 1)
        video.deliver(.frame([[UInt8](repeating: 9, count: 256)], offset: 300))
        #expect(try camera.frame() == nil)
        #expect(camera.statistics.invalidBuffers == 1)
    }

    @Test(arguments: [("NM12", PixelFormat.nv12), ("YM12", .i420), ("YM21", .yv12), ("YM16", .i422), ("YM24", .i444)])
    func separatePlanesAreJoined(_ fourcc: String, _ format: PixelFormat) throws {
        let video = FakeVideo()
        video.node { node in
            node.flags = V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_STREAMING
            node.formats = [FakeNode.Format(fourcc: fourcc)]
            // Each line has eight bytes of padding.
            node.changeFormat = { format in
                for index in format.planes.indices {
                    let lines = format.planes[index].size / max(1, format.planes[index].stride)
                    format.planes[index].stride += 8
                    format.planes[index].size = format.planes[index].stride * lines
                }
            }
        }
        let camera = try video.camera()
        let shape = camera.granted.frame
        #expect(shape.pixelFormat == format)
        #expect(shape.isTightlyPacked)
        let planes: [[UInt8]] = (0..<shape.planeCount).map { plane in
            (0..<shape.plane(plane).height).flatMap { line in
                [UInt8](repeating: UInt8(10 * plane + line), count: shape.plane(plane).rowBytes)
                    + [UInt8](repeating: 99, count: 8)
            }
        }
        video.deliver(.frame(planes))
        let frame = try #require(try camera.frame())
        let expected: [UInt8] = (0..<shape.planeCount).flatMap { plane in
            (0..<shape.plane(plane).height).flatMap { line in
                [UInt8](repeating: UInt8(10 * plane + line), count: shape.plane(plane).rowBytes)
            }
        }
        #expect(frame.all == expected)
        #expect(video.node { $0.queued.count } == 5)
        // One plane has too few bytes.
        video.deliver(.frame([planes[0], Array(planes[1].dropLast(20))] + planes.dropFirst(2)))
        #expect(try camera.frame() == nil)
        #expect(camera.statistics.shortFrames == 1)
    }

    // MARK: Colour

    @Test(
        arguments: [
            // quantization, colorspace, encoding: V4L2_QUANTIZATION_FULL_RANGE 1, LIM_RANGE 2;
            // COLORSPACE_JPEG 7, SRGB 8, REC709 3, BT2020 10.
            (0, 8, 0, ColorRange.limited, ColorMatrix.bt601), (1, 8, 0, .full, .bt601), (2, 7, 0, .limited, .bt601),
            (0, 7, 0, .full, .bt601), (0, 3, 0, .limited, .bt709), (0, 8, 2, .limited, .bt709),
            (0, 10, 0, .limited, .bt2020),
            (0, 0, 0, .limited, .unspecified), (0, 3, 1, .limited, .bt601),
        ] as [(UInt32, UInt32, UInt32, ColorRange, ColorMatrix)])
    func theFrameHasTheRangeAndTheMatrix(
        _ quantization: UInt32, _ colorspace: UInt32, _ encoding: UInt32, _ range: ColorRange, _ matrix: ColorMatrix
    ) throws {
        let video = FakeVideo()
        video.node { node in
            node.changeFormat = { ($0.quantization, $0.colorspace, $0.encoding) = (quantization, colorspace, encoding) }
        }
        let camera = try video.camera()
        video.deliver(.frame(yuyv(1)))
        let frame = try #require(try camera.frame())
        #expect(frame.format.colorRange == range)
        #expect(frame.sourceColorRange == range)
        #expect(frame.format.colorMatrix == matrix)
        // The caller's range overrides the driver's.
        #expect(try video.camera { $0.colorRange = .full }.granted.frame.colorRange == .full)
    }

    @Test(
        arguments: [
            // RGB is full range by default, and has no matrix.
            ("RGB3", 0, 8, .full), ("RGB3", 1, 8, .full), ("RGB3", 2, 8, .limited), ("BGR3", 2, 3, .limited),
            ("XR24", 2, 7, .limited), ("AB24", 0, 3, .full), ("GREY", 0, 8, .limited), ("GREY", 1, 8, .full),
            // JFIF is full range, whatever the node says.
            ("MJPG", 2, 8, .full), ("MJPG", 0, 8, .full),
        ] as [(String, UInt32, UInt32, ColorRange)])
    func theDriverDecidesTheRangeOfRGBAndGray(
        _ fourcc: String, _ quantization: UInt32, _ colorspace: UInt32, _ range: ColorRange
    ) throws {
        let video = FakeVideo()
        video.node { node in
            node.formats = [FakeNode.Format(fourcc: fourcc)]
            node.changeFormat = { ($0.quantization, $0.colorspace) = (quantization, colorspace) }
        }
        let camera = try video.camera()
        #expect(camera.granted.frame.colorRange == range)
        if fourcc != "MJPG", fourcc != "GREY" { #expect(camera.granted.frame.colorMatrix == .unspecified) }
        if fourcc != "MJPG" {
            video.deliver(.frame([[UInt8](repeating: 1, count: camera.granted.frame.byteCount)]))
            let frame = try #require(try camera.frame())
            #expect(frame.format.colorRange == range)
            #expect(frame.sourceColorRange == range)
        }
        let overridden = try video.camera { $0.colorRange = .limited }.granted.frame.colorRange
        #expect(overridden == (fourcc == "MJPG" ? .full : .limited))
    }

    // MARK: HDMI

    /// V4L2_MAP_COLORSPACE_DEFAULT decides if the driver leaves the colorspace open.
    @Test(
        arguments: [(480, 0, .bt601), (576, 0, .bt601), (720, 0, .bt709), (1080, 0, .bt709), (1080, 1, .bt601)]
            as [(UInt32, UInt32, ColorMatrix)])
    func theMatrixOfASignalFollowsItsHeight(_ height: UInt32, _ colorspace: UInt32, _ matrix: ColorMatrix) throws {
        let video = FakeVideo()
        video.node { node in
            node.hasTimings = true
            node.signal = (64, height)
            node.formats = [FakeNode.Format(fourcc: "YUYV", sizes: .continuous(minimum: (1, 1), maximum: (99, 1999)))]
            node.changeFormat = { $0.colorspace = colorspace }
        }
        #expect(try video.camera().granted.frame.colorMatrix == matrix)
    }

    @Test func anInputTakesTheSizeOfItsSignal() throws {
        let video = FakeVideo()
        video.node { node in
            node.hasTimings = true
            node.signal = (720, 576)
            node.formats = [FakeNode.Format(fourcc: "UYVY", sizes: .continuous(minimum: (1, 1), maximum: (4096, 2160)))]
        }
        let granted = try video.camera().granted.frame
        #expect([granted.width, granted.height] == [720, 576])
        #expect(video.count(fs_VIDIOC_S_DV_TIMINGS) == 1)
    }

    @Test(arguments: [(ENOLINK, "no signal"), (ENOLCK, "unstable"), (ERANGE, "cannot take")])
    func anInputWithoutASignalIsAnError(_ errno: CInt, _ words: String) {
        let video = FakeVideo()
        video.node { ($0.hasTimings, $0.signal, $0.signalError) = (true, nil, errno) }
        let error = #expect(throws: FrameStreamingError.self) { try video.camera() }
        #expect(error?.code == .sourceLost)
        #expect(error?.message.contains(words) == true)
    }

    @Test func stablePathsAreListedWithTheirNode() throws {
        let video = FakeVideo()
        video.state.withLock {
            $0.links = ["/dev/v4l/by-id/usb-x": "/dev/video0", "/dev/v4l/by-path/pci-y": "/dev/video9"]
        }
        #expect(CameraDevice.all(video).map(\.stablePaths) == [["/dev/v4l/by-id/usb-x"]])
        video.deliver(.frame(yuyv(3)))
        #expect(try video.camera("/dev/v4l/by-id/usb-x").frame()?.firstByte == 3)
    }
}
