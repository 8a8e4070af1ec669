import FrameStreamingCore
import FrameStreamingFiles
import Testing

@Suite struct TestPatternSourceTests {
    @Test func `a live source drops late frames, which its numbers show`() throws {
        let clock = ScriptClock()
        var source = try TestPatternSource(width: 160, height: 120, rate: #require(FrameRate(10)), clock: clock)
        #expect(source.isLive)
        let start = clock.now
        var numbers: [UInt64] = []
        for late in [0, 0, 250, 0, 1000, 0] {
            clock.advance(by: .milliseconds(late))
            guard case .frame(let frame) = try source.next(until: .never) else { break }
            numbers.append(frame.sequence)
            #expect(TestPattern.frameNumber(in: frame) == frame.sequence)
            #expect(
                frame.captureTime?.nanoseconds == start.nanoseconds + Int64(frame.sequence) * 100_000_000)
        }
        #expect(numbers == [0, 1, 3, 4, 14, 15])
    }

    @Test func `waits no longer than the deadline`() throws {
        let clock = ScriptClock()
        var source = try TestPatternSource(width: 2, height: 2, rate: #require(FrameRate(1)), clock: clock)
        _ = try source.next(until: .never)
        let end = clock.now.advanced(by: .milliseconds(300))
        let error = try failure { _ = try source.next(until: .at(end)) }
        #expect(error.code == .timedOut)
        #expect(clock.now == end)
        guard case .frame(let frame) = try source.next(until: .never) else { return #expect(Bool(false)) }
        #expect(frame.sequence == 1)
    }

    @Test func `a source that is not live draws every frame, however late`() throws {
        let clock = ScriptClock()
        var source = try TestPatternSource(
            width: 2, height: 2, rate: #require(FrameRate(10)), live: false, frameCount: 4, clock: clock)
        #expect(!source.isLive)
        clock.advance(by: .seconds(1))
        let start = clock.now
        let (frames, error) = drain(&source, deadline: .never)
        #expect(error == nil)
        #expect(frames.map(\.sequence) == [0, 1, 2, 3])
        #expect(clock.now.since(start) == .milliseconds(300))
    }

    @Test func `as fast as possible needs no time, and ends at the frame count`() throws {
        let clock = ScriptClock()
        let start = clock.now
        var source = try TestPatternSource(width: 17, height: 13, pace: .maximum, frameCount: 100, clock: clock)
        #expect(!source.isLive)
        #expect(drain(&source).frames.count == 100)
        #expect(clock.now == start)
        #expect(try source.next(until: .now) == nil)
    }

    @Test func `a live source that is late beyond its end ends`() throws {
        let clock = ScriptClock()
        var source = try TestPatternSource(width: 2, height: 2, frameCount: 10, clock: clock)
        _ = try source.next(until: .never)
        clock.advance(by: .seconds(1))
        #expect(try source.next(until: .never) == nil)
    }

    @Test func `its format is the requested one`() throws {
        let plain = try TestPatternSource()
        #expect(plain.format.colorRange == .limited)
        #expect(plain.format.pixelFormat == .i420)
        #expect(plain.frameRate == .thirty)
        #expect(try TestPatternSource(pixelFormat: .rgb24, colorRange: .limited).format.colorRange == .full)
        #expect(try TestPatternSource(pixelFormat: .yuyv, colorRange: .full).format.colorRange == .full)
        #expect(try failure { _ = try TestPatternSource(width: 0) }.code == .invalidArgument)
        #expect(try failure { _ = try TestPatternSource(pixelFormat: .jpeg) }.code == .unsupported)
    }
}
