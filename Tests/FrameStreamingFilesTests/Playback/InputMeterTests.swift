import FrameStreamingCore
import FrameStreamingSystem
import Testing

@testable import FrameStreamingFiles

@Suite struct InputMeterTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    /// Frames that each come so many milliseconds after they were asked for, to a consumer that
    /// then does something else.
    private func meter(_ count: Int64, every: Int64, elsewhere: Int64 = 0) -> RateMeter {
        var meter = RateMeter()
        var time: Int64 = 0
        for _ in 0..<count {
            meter.begins(at: at(time))
            time += every
            meter.returns(withFrame: true, at: at(time))
            time += elsewhere
        }
        return meter
    }

    @Test func `a rate is that of the input, whatever the consumer does`() throws {
        let sixty = try #require(FrameRate(60))
        #expect(try #require(meter(101, every: 10).framesPerSecond) == 100)
        #expect(meter(101, every: 20).isSlower(than: sixty))
        #expect(!meter(101, every: 10, elsewhere: 100).isSlower(than: sixty))
        #expect(!meter(101, every: 17).isSlower(than: sixty))
    }

    @Test func `less than a second, or than two frames, is not judged`() {
        #expect(!meter(3, every: 400).isSlower(than: .thirty))
        #expect(meter(4, every: 400).isSlower(than: .thirty))
        for count in [0, 1] as [Int64] {
            #expect(meter(count, every: 5_000).framesPerSecond == nil)
            #expect(!meter(count, every: 5_000).isSlower(than: .thirty))
        }
        #expect(meter(5, every: 0).framesPerSecond == nil)
    }

    @Test func `a call without a frame does not count as one`() {
        var meter = RateMeter()
        for time in stride(from: 0, to: 2_000, by: 50) as StrideTo<Int64> {
            meter.begins(at: at(time))
            meter.returns(withFrame: time % 500 == 0, at: at(time + 50))
        }
        #expect(meter.framesPerSecond == 2)
    }

    @Test func `a file that comes more slowly than its header says is slow, at any speed it is not`() throws {
        let directory = try TemporaryDirectory()
        let header = Array("YUV4MPEG2 W5 H3 F50:1\n".utf8)
        let bytes = header + (0..<40).flatMap { Array("FRAME\n".utf8) + noise(27, seed: $0) }
        for (pace, isSlow) in [(nil, true), (Pacing.maximum, false)] as [(Pacing?, Bool)] {
            // A clock that each look moves by 20 ms makes the file slow.
            var options = PlaybackOptions(pace: pace)
            options.clock = TickingClock(.milliseconds(20))
            var source = try FileSource(path: directory.file("a.y4m", bytes), options: options)
            #expect(drain(&source).frames.count == 40)
            let statistics = source.meter.statistics
            #expect(statistics.frames == 40 && statistics.dropped == 0 && statistics.damaged == 0)
            #expect(statistics.statedRate == (pace == nil ? FrameRate(50) : nil))
            #expect(statistics.isSlow == isSlow, "\(statistics)")
        }
    }

    @Test func `JPEGs in a pipe state no rate`() throws {
        let pipe = try Pipe()
        try pipe.write(fakeJPEG(tag: 1) + fakeJPEG(tag: 2))
        pipe.close()
        var source = try FileSource(pipe.output, name: "pipe")
        #expect(drain(&source).frames.count == 2)
        #expect(source.meter.statistics.frames == 2 && source.meter.statistics.statedRate == nil)
    }
}

/// A clock that each look at it moves.
final class TickingClock: FrameClock {
    private let time: Monitor<MonotonicTime>
    private let step: Duration

    init(_ step: Duration) {
        self.step = step
        time = Monitor(MonotonicTime(nanoseconds: 1_000_000_000))
    }

    var now: MonotonicTime {
        time.withLock { time in
            time = time.advanced(by: step)
            return time
        }
    }
    func sleep(until target: MonotonicTime) { time.update { $0 = max($0, target) } }
}
