import CLinux
import CV4L2
import FrameStreamingSystem
import Glibc

@testable import FrameStreamingCamera
@testable import FrameStreamingCore

func code(_ fourcc: String) -> UInt32 { PixelFormat(fourcc: fourcc)?.rawValue ?? 0 }

/// One scripted node.
struct FakeNode: Sendable {
    enum Sizes {
        case discrete([(Int, Int)])
        case stepwise(minimum: (Int, Int), maximum: (Int, Int), step: (Int, Int))
        case continuous(minimum: (Int, Int), maximum: (Int, Int))
        /// Whether the driver cannot list them (ENOTTY).
        case none
    }

    struct Format {
        var fourcc: String
        var sizes = Sizes.discrete([(16, 8)])
        /// The time per frame in seconds by size ("16x8"); the key "" is for all other sizes.
        var intervals: [String: [(UInt32, UInt32)]] = ["": [(1, 30)]]
        var stepwiseIntervals = false
    }

    enum Delivery {
        /// A filled buffer: the bytes of each plane, and the driver's description.
        case frame(
            [[UInt8]], sequence: UInt32 = 0, flags: UInt32 = 0x2000, stamp: Int64? = nil, used: Int? = nil,
            index: UInt32? = nil, offset: UInt32 = 0)
        /// VIDIOC_DQBUF fails.
        case failure(CInt)
    }

    struct Control {
        var id: UInt32
        var title: String
        var type: v4l2_ctrl_type = V4L2_CTRL_TYPE_INTEGER
        var range: ClosedRange<Int32> = 0...255
        var value: Int32 = 0
        var flags: Int32 = 0
        var items: [Int32: String] = [:]
        var refusal: CInt?
    }

    // The node's identity.
    var card = "Fake Camera"
    var bus = "usb-fake-1"
    var flags: Int32 = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING
    /// The flags of the whole device; nil for an old driver that has only one set of flags.
    var deviceFlags: Int32? = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | Int32(V4L2_CAP_META_CAPTURE)
    var index: Int? = 0
    var isGone = false
    var openError: CInt?
    var formats = [Format(fourcc: "YUYV")]
    var controls: [Control] = []
    var hasTimings = false
    var signal: (width: UInt32, height: UInt32)? = (16, 8)
    var signalError: CInt = ENOLINK
    // How the node answers requests.
    var changeFormat: @Sendable (inout NodeFormat) -> Void = { _ in }
    var grants: @Sendable (Int) -> Int = { $0 }
    var rateFlag: UInt32 = UInt32(V4L2_CAP_TIMEPERFRAME)
    var changeInterval: @Sendable (v4l2_fract) -> v4l2_fract = { $0 }
    /// The errnos with which ioctls fail, one after another.
    var failures: [UInt: [CInt]] = [:]
    var polls: [Int16] = []
    var sourceChanges = 0
    var inbox: [Delivery] = []
    // The node's state.
    var log: [UInt] = []
    var set: [(UInt32, Int32)] = []
    var streaming = false
    var queued: [Int] = []
    var current = NodeFormat(width: 0, height: 0, fourcc: 0)
    var interval = v4l2_fract(numerator: 1, denominator: 30)
    var bufferCount = 0
    var memory: Descriptor?
    var lengths: [Int] = []

    var isMultiPlanar: Bool { flags & V4L2_CAP_VIDEO_CAPTURE_MPLANE != 0 }
    /// The memory of a buffer's planes, in whole pages.
    private var stride: Int { lengths.reduce(0) { $0 + ($1 + 4095) / 4096 * 4096 } }

