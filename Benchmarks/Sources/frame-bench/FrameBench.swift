import ArgumentParser

/// Measures the package against libturbojpeg, libjpeg, OpenCV and plain C, and runs the
/// processes of its own measurements.
@main
struct FrameBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frame-bench", abstract: "The criteria of Docs/Performance.md, measured.",
        subcommands: [
            Run.self, MakeClip.self, Parts.self, CameraEncode.self, PassThrough.self, TransportSend.self,
            TransportReceive.self, MakePicture.self, StreamSend.self, StreamReceive.self,
            ManyReceive.self, ManySend.self, FanOutSend.self, PreviewShow.self, PreviewWatch.self, CancelTimes.self,
        ],
        defaultSubcommand: Run.self)
}
