internal import CV4L2

/// The timings of a video signal, at an HDMI input.
struct SignalTimings: Sendable {
    var timings: v4l2_dv_timings

    var width: Int { unsafe withTimings { unsafe Int(fs_timings_width($0)) } }
    var height: Int { unsafe withTimings { unsafe Int(fs_timings_height($0)) } }

    func matches(_ other: SignalTimings) -> Bool {
        unsafe withTimings { mine in unsafe other.withTimings { unsafe fs_timings_match(mine, $0) != 0 } }
    }

    private func withTimings<Result>(_ body: (UnsafePointer<v4l2_dv_timings>) -> Result) -> Result {
        unsafe withUnsafePointer(to: timings) { unsafe body($0) }
    }
}