    @unsafe mutating func answer(_ request: UInt, _ argument: UnsafeMutableRawPointer) -> CInt {
        log.append(request)
        if var codes = failures[request], !codes.isEmpty {
            let code = codes.removeFirst()
            failures[request] = codes
            return code
        }
        if isGone { return ENODEV }
        switch request {
        case fs_VIDIOC_QUERYCAP: unsafe describe(argument.assumingMemoryBound(to: v4l2_capability.self))
        case fs_VIDIOC_ENUM_FMT: return unsafe list(argument.assumingMemoryBound(to: v4l2_fmtdesc.self))
        case fs_VIDIOC_ENUM_FRAMESIZES: return unsafe listSizes(argument.assumingMemoryBound(to: v4l2_frmsizeenum.self))
        case fs_VIDIOC_ENUM_FRAMEINTERVALS:
            return unsafe listRates(argument.assumingMemoryBound(to: v4l2_frmivalenum.self))
        case fs_VIDIOC_S_FMT: return unsafe setFormat(argument.assumingMemoryBound(to: v4l2_format.self))
        case fs_VIDIOC_S_PARM, fs_VIDIOC_G_PARM:
            return unsafe setRate(
                argument.assumingMemoryBound(to: v4l2_streamparm.self), sets: request == fs_VIDIOC_S_PARM)
        case fs_VIDIOC_REQBUFS: return unsafe grant(argument.assumingMemoryBound(to: v4l2_requestbuffers.self))
        case fs_VIDIOC_QUERYBUF: return unsafe query(argument.assumingMemoryBound(to: v4l2_buffer.self))
        case fs_VIDIOC_QBUF:
            let index = unsafe Int(argument.assumingMemoryBound(to: v4l2_buffer.self).pointee.index)
            guard index < bufferCount, !queued.contains(index) else { return EINVAL }
            queued.append(index)
        case fs_VIDIOC_DQBUF: return unsafe dequeue(argument.assumingMemoryBound(to: v4l2_buffer.self))
        case fs_VIDIOC_STREAMON: streaming = true
        case fs_VIDIOC_STREAMOFF: (streaming, queued) = (false, [])
        case fs_VIDIOC_QUERYCTRL: return unsafe query(argument.assumingMemoryBound(to: v4l2_queryctrl.self))
        case fs_VIDIOC_QUERYMENU: return unsafe query(argument.assumingMemoryBound(to: v4l2_querymenu.self))
        case fs_VIDIOC_G_CTRL, fs_VIDIOC_S_CTRL:
            return unsafe control(
                argument.assumingMemoryBound(to: v4l2_control.self), sets: request == fs_VIDIOC_S_CTRL)
        case fs_VIDIOC_G_INPUT: unsafe argument.storeBytes(of: 0, as: CInt.self)
        case fs_VIDIOC_ENUMINPUT:
            unsafe argument.assumingMemoryBound(to: v4l2_input.self).pointee.capabilities =
                hasTimings ? UInt32(V4L2_IN_CAP_DV_TIMINGS) : 0
        case fs_VIDIOC_QUERY_DV_TIMINGS:
            guard let signal else { return signalError }
            unsafe fs_set_timings(
                argument.assumingMemoryBound(to: v4l2_dv_timings.self), signal.width, signal.height, 74_250_000)
        case fs_VIDIOC_S_DV_TIMINGS, fs_VIDIOC_SUBSCRIBE_EVENT: break
        case fs_VIDIOC_DQEVENT:
            guard sourceChanges > 0 else { return ENOENT }
            sourceChanges -= 1
            unsafe argument.assumingMemoryBound(to: v4l2_event.self).pointee.type = UInt32(V4L2_EVENT_SOURCE_CHANGE)
        default: return ENOTTY
        }
        return 0
    }

    private func describe(_ capability: UnsafeMutablePointer<v4l2_capability>) {
        unsafe copy(card, to: &capability.pointee.card)
        unsafe copy(bus, to: &capability.pointee.bus_info)
        unsafe copy("fake", to: &capability.pointee.driver)
        if let deviceFlags {
            unsafe capability.pointee.capabilities = UInt32(bitPattern: deviceFlags) | UInt32(V4L2_CAP_DEVICE_CAPS)
            unsafe capability.pointee.device_caps = UInt32(bitPattern: flags)
        } else {
            unsafe capability.pointee.capabilities = UInt32(bitPattern: flags)
        }
    }

    private func copy<Field>(_ text: String, to field: inout Field) {
        unsafe withUnsafeMutableBytes(of: &field) { unsafe $0.copyBytes(from: Array(text.utf8.prefix($0.count))) }
    }

    private func list(_ entry: UnsafeMutablePointer<v4l2_fmtdesc>) -> CInt {
        let index = unsafe Int(entry.pointee.index)
        guard index < formats.count else { return EINVAL }
        unsafe entry.pointee.pixelformat = code(formats[index].fourcc)
        unsafe copy("words of \(formats[index].fourcc)", to: &entry.pointee.description)
        return 0
    }

