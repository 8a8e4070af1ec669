internal import FrameStreaming

/// Prints what a file or a pipe has delivered, where that is not what the user may expect.
package struct InputReport: Sendable {
    private let meter: InputMeter
    /// Whether the frames come at the input's own pace, so that another program makes them.
    private let hasOwnPace: Bool
    private let output: OutputOptions

    package init(_ source: any MeteredSource, _ output: OutputOptions) {
        meter = source.meter
        hasOwnPace = source.hasOwnPace
        self.output = output
    }

    /// Prints that the receivers hold up the program that makes the pictures. A file at full speed
    /// is always held up, which is no fault.
    func heldUp(_ time: Duration) {
        guard hasOwnPace else { return }
        printNote(
            "the pictures come faster than the receivers take them: the program that makes them was held up for \(fixed(seconds(time))) s, and none is dropped. If only the newest counts, give --live"
        )
        if output.json { printJSON(HeldUpEvent(seconds: seconds(time))) }
    }

    /// Pictures that a newer one replaced before they were taken.
    var dropped: Int { meter.statistics.dropped }

    /// The same before the first one was taken.
    var unwanted: Int { meter.statistics.unwanted }

    /// Prints the last figures.
    ///
    /// - Parameter damaged: All pictures that were left out, also by what turns them.
    func sumUp(damaged: Int) {
        var statistics = meter.statistics
        statistics.damaged = max(statistics.damaged, damaged)
        if output.json { printJSON(InputEvent(statistics)) }
        if statistics.unwanted > 0, !output.json {
            printNote(
                "\(statistics.unwanted) of \(statistics.frames) pictures of the input came before the first one was taken, and a newer one replaced them"
            )
        }
        if statistics.dropped > 0, !output.json {
            printNote(
                "\(statistics.dropped) of \(statistics.frames) pictures of the input were dropped, because a newer one came before they were taken"
            )
        }
        if statistics.isSlow, let rate = statistics.statedRate, let measured = statistics.framesPerSecond {
            printNote("the input delivered \(fixed(measured)) pictures a second, less than its rate of \(rate)")
        }
    }
}

/// The receivers hold up the program that makes the pictures.
struct HeldUpEvent: Encodable, Sendable {
    let event = "held up"
    let seconds: Double
}

/// What the input has delivered.
struct InputEvent: Encodable, Sendable {
    let event = "input"
    let statistics: InputStatistics

    init(_ statistics: InputStatistics) { self.statistics = statistics }

    func encode(to encoder: any Encoder) throws {
        var line = encoder.container(keyedBy: LineKey.self)
        try line.encode(event, forKey: "event")
        try line.encode(statistics.frames, forKey: "frames")
        try line.encode(statistics.dropped, forKey: "dropped")
        try line.encode(statistics.unwanted, forKey: "unwanted")
        try line.encode(statistics.damaged, forKey: "damaged")
        try line.encode(statistics.framesPerSecond, forKey: "fps")
        try line.encode(statistics.statedRate?.framesPerSecond, forKey: "stated_fps")
        try line.encode(statistics.isSlow, forKey: "slow")
    }
}
