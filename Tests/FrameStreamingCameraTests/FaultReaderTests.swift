import FrameStreamingSystem
import Testing

@testable import FrameStreamingCamera
@testable import FrameStreamingCore

/// The events for dropped and damaged frames.
@Suite struct FaultReaderTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    @Test func theFirstFaultIsReportedAtOnceAndLaterOnesTogether() {
        var reader = FaultReader()
        var statistics = CameraStatistics()
        #expect(reader.read(statistics, path: "/dev/video0", now: at(0)).isEmpty)
        statistics.driverDrops = 1
        let first = reader.read(statistics, path: "/dev/video0", now: at(10))
        #expect(first.map(\.kind) == [.dropped])
        #expect(first.first?.message == "/dev/video0: the driver dropped 1 picture")
        statistics.driverDrops = 4
        statistics.truncatedFrames = 2
        statistics.errorBuffers = 1
        #expect(reader.read(statistics, path: "/dev/video0", now: at(1009)).isEmpty)
        let rest = reader.read(statistics, path: "/dev/video0", now: at(1010))
        #expect(rest.map(\.kind) == [.dropped, .damaged])
        #expect(rest.map(\.frameCount) == [3, 3])
        #expect(rest.last?.message == "/dev/video0: damaged pictures: 2 truncated, 1 suspect to the driver")
        #expect(reader.read(statistics, path: "/dev/video0", now: at(9000)).isEmpty)
    }

    @Test func aCameraReportsItsFaults() throws {
        let video = FakeVideo()
        let seen = Monitor<[CameraEvent]>([])
        let camera = try video.camera { $0.onEvent = { event in seen.withLock { $0.append(event) } } }
        #expect(seen.withLock { $0.map(\.kind) } == [.opened])
        #expect(seen.withLock { $0.first?.granted } == camera.granted)
        video.deliver(.frame(yuyv(1), sequence: 0))
        _ = try camera.frame()
        video.deliver(.frame(yuyv(2), sequence: 5), .frame(yuyv(3), sequence: 6, flags: 0x2040))
        #expect(try camera.frame()?.firstByte == 2)
        #expect(seen.withLock { $0.dropFirst().map(\.kind) } == [.dropped, .damaged])
        #expect(seen.withLock { $0.dropFirst().map(\.frameCount) } == [4, 1])
        video.node { $0.isGone = true }
        _ = try camera.event()
        _ = try camera.event(300)
        video.node { $0.isGone = false }
        video.deliver(.frame(yuyv(4)))
        while try camera.frame(1000) == nil {}
        let rest = seen.withLock { Array($0.dropFirst(3)) }
        #expect(rest.map(\.kind) == [.lost, .stillLost, .opened, .restored])
        #expect(rest.prefix(2).map(\.retryAfter) == [.milliseconds(250), .milliseconds(500)])
        #expect(rest.prefix(2).allSatisfy { $0.error != nil })
        #expect(rest.suffix(2).allSatisfy { $0.granted == camera.granted })
    }
}