    private func listSizes(_ entry: UnsafeMutablePointer<v4l2_frmsizeenum>) -> CInt {
        let (index, fourcc) = unsafe (Int(entry.pointee.index), entry.pointee.pixel_format)
        guard let format = formats.first(where: { code($0.fourcc) == fourcc }) else { return EINVAL }
        func range(_ minimum: (Int, Int), _ maximum: (Int, Int), _ step: (Int, Int)) -> v4l2_frmsize_stepwise {
            v4l2_frmsize_stepwise(
                min_width: UInt32(minimum.0), max_width: UInt32(maximum.0), step_width: UInt32(step.0),
                min_height: UInt32(minimum.1), max_height: UInt32(maximum.1), step_height: UInt32(step.1))
        }
        switch format.sizes {
        case .none: return ENOTTY
        case .discrete(let sizes):
            guard index < sizes.count else { return EINVAL }
            unsafe entry.pointee.type = V4L2_FRMSIZE_TYPE_DISCRETE.rawValue
            unsafe entry.pointee.discrete = v4l2_frmsize_discrete(
                width: UInt32(sizes[index].0), height: UInt32(sizes[index].1))
        case .stepwise(let minimum, let maximum, let step):
            unsafe entry.pointee.type = V4L2_FRMSIZE_TYPE_STEPWISE.rawValue
            unsafe entry.pointee.stepwise = range(minimum, maximum, step)
        case .continuous(let minimum, let maximum):
            unsafe entry.pointee.type = V4L2_FRMSIZE_TYPE_CONTINUOUS.rawValue
            unsafe entry.pointee.stepwise = range(minimum, maximum, (1, 1))
        }
        return 0
    }

    private func listRates(_ entry: UnsafeMutablePointer<v4l2_frmivalenum>) -> CInt {
        let (index, fourcc) = unsafe (Int(entry.pointee.index), entry.pointee.pixel_format)
        guard let format = formats.first(where: { code($0.fourcc) == fourcc }) else { return EINVAL }
        let size = unsafe "\(entry.pointee.width)x\(entry.pointee.height)"
        let intervals = format.intervals[size] ?? format.intervals[""] ?? []
        if format.stepwiseIntervals, intervals.count == 2 {
            unsafe entry.pointee.type = V4L2_FRMIVAL_TYPE_STEPWISE.rawValue
            unsafe entry.pointee.stepwise = v4l2_frmival_stepwise(
                min: v4l2_fract(numerator: intervals[0].0, denominator: intervals[0].1),
                max: v4l2_fract(numerator: intervals[1].0, denominator: intervals[1].1),
                step: v4l2_fract(numerator: 1, denominator: 1))
            return 0
        }
        guard index < intervals.count else { return EINVAL }
        unsafe entry.pointee.type = V4L2_FRMIVAL_TYPE_DISCRETE.rawValue
        unsafe entry.pointee.discrete = v4l2_fract(
            numerator: intervals[index].0, denominator: intervals[index].1)
        return 0
    }

    private mutating func setFormat(_ format: UnsafeMutablePointer<v4l2_format>) -> CInt {
        var wanted = unsafe NodeFormat(&format.pointee, isMultiPlanar: isMultiPlanar)
        let pixelFormat = NativeFormat.of(wanted.fourcc)?.pixelFormat
        let planes = NativeFormat.of(wanted.fourcc)?.memoryPlanes ?? 1
        let shape = try? FrameFormat(
            width: wanted.width, height: wanted.height, pixelFormat: pixelFormat ?? .gray8)
        wanted.planes = (0..<planes).map { plane in
            let layout = shape.flatMap { $0.planeCount > plane ? $0.plane(plane) : nil }
            let whole = max(shape?.byteCount ?? 0, 1024)
            return NodeFormat.Plane(
                stride: layout?.stride ?? 0, size: planes == 1 ? whole : (layout?.byteCount ?? 0))
        }
        changeFormat(&wanted)
        current = wanted
        lengths = wanted.planes.map(\.size)
        if isMultiPlanar {
            unsafe fs_set_mplane(
                format, UInt32(wanted.width), UInt32(wanted.height), wanted.fourcc, wanted.field)
            for (index, plane) in wanted.planes.enumerated() {
                unsafe fs_set_mplane_layout(format, UInt32(index), UInt32(plane.stride), UInt32(plane.size))
            }
        } else {
            unsafe format.pointee.fmt.pix.width = UInt32(wanted.width)
            unsafe format.pointee.fmt.pix.height = UInt32(wanted.height)
            unsafe format.pointee.fmt.pix.pixelformat = wanted.fourcc
            unsafe format.pointee.fmt.pix.field = wanted.field
            unsafe format.pointee.fmt.pix.colorspace = wanted.colorspace
            unsafe format.pointee.fmt.pix.quantization = wanted.quantization
            unsafe fs_set_pix_encoding(format, wanted.encoding)
            unsafe format.pointee.fmt.pix.bytesperline = UInt32(wanted.planes[0].stride)
            unsafe format.pointee.fmt.pix.sizeimage = UInt32(wanted.planes[0].size)
        }
        return 0
    }

    private mutating func setRate(_ parameters: UnsafeMutablePointer<v4l2_streamparm>, sets: Bool) -> CInt {
        if sets { interval = unsafe changeInterval(parameters.pointee.parm.capture.timeperframe) }
        unsafe parameters.pointee.parm.capture.timeperframe = interval
        unsafe parameters.pointee.parm.capture.capability = rateFlag
        return 0
    }

