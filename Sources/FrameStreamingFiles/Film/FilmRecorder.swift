public import FrameStreamingCore
internal import FrameStreamingSystem

/// Writes JPEG, H.264, VP8 and VP9 frames as they are to a Matroska or MP4 file, each with its
/// capture time.
///
/// ```swift
/// let recorder = try FilmRecorder(path: "out.mkv", stream: receiver.peer.stream)
/// while let received = try receiver.next() { try recorder.write(received.forwarded()) }
/// recorder.close()
/// ```
///
/// Nothing is encoded again. The rate is that of the capture times, so it may vary; stamps differ from
/// them by less than a microsecond. A frame without a capture time gets the time of its `write`. Stamps
/// always ascend: a capture time that is not later than the one before counts as a microsecond
/// later, and one of another clock continues by the time that has passed here. The absolute start and
/// the stream's name are in the file.
///
/// Each frame is one write, after which the file is whole: a kill at any moment costs at most the frame
/// that was being written. Its duration and its index, by which players seek quickly, are written by
/// ``close()``.
///
/// A recording begins with a frame that stands alone. Frames that depend on one that it does not have
/// are left out (``leftOutCount``).
public final class FilmRecorder: FrameRecorder {
    /// The recording's file: the requested path, or the next free name.
    public var path: String { file.path }
    /// The number of that name (``RecordingPath/numbered(_:_:)``).
    public var number: Int { file.number }
    /// Frames written so far.
    public private(set) var frameCount = 0
    /// Frames that depend on one that the recording does not have, such as those before its first key
    /// frame, and so were not written.
    public private(set) var leftOutCount = 0
    /// The file format.
    public let container: FilmContainer

    /// The pixel formats that it records.
    public static let pixelFormats: [PixelFormat] = [.jpeg, .h264, .vp8, .vp9]

    /// The name of this package in its films.
    package static var writerName: String { FilmTrack.writer }

    private let file: RecordingFile
    private let title: String?
    private var writer: any FilmWriter
    private var timeline = FilmTimeline()
    /// Nil before the first frame.
    private var track: FilmTrack?
    /// Whether the next frame may depend on the one before.
    private var hasReference = false
    private var lastStep: Int64?
    private var packed: [UInt8] = []

    /// Creates the file, and locks it while the recorder is open.
    ///
    /// By default an existing recording is kept, and the recorder takes the next free name. A FIFO
    /// is waited for until it has a reader, and whenever that reader does not keep up.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - container: The file format; nil = that of the path's ending.
    ///   - stream: The stream's name, which the file states as its title.
    ///   - options: What to do with an existing recording, and whether to sync each frame to the
    ///     disk.
    ///   - cancellation: Ends a wait for a FIFO's reader.
    /// - Throws: `invalidArgument` for a path whose ending names no format; `alreadyExists`, `busy`
    ///   where the options refuse a name; `notFound`, `notPermitted`, `system` where the file cannot
    ///   be created; `cancelled`.
    public init(
        path: String, container: FilmContainer? = nil, stream: String? = nil,
        options: RecordingOptions = RecordingOptions(), cancellation: RecordingCancellation? = nil
    ) throws(FrameStreamingError) {
        guard let container = container ?? FilmContainer(path: path) else {
            let endings = FilmContainer.allCases.map(\.ending).joined(separator: " or ")
            throw FrameStreamingError(
                .invalidArgument, "its ending names no file format: it must be \(endings)", subject: path)
        }
        file = try RecordingFile(path: path, options, cancellation: cancellation)
        self.container = container
        writer = container.writer
        title = stream.map { String(printable: $0, limit: 200) }
    }

    deinit { close() }

    /// Whether the frame is JPEG, H.264, VP8 or VP9, and of the first one's format and size.
    ///
    /// A key frame of H.264 must have the first one's parameter sets, too.
    public func accepts(_ frame: Frame) -> Bool {
        guard Self.pixelFormats.contains(frame.format.pixelFormat) else { return false }
        guard let track else { return true }
        guard let coding = coding(of: frame) else { return false }
        return isSame(track, frame, coding)
    }

    private func isSame(_ track: FilmTrack, _ frame: Frame, _ coding: FilmTrack.Coding) -> Bool {
        let format = frame.format
        return track.coding == coding && track.width == format.width && track.height == format.height
            && (coding == .jpeg || track.range == format.colorRange && track.matrix == format.colorMatrix)
    }

    /// How a frame is compressed; nil for a key frame of H.264 without parameter sets, and for
    /// formats that are not recorded.
    private func coding(of frame: Frame) -> FilmTrack.Coding? {
        switch frame.format.pixelFormat {
        case .jpeg: return .jpeg
        case .vp8: return .vp8
        case .vp9:
            if frame.dependsOnPrevious, let track { return track.coding }
            // Two bits of the marker, then the profile with its lower bit first.
            let first = frame.byteCount > 0 ? frame.bytes.byte(at: 0) : 0
            return .vp9(profile: (first >> 5 & 1) | (first >> 3 & 2))
        case .h264:
            if frame.dependsOnPrevious, case .h264? = track?.coding { return track?.coding }
            let bytes = frame.bytes
            return AVCConfiguration(AnnexB.units(of: bytes), of: bytes).map(FilmTrack.Coding.h264)
        default: return nil
        }
    }

