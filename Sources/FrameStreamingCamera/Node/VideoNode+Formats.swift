internal import CV4L2
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A format that a node lists.
struct ListedFormat: Hashable, Sendable {
    let fourcc: UInt32
    let driverDescription: String
}

extension VideoNode {
    /// Lists the formats (VIDIOC_ENUM_FMT); empty if the driver cannot list them.
    func formats() -> [ListedFormat] {
        enumerate { index throws(SystemError) in
            var entry = v4l2_fmtdesc()
            entry.index = index
            entry.type = bufferType
            try call("VIDIOC_ENUM_FMT", fs_VIDIOC_ENUM_FMT, &entry)
            return ListedFormat(fourcc: entry.pixelformat, driverDescription: name(of: entry.description))
        }
    }

    /// Lists the sizes of a format (VIDIOC_ENUM_FRAMESIZES): single sizes, or one range.
    func sizes(of fourcc: UInt32) -> [CameraSize] {
        var isRange = false
        return enumerate { index throws(SystemError) in
            var entry = v4l2_frmsizeenum()
            entry.index = index
            entry.pixel_format = fourcc
            if isRange { return nil }
            try call("VIDIOC_ENUM_FRAMESIZES", fs_VIDIOC_ENUM_FRAMESIZES, &entry)
            if entry.type == V4L2_FRMSIZE_TYPE_DISCRETE.rawValue {
                let (width, height) = (entry.discrete.width, entry.discrete.height)
                return CameraSize(width: Int(width), height: Int(height))
            }
            // A stepwise or continuous range has one entry, and some drivers repeat it for ever.
            isRange = true
            let range = entry.stepwise
            return CameraSize(
                minimum: (Int(range.min_width), Int(range.min_height)),
                maximum: (Int(range.max_width), Int(range.max_height)),
                step: (Int(range.step_width), Int(range.step_height)))
        }
    }

    /// Lists the frame rates at a size (VIDIOC_ENUM_FRAMEINTERVALS), highest first; of a range, the
    /// two ends.
    func rates(of fourcc: UInt32, width: Int, height: Int) -> [FrameRate] {
        var isRange = false
        let found: [[FrameRate]] = enumerate { index throws(SystemError) in
            var entry = v4l2_frmivalenum()
            entry.index = index
            entry.pixel_format = fourcc
            entry.width = UInt32(clamping: width)
            entry.height = UInt32(clamping: height)
            if isRange { return nil }
            try call("VIDIOC_ENUM_FRAMEINTERVALS", fs_VIDIOC_ENUM_FRAMEINTERVALS, &entry)
            if entry.type == V4L2_FRMIVAL_TYPE_DISCRETE.rawValue {
                return [FrameRate(interval: entry.discrete)].compactMap(\.self)
            }
            isRange = true
            let range = entry.stepwise
            return [FrameRate(interval: range.min), FrameRate(interval: range.max)].compactMap(\.self)
        }
        var rates: [FrameRate] = []
        for rate in found.joined() where !rates.contains(rate) { rates.append(rate) }
        return rates.sorted { $0.framesPerSecond > $1.framesPerSecond }
    }

    /// Requests a format (VIDIOC_S_FMT). Returns the one that the driver granted.
    func setFormat(_ wanted: NodeFormat) throws(SystemError) -> NodeFormat {
        var format = unsafe v4l2_format()
        unsafe format.type = bufferType
        if capability.isMultiPlanar {
            unsafe fs_set_mplane(
                &format, UInt32(wanted.width), UInt32(wanted.height), wanted.fourcc, wanted.field)
        } else {
            unsafe format.fmt.pix.width = UInt32(wanted.width)
            unsafe format.fmt.pix.height = UInt32(wanted.height)
            unsafe format.fmt.pix.pixelformat = wanted.fourcc
            unsafe format.fmt.pix.field = wanted.field
        }
        try unsafe call("VIDIOC_S_FMT", fs_VIDIOC_S_FMT, &format)
        return unsafe NodeFormat(&format, isMultiPlanar: capability.isMultiPlanar)
    }

    /// Requests a frame rate (VIDIOC_S_PARM). Returns the one that the driver granted; nil if it
    /// does not report it. A refusal is no error.
    func setRate(_ rate: FrameRate) -> FrameRate? {
        var parameters = v4l2_streamparm()
        parameters.type = bufferType
        do throws(SystemError) {
            unsafe parameters.parm.capture.timeperframe = v4l2_fract(
                numerator: UInt32(rate.denominator), denominator: UInt32(rate.numerator))
            try call("VIDIOC_S_PARM", fs_VIDIOC_S_PARM, &parameters)
            guard unsafe parameters.parm.capture.capability & UInt32(V4L2_CAP_TIMEPERFRAME) != 0 else { return nil }
            return unsafe FrameRate(interval: parameters.parm.capture.timeperframe)
        } catch {
            return currentRate()
        }
    }

