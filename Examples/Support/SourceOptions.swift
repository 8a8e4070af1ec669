package import ArgumentParser
package import FrameStreaming
package import Logging

/// The options for the source, which every program with a source has.
package struct SourceOptions: ParsableArguments {
    @Flag(help: "Send a test pattern: colour bars, a moving object, a counter and a clock.")
    package var pattern = false

    @Option(
        name: [.customLong("input"), .customShort("i")],
        help: ArgumentHelp(
            "A file or a pipe: Y4M or MJPEG, which its first bytes tell, or headerless with --size and --format; - is standard input. A file is sent at its rate, a pipe as it comes. In the programs of make full also a film such as MP4 or Matroska, numbered pictures (frame-%04d.png), or a URL: rtsp://, http://.",
            valueName: "file|-|url"), completion: .file())
    package var input: String?

    @Option(
        help: ArgumentHelp("A V4L2 camera: /dev/videoN, or a link that frame-cameras lists.", valueName: "path"),
        completion: .custom { _, _, _ in cameraPaths() })
    package var camera: String?

    @Option(
        help: ArgumentHelp(
            "Set a control of the camera; repeat it for several. frame-cameras lists them.",
            valueName: "name=value"))
    package var control: [CameraControlSetting] = []

    @Option(
        help: ArgumentHelp(
            "The log level on standard error, mostly for the camera: debug, info (each search for a lost camera, pictures that the driver dropped), notice, warning, error.",
            valueName: "level"))
    package var logLevel = Logger.Level.notice

    @Option(
        name: [.customLong("size"), .customLong("resolution"), .customShort("s")],
        help: ArgumentHelp("The pictures' size. (default: 640x480 for pattern and camera)", valueName: "WxH"))
    package var size: SizeArgument?

    @Option(
        help: ArgumentHelp(
            "The pixel format by its name here, in ffmpeg or V4L2, such as I420, yuv420p, yuyv422, bgr24, gray, mjpeg, or by its fourcc. (default for a camera: its best)",
            valueName: "format"))
    package var format: PixelFormat?

    @Option(
        name: [.customLong("rate"), .customLong("fps"), .customShort("r")],
        help: ArgumentHelp(
            "Pictures per second of a file, a pattern or a camera, such as 30 or 30000/1001. (default: the file's own, else 30)",
            valueName: "n/d"))
    package var rate: FrameRate?

    @Option(help: ArgumentHelp("The colour range of the pictures, whatever the file says."))
    package var range: ColorRange?

    @Option(
        help: ArgumentHelp(
            "Turn the pictures clockwise, after their EXIF orientation was honoured; auto: only do that. JPEGs are turned without loss if their size consists of whole blocks, and else encoded again.",
            valueName: "90|180|270|auto"))
    package var rotate: RotationArgument?

    @Flag(help: "Repeat the file for ever.")
    package var loop = false

    @Option(
        help: ArgumentHelp("Begin a film at this time; a --loop returns to it. (default: 0)", valueName: "s"))
    package var start: Double?

    @Option(
        help: ArgumentHelp(
            "Send at the picture rate, or as fast as possible, whatever the input is. (default: realtime for files and the pattern; a pipe and a device have their own pace)"
        ))
    package var pace: Pacing?

    @Flag(
        help: ArgumentHelp(
            "The input is live: only its newest picture counts, and older ones are dropped. Devices and multipart/x-mixed-replace from a pipe always are."
        ))
    package var live = false

    @Option(help: ArgumentHelp("End after this many pictures of the source.", valueName: "n"))
    package var frames: Int?

    package init() {}

    /// Takes `-r 1280x720` for a size, as ustreamer does; `-r 30` is a rate, as in ffmpeg.
    package static func translate(_ arguments: [String]) -> [String] {
        var arguments = arguments
        for (index, value) in zip(arguments.indices, arguments.dropFirst())
        where arguments[index] == "-r" && SizeArgument(argument: value) != nil {
            arguments[index] = "--size"
        }
        return arguments
    }

    package func validate() throws {
        let chosen = (pattern ? 1 : 0) + (input == nil ? 0 : 1) + (camera == nil ? 0 : 1)
        guard chosen == 1 else { throw ValidationError("give one of --pattern, --input FILE|- and --camera PATH") }
        if live, input == nil { throw ValidationError("--live is for --input: a camera and the pattern always are") }
        if camera == nil, !control.isEmpty { throw ValidationError("--control is for cameras: give --camera PATH") }
        if loop, camera != nil { throw ValidationError("--loop is for files: a camera never ends") }
        if let start {
            guard let input, format == nil, FilmInput.isFilm(input) else {
                throw ValidationError("--start is for films: give --input FILM")
            }
            guard (0...1_000_000).contains(start) else {
                throw ValidationError("--start is 0 to 1000000 seconds, not \(start)")
            }
        }
        if let frames, frames < 1 { throw ValidationError("--frames is at least 1, not \(frames)") }
        if pattern, let format, !TestPattern.pixelFormats.contains(format) {
            throw ValidationError("the test pattern is not drawn in \(format): --format I420 or another raw format")
        }
        if input != nil, let format, !PixelFormat.allNamed.contains(format.inFiles) {
            let names = PixelFormat.allNamed.map { "\($0)" }.joined(separator: ", ")
            throw ValidationError(
                "--format \(format.fourcc) is no format that files are read in. These are: \(names); or their names in ffmpeg and V4L2, such as yuv420p, yuyv422, bgr0, gray"
            )
        }
        if input != nil, size == nil, let format, format.inFiles != .jpeg {
            throw ValidationError("--format \(format.fourcc) needs --size: a headerless file tells neither")
        }
        if input != nil, size != nil, format == nil {
            throw ValidationError(
                "--size needs --format: a headerless file tells neither (a Y4M file tells both, and needs neither)")
        }
        if let size { try validate(size) }
        if loop, pattern { throw ValidationError("--loop is for files: the pattern never ends") }
    }

    /// Pictures are sent as JPEG, so a size that no JPEG can have is refused at once: drawing the
    /// first picture would take minutes.
    private func validate(_ size: SizeArgument) throws {
        let name = "--size \(size.width)x\(size.height)"
        guard max(size.width, size.height) <= JPEGCodec.maximumSide else {
            throw ValidationError("\(name) cannot be sent: no side of a JPEG is longer than \(JPEGCodec.maximumSide)")
        }
        let mostPixels = JPEGCodec().maximumPixels
        guard size.width * size.height <= mostPixels else {
            throw ValidationError("\(name) is more than the \(mostPixels) pixels that are sent: give a smaller one")
        }
    }

    /// Opens the source that the options name; the log has the label of the program.
    ///
    /// - Parameters:
    ///   - encoding: The given options that only matter to pictures that are encoded here. A
    ///     warning names them if there are no such pictures.
    ///   - keepsAll: Whether no picture may be dropped, even if the input is live by its nature.
    package func open(
        label: String, encoding: [String] = [], keepsAll: Bool = false
    ) throws(FrameStreamingError) -> LimitedSource {
        let source = try openSource(label, keepsAll: keepsAll)
        let turn = rotate?.turn
        if encoding.isEmpty { return LimitedSource(source, frames: frames, turn: turn) }
        let names = encoding.joined(separator: ", ")
        let remedy =
            camera != nil
            ? "ask the camera for another --format (frame-cameras lists them)"
            : "decode them first: ffmpeg -i FILE -f yuv4mpegpipe - | frame-send --input -"
        return LimitedSource(source, frames: frames, turn: turn) { [logLevel] in
            StandardErrorLog.logger(label: label, level: logLevel).warning(
                "the pictures are JPEG already and go as they come, so there is nothing to do for \(names): \(remedy)")
        }
    }

    private func openSource(_ label: String, keepsAll: Bool) throws(FrameStreamingError) -> any FrameSource {
        if pattern { return try openPattern() }
        if let camera { return try openCamera(camera, label) }
        return try openFile(input ?? "-", label, keepsAll: keepsAll)
    }

    private func openCamera(_ path: String, _ label: String) throws(FrameStreamingError) -> any FrameSource {
        var options = V4L2CameraOptions()
        options.width = size?.width
        options.height = size?.height
        options.pixelFormat = format
        options.rate = rate
        options.controls = control
        options.colorRange = range
        options.onEvent = CameraLog(label: label, level: logLevel).note
        return try V4L2Camera(path: path, options: options)
    }

    private func openPattern() throws(FrameStreamingError) -> any FrameSource {
        try TestPatternSource(
            width: size?.width ?? 640, height: size?.height ?? 480, pixelFormat: format ?? .i420, rate: rate ?? .thirty,
            colorRange: range, pace: pace ?? .realtime)
    }

    private func openFile(
        _ path: String, _ label: String, keepsAll: Bool
    ) throws(FrameStreamingError) -> any FrameSource {
        let isLive: Bool? = live ? true : keepsAll ? false : nil
        let options = PlaybackOptions(rate: rate, loop: loop, pace: pace, live: isLive, colorRange: range)
        // Without a format, the first bytes say what it is.
        guard let format else {
            guard FilmInput.isFilm(path) else { return try FileSource(path: path, options: options) }
            let log = FilmLog(label: label, level: logLevel)
            return try FilmInput.open(
                path, FilmInput.Wishes(playback: options, start: .seconds(start ?? 0), log: log))
        }
        if format.inFiles == .jpeg { return try FileSource(path: path, as: .jpeg, options: options) }
        guard let size else {
            throw FrameStreamingError(
                .invalidArgument, "--format \(format.fourcc) without --size: give the pictures' size", subject: path)
        }
        let shape = try FrameFormat(
            width: size.width, height: size.height, pixelFormat: format.inFiles, colorRange: range)
        return try FileSource(path: path, as: .raw(shape), options: options)
    }

    /// Whether the pictures have no end, so that no receiver can have all of them.
    package var isEndless: Bool { loop && frames == nil }

    /// How many pictures there will be, if that is known.
    package func expectedFrames(of source: LimitedSource) -> Int? { source.expectedFrames(loops: loop) }
}