    /// Writes one frame with its capture time, or leaves it out if it depends on one that the
    /// recording does not have.
    ///
    /// - Throws: `unsupported` for other pixel formats, and for a format or size other than the
    ///   first frame's; `corruptImage` for a key frame of H.264 without parameter sets; `system`
    ///   where the disk is full or fails; `recordingLost` where another program has removed or
    ///   changed the file; `cancelled`; `closed` after ``close()``, and where a FIFO holds part of a
    ///   frame.
    public func write(_ frame: Frame) throws(FrameStreamingError) {
        try write(frame, arrival: .now)
    }

    func write(_ frame: Frame, arrival: MonotonicTime) throws(FrameStreamingError) {
        guard Self.pixelFormats.contains(frame.format.pixelFormat) else {
            throw FrameStreamingError(
                .unsupported,
                "\(container.name) holds JPEG, H.264, VP8 and VP9 here, not \(frame.format.pixelFormat): encode first, or record Y4M",
                subject: path)
        }
        guard hasReference || !frame.dependsOnPrevious else {
            leftOutCount += 1
            return
        }
        guard let coding = coding(of: frame) else {
            throw FrameStreamingError(
                .corruptImage, "the key frame has no parameter sets, without which no player can decode it",
                subject: path)
        }
        let track = try track(for: frame, coding, arrival)
        var (writer, timeline) = (writer, timeline)
        let before = timeline.lastStamp
        let stamp = timeline.stamp(frame.captureTime, arrival: arrival)
        let step = before.map { stamp - $0 }
        do throws(FrameStreamingError) {
            if case .h264 = coding {
                let bytes = frame.bytes
                AnnexB.writeWithLengths(AnnexB.units(of: bytes), of: bytes, to: &packed)
                let lead = try lead(&writer, track, frame, stamp, step, byteCount: packed.count)
                try unsafe file.append(lead.span.bytes, packed.span.bytes)
            } else {
                let lead = try lead(&writer, track, frame, stamp, step, byteCount: frame.byteCount)
                try unsafe file.append(lead.span.bytes, frame.bytes)
            }
        } catch {
            // Frames behind this one depend on what is not there.
            hasReference = false
            throw error
        }
        (self.writer, self.timeline, self.track) = (writer, timeline, track)
        lastStep = step
        hasReference = true
        frameCount += 1
    }

    private func lead(
        _ writer: inout any FilmWriter, _ track: FilmTrack, _ frame: Frame, _ stamp: Int64, _ step: Int64?,
        byteCount: Int
    ) throws(FrameStreamingError) -> [UInt8] {
        guard byteCount < 1 << 31 else {
            throw FrameStreamingError(
                .limitExceeded, "a frame of \(byteCount) bytes is more than a film can hold", subject: path)
        }
        let sample = FilmSample(stamp: stamp, step: step, isKey: !frame.dependsOnPrevious, byteCount: byteCount)
        return writer.lead(of: sample, in: track)
    }

    private func track(
        for frame: Frame, _ coding: FilmTrack.Coding, _ arrival: MonotonicTime
    ) throws(FrameStreamingError) -> FilmTrack {
        let format = frame.format
        if let track {
            guard isSame(track, frame, coding) else {
                throw FrameStreamingError(
                    .unsupported,
                    "all frames of a film have one format and size: the first has \(track.width)x\(track.height), this one is \(format); start another file",
                    subject: path)
            }
            return track
        }
        guard max(format.width, format.height) <= Int(UInt16.max) else {
            throw FrameStreamingError(
                .unsupported, "no side of a film's pictures is longer than 65535, and this one is \(format)",
                subject: path)
        }
        return FilmTrack(
            coding: coding, width: format.width, height: format.height, range: format.colorRange,
            matrix: format.colorMatrix, title: title, start: Self.start(frame.captureTime, arrival))
    }

    /// When the first frame was captured, by the calendar.
    private static func start(_ captureTime: CaptureTime?, _ arrival: MonotonicTime) -> UTCTime {
        let now = arrival.nanoseconds &+ realtimeOffset()
        guard let captureTime, captureTime.clock == .monotonic else { return UTCTime(nanoseconds: now) }
        // Another machine's clock tells nothing about the calendar.
        let (age, overflow) = arrival.nanoseconds.subtractingReportingOverflow(captureTime.nanoseconds)
        guard !overflow, (0...longestAge).contains(age) else { return UTCTime(nanoseconds: now) }
        return UTCTime(nanoseconds: now &- age)
    }

    /// An age of a frame that is not believed to be of this machine's clock: an hour.
    private static let longestAge: Int64 = 3_600_000_000_000

    /// Closes the file's descriptor until the next frame; the file must not change meanwhile. A
    /// FIFO or a device stays open.
    public func suspend() {
        file.suspend()
        packed = []
    }

    /// Ends the recording: writes the film's duration and its index, and removes a file that it created
    /// and that has no frame. May be called again.
    ///
    /// If there is no room for them, the film stays as it is: all frames can be read.
    public func close() {
        if let stamp = timeline.lastStamp {
            file.finish(writer.ending(duration: stamp + (lastStep ?? 0)))
        }
        file.close()
    }
}