    /// Reads the frame rate (VIDIOC_G_PARM).
    func currentRate() -> FrameRate? {
        var parameters = v4l2_streamparm()
        parameters.type = bufferType
        guard (try? call("VIDIOC_G_PARM", fs_VIDIOC_G_PARM, &parameters)) != nil else { return nil }
        return unsafe FrameRate(interval: parameters.parm.capture.timeperframe)
    }

    /// Calls `entry` with 0, 1, ... until it returns nil or throws (EINVAL at the end, ENOTTY if
    /// there is no such list). Stops after 1,024 entries, because a broken driver may never end.
    private func enumerate<Entry>(_ entry: (UInt32) throws(SystemError) -> Entry?) -> [Entry] {
        var entries: [Entry] = []
        for index in 0..<1024 as Range<UInt32> {
            do throws(SystemError) {
                guard let next = try entry(index) else { break }
                entries.append(next)
            } catch {
                break
            }
        }
        return entries
    }

    /// Returns whether the input's signal decides size and rate.
    func hasSignalTimings() -> Bool {
        var index: CInt = 0
        var input = v4l2_input()
        guard (try? call("VIDIOC_G_INPUT", fs_VIDIOC_G_INPUT, &index)) != nil else { return false }
        input.index = UInt32(bitPattern: index)
        guard (try? call("VIDIOC_ENUMINPUT", fs_VIDIOC_ENUMINPUT, &input)) != nil else { return false }
        return input.capabilities & UInt32(V4L2_IN_CAP_DV_TIMINGS) != 0
    }

    /// Detects the signal (VIDIOC_QUERY_DV_TIMINGS). Throws ENOLINK, ENOLCK or
    /// ERANGE if there is no usable one.
    func signal() throws(SystemError) -> SignalTimings {
        var timings = v4l2_dv_timings()
        try call("VIDIOC_QUERY_DV_TIMINGS", fs_VIDIOC_QUERY_DV_TIMINGS, &timings)
        return SignalTimings(timings: timings)
    }

    /// Sets the input to a signal (VIDIOC_S_DV_TIMINGS).
    func setSignal(_ signal: SignalTimings) throws(SystemError) {
        var timings = signal.timings
        try call("VIDIOC_S_DV_TIMINGS", fs_VIDIOC_S_DV_TIMINGS, &timings)
    }

    /// Subscribes to changes of the signal. A driver without events refuses, which is no error.
    func watchSource() {
        var subscription = v4l2_event_subscription()
        subscription.type = UInt32(V4L2_EVENT_SOURCE_CHANGE)
        _ = try? call("VIDIOC_SUBSCRIBE_EVENT", fs_VIDIOC_SUBSCRIBE_EVENT, &subscription)
    }

    /// Takes the events that wait. Returns whether the signal changed.
    func takeSourceChange() -> Bool {
        var changed = false
        // Bounded: a driver that always has one more must not keep us.
        for _ in 0..<64 {
            var event = v4l2_event()
            guard (try? call("VIDIOC_DQEVENT", fs_VIDIOC_DQEVENT, &event)) != nil else { break }
            if event.type == UInt32(V4L2_EVENT_SOURCE_CHANGE) { changed = true }
        }
        return changed
    }
}

extension FrameRate {
    /// Inverts a time per frame. Returns nil for 0/0, by which drivers mean that it is unknown.
    init?(interval: v4l2_fract) {
        self.init(Int(interval.denominator), per: Int(interval.numerator))
    }
}

extension NodeFormat {
    /// Unsafe code, safe because: the node's buffer type tells which member of the union is set.
    init(_ format: inout v4l2_format, isMultiPlanar: Bool) {
        if isMultiPlanar {
            let count = unsafe min(fs_mplane_count(&format), 8)
            self = unsafe NodeFormat(
                width: Int(fs_mplane_width(&format)), height: Int(fs_mplane_height(&format)),
                fourcc: fs_mplane_fourcc(&format), field: fs_mplane_field(&format),
                colorspace: fs_mplane_colorspace(&format), quantization: fs_mplane_quantization(&format),
                encoding: fs_mplane_encoding(&format))
            for plane in 0..<count {
                unsafe planes.append(
                    Plane(stride: Int(fs_mplane_stride(&format, plane)), size: Int(fs_mplane_size(&format, plane))))
            }
        } else {
            let pix = unsafe format.fmt.pix
            self = unsafe NodeFormat(
                width: Int(pix.width), height: Int(pix.height), fourcc: pix.pixelformat, field: pix.field,
                colorspace: pix.colorspace, quantization: pix.quantization, encoding: fs_pix_encoding(&format),
                planes: [Plane(stride: Int(pix.bytesperline), size: Int(pix.sizeimage))])
        }
    }
}
