import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingTesting
import TestThreads
import Testing

@testable import FrameStreamingMedia

/// How a film is played: its times, loops and jumps.
@Suite(.ownThread(atOnce: 2)) struct FilmTests {
    private let directory: TemporaryDirectory
    private let clip: Clip
    init() throws {
        directory = try TemporaryDirectory()
        clip = try Clip(32, 16, .i420, "yuv420p", frames: 10)
    }

    private static let h264 = ["-c:v", "libx264", "-qp", "0", "-g", "4", "-bf", "2"]

    /// The number in the clip of each frame.
    private func numbers(_ frames: [Frame]) -> [Int?] { frames.map { clip.frames.firstIndex(of: $0.packed) } }

    /// The capture times of a film that is played on a scripted clock, in milliseconds after the first.
    private func times(
        _ path: String, frames: Int, rate: FrameRate? = nil, loop: Bool = false
    ) throws -> (times: [Int64], numbers: [Int?]) {
        var options = MediaOptions(playback: PlaybackOptions(rate: rate, loop: loop))
        options.playback.clock = ScriptedClock()
        let taken = drain(try MediaSource(path: path, options: options), limit: frames).frames
        let first = taken.first?.captureTime?.nanoseconds ?? 0
        return (taken.map { (($0.captureTime?.nanoseconds ?? 0) - first + 500_000) / 1_000_000 }, numbers(taken))
    }

    @Test(arguments: ["film.mp4", "film.mkv"]) func `a rate that varies stays as it is`(name: String) throws {
        // 40, 80, 120, ... milliseconds.
        let path = try clip.film(
            name, ["-vf", "settb=1/1000,setpts=N*(N+1)/2*40", "-vsync", "vfr"] + Self.h264, in: directory)
        #expect(try times(path, frames: 10).times == (0..<10).map { Int64($0 * ($0 + 1) * 20) })
        #expect(try times(path, frames: 10, rate: FrameRate(50)).times == (0..<10).map { Int64($0 * 20) })
    }

    @Test(arguments: ["film.mp4", "film.mkv", "film.ts", "film.h264", "film.avi"])
    func `a loop begins again when the last picture has had its time`(name: String) throws {
        let path = try clip.film(name, name == "film.avi" ? ["-c:v", "ffv1"] : Self.h264, in: directory)
        let (times, numbers) = try times(path, frames: 25, loop: true)
        #expect(numbers == (0..<25).map { $0 % 10 })
        #expect(times == (0..<25).map { Int64($0 * 40) })
    }

    @Test func `playback begins at a time, and begins there again`() throws {
        for name in ["film.mp4", "film.mkv", "film.h264"] {
            let path = try clip.film(name, Self.h264, in: directory)
            // Between two key frames.
            let source = try MediaSource(path: path, options: .fast(loop: true, start: .milliseconds(240)))
            let taken = drain(source, limit: 9)
            #expect(
                numbers(taken.frames) == [6, 7, 8, 9, 6, 7, 8, 9, 6],
                "\(name): \(taken.error.map { "\($0)" } ?? "no error")")
            let late = drain(try MediaSource(path: path, options: .fast(start: .seconds(60))))
            #expect(late.error?.code == .invalidArgument && late.frames.isEmpty, "\(name)")
        }
    }

    @Test(arguments: ["film.mp4", "film.mkv", "film.h264"])
    func `a film goes on where it is wanted`(name: String) throws {
        let path = try clip.film(name, Self.h264, in: directory)
        var options = MediaOptions()
        let clock = ScriptedClock()
        options.playback.clock = clock
        let source = try MediaSource(path: path, options: options)
        let begun = drain(source, limit: 3).frames
        #expect(numbers(begun) == [0, 1, 2])
        // Forward and back, between two key frames; each is due at once, and those behind it in their time.
        for (place, first) in [(280, 7), (120, 3), (0, 0)] {
            let now = clock.now
            try source.seek(to: .milliseconds(place))
            let taken = drain(source, limit: 3).frames
            #expect(numbers(taken) == [first, first + 1, first + 2], "\(place)")
            let times = taken.map { (($0.captureTime?.nanoseconds ?? 0) - now.nanoseconds + 500_000) / 1_000_000 }
            #expect(times == [0, 40, 80], "\(place)")
        }
        // To the end, from the end, and behind it.
        #expect(numbers(drain(source).frames) == Array(3..<10))
        #expect(try source.next(until: .now) == nil)
        try source.seek(to: .milliseconds(320))
        #expect(numbers(drain(source).frames) == [8, 9])
        try source.seek(to: .seconds(60))
        let behind = drain(source)
        #expect(behind.frames.isEmpty && behind.error == nil)
        #expect(try failure { try source.seek(to: .seconds(-1)) }.code == .invalidArgument)
    }

    @Test func `a loop goes on behind the place that was chosen`() throws {
        let path = try clip.film("film.mp4", Self.h264, in: directory)
        let source = try MediaSource(path: path, options: .fast(loop: true))
        try source.seek(to: .milliseconds(320))
        #expect(numbers(drain(source, limit: 4).frames) == [8, 9, 0, 1])
        var options = MediaOptions.fast()
        options.playback.live = true
        let live = try MediaSource(path: path, options: options)
        #expect(try failure { try live.seek(to: .zero) }.code == .unsupported)
    }

    @Test func `a film states its length`() throws {
        let path = try clip.film("film.mp4", Self.h264, in: directory)
        let source = try MediaSource(path: path, options: .fast())
        #expect(source.duration == .milliseconds(400) && !source.isLive)
        _ = drain(source)
        #expect(source.meter.statistics.frames == 10)
        #expect(try source.next(until: .now) == nil)
    }

    @Test func `a deadline costs no picture`() throws {
        let path = try clip.film("film.mp4", Self.h264, in: directory)
        let source = try MediaSource(path: path, options: .fast())
        var frames: [Frame] = []
        try waitUntil {
            do throws(FrameStreamingError) {
                guard let event = try source.next(until: .now) else { return true }
                if case .frame(let frame) = event { frames.append(frame) }
            } catch {
                #expect(error.code == .timedOut)
            }
            return false
        }
        #expect(numbers(frames) == Array(0..<10))
    }

    @Test func `the newest picture counts where that is wanted`() throws {
        let path = try clip.film("film.mp4", Self.h264, in: directory)
        var options = MediaOptions.fast()
        options.playback.live = true
        let source = try MediaSource(path: path, options: options)
        #expect(source.isLive)
        let frames = drain(source).frames
        #expect(numbers(frames).last == 9)
    }

    @Test func `sound beside the pictures does not matter, and sound alone is refused`() throws {
        let path = try clip.film("plain.mp4", Self.h264, in: directory)
        let sound = ["-f", "lavfi", "-i", "sine=duration=0.4"]
        try FFmpeg.run(
            ["-i", path] + sound + ["-c:v", "copy", "-c:a", "aac", directory.path("both.mp4")], in: directory)
        let source = try MediaSource(path: directory.path("both.mp4"), options: .fast())
        #expect(numbers(drain(source).frames) == Array(0..<10))
        try FFmpeg.run(sound + [directory.path("sound.wav")], in: directory)
        let error = try failure { _ = try MediaSource(path: directory.path("sound.wav")) }
        #expect(error.code == .unsupported && error.message.contains("no video"), "\(error)")
    }

    @Test func `larger pictures than are allowed are refused`() throws {
        let path = try clip.film("film.mp4", Self.h264, in: directory)
        var options = MediaOptions.fast()
        options.maximumPixelCount = 32 * 16 - 1
        let result = Result { drain(try MediaSource(path: path, options: options)) }
        switch result {
        case .success(let (frames, _, error)): #expect(frames.isEmpty && error != nil)
        case .failure(let error): #expect(error is FrameStreamingError)
        }
    }
}