    private mutating func grant(_ request: UnsafeMutablePointer<v4l2_requestbuffers>) -> CInt {
        let asked = unsafe Int(request.pointee.count)
        bufferCount = asked == 0 ? 0 : grants(asked)
        queued = []
        unsafe request.pointee.count = UInt32(bufferCount)
        guard bufferCount > 0 else { return 0 }
        let file = Descriptor(unsafe fs_memory_file("fake camera"))
        guard (try? file.truncate(to: stride * bufferCount)) != nil else { return ENOMEM }
        memory = file
        return 0
    }

    private func query(_ buffer: UnsafeMutablePointer<v4l2_buffer>) -> CInt {
        let index = unsafe Int(buffer.pointee.index)
        guard index < bufferCount else { return EINVAL }
        var offset = index * stride
        guard isMultiPlanar else {
            unsafe buffer.pointee.length = UInt32(lengths[0])
            unsafe buffer.pointee.m.offset = UInt32(offset)
            return 0
        }
        unsafe buffer.pointee.length = UInt32(lengths.count)
        for (plane, length) in lengths.enumerated() {
            unsafe buffer.pointee.m.planes[plane].length = UInt32(length)
            unsafe buffer.pointee.m.planes[plane].m.mem_offset = UInt32(offset)
            offset += (length + 4095) / 4096 * 4096
        }
        return 0
    }

    private mutating func dequeue(_ buffer: UnsafeMutablePointer<v4l2_buffer>) -> CInt {
        guard streaming else { return EINVAL }
        guard !inbox.isEmpty else { return EAGAIN }
        switch inbox[0] {
        case .failure(let code):
            inbox.removeFirst()
            return code
        case .frame(let planes, let sequence, let flags, let stamp, let used, let wrongIndex, let dataOffset):
            guard !queued.isEmpty else { return EAGAIN }
            inbox.removeFirst()
            let index = queued.removeFirst()
            var place = index * stride
            for (plane, bytes) in planes.enumerated() {
                unsafe bytes.withUnsafeBytes { _ = unsafe pwrite(memory?.raw ?? -1, $0.baseAddress, $0.count, place) }
                place += (lengths[plane] + 4095) / 4096 * 4096
            }
            unsafe buffer.pointee.index = wrongIndex ?? UInt32(index)
            unsafe buffer.pointee.flags = flags
            unsafe buffer.pointee.sequence = sequence
            let time = stamp ?? 999_000_000
            unsafe buffer.pointee.timestamp = timeval(
                tv_sec: Int(time / 1_000_000_000), tv_usec: Int(time % 1_000_000_000 / 1000))
            if isMultiPlanar {
                unsafe buffer.pointee.length = UInt32(planes.count)
                for (plane, bytes) in planes.enumerated() {
                    unsafe buffer.pointee.m.planes[plane].bytesused = UInt32(used ?? bytes.count)
                    unsafe buffer.pointee.m.planes[plane].data_offset = dataOffset
                }
            } else {
                unsafe buffer.pointee.bytesused = UInt32(used ?? planes[0].count)
            }
            return 0
        }
    }

    private func query(_ query: UnsafeMutablePointer<v4l2_queryctrl>) -> CInt {
        let last = unsafe query.pointee.id & ~V4L2_CTRL_FLAG_NEXT_CTRL
        guard let control = controls.filter({ $0.id > last }).min(by: { $0.id < $1.id }) else { return EINVAL }
        unsafe query.pointee.id = control.id
        unsafe query.pointee.type = control.type.rawValue
        unsafe copy(control.title, to: &query.pointee.name)
        unsafe query.pointee.minimum = control.range.lowerBound
        unsafe query.pointee.maximum = control.range.upperBound
        unsafe query.pointee.step = 1
        unsafe query.pointee.flags = UInt32(bitPattern: control.flags)
        return 0
    }

    private func query(_ menu: UnsafeMutablePointer<v4l2_querymenu>) -> CInt {
        let (id, index) = unsafe (menu.pointee.id, Int32(menu.pointee.index))
        guard let item = controls.first(where: { $0.id == id })?.items[index] else { return EINVAL }
        unsafe fs_set_menu(menu, item)
        return 0
    }

    private mutating func control(_ control: UnsafeMutablePointer<v4l2_control>, sets: Bool) -> CInt {
        let id = unsafe control.pointee.id
        guard let place = controls.firstIndex(where: { $0.id == id }) else { return EINVAL }
        if sets {
            if let refusal = controls[place].refusal { return refusal }
            unsafe controls[place].value = control.pointee.value
            unsafe set.append((id, control.pointee.value))
        } else {
            unsafe control.pointee.value = controls[place].value
        }
        return 0
    }
}
