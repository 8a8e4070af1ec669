internal import CV4L2
internal import FrameStreamingSystem

/// The timings of a video signal, at an HDMI input.
struct SignalTimings: Sendable {
    fileprivate var timings: v4l2_dv_timings

    var width: Int { unsafe withTimings { unsafe Int(fs_timings_width($0)) } }
    var height: Int { unsafe withTimings { unsafe Int(fs_timings_height($0)) } }

    func matches(_ other: SignalTimings) -> Bool {
        unsafe withTimings { mine in unsafe other.withTimings { unsafe fs_timings_match(mine, $0) != 0 } }
    }

    private func withTimings<Result>(_ body: (UnsafePointer<v4l2_dv_timings>) -> Result) -> Result {
        unsafe withUnsafePointer(to: timings) { unsafe body($0) }
    }
}

extension VideoNode {
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
