import FrameStreaming
import Testing

@testable import frame_view

@Suite struct FiguresTests {
    @Test func aSecondOfPictures() throws {
        var statistics = ReceiverStatistics()
        statistics.frames = 30
        statistics.skippedBySender = 2
        statistics.skippedHere = 1
        for _ in 0..<29 { statistics.latency.record(.milliseconds(2)) }
        statistics.latency.record(.milliseconds(10))
        var figures = Figures()
        #expect(figures.lines.isEmpty)
        figures.take(statistics, seconds: 1)
        #expect(figures.lines == ["30.0 fps  delay 2.0 ms (p99 10.0)  3 dropped"])
        statistics.decodeFailures = 1
        figures.take(statistics, seconds: 2)
        #expect(figures.lines == ["15.0 fps  delay 2.0 ms (p99 10.0)  3 dropped  1 undecodable"])
    }

    @Test func aTextClientHasNoClockAndNoCount() {
        var statistics = ReceiverStatistics()
        statistics.frames = 25
        var figures = Figures()
        figures.take(statistics, seconds: 1)
        #expect(figures.lines == ["25.0 fps  delay unknown"])
    }

    @Test func aSecondWithoutPictures() {
        var figures = Figures()
        figures.take(ReceiverStatistics(), seconds: 1)
        #expect(figures.lines == ["0.0 fps"])
    }

    @Test func aPicturesOwnFigures() throws {
        let jpeg = try TestPictures.jpeg(width: 64, height: 48, quality: 71)
        let size = tenths(Double(jpeg.byteCount) / 1000)
        var figures = Figures()
        figures.take(try TestPictures.received(jpeg))
        #expect(figures.lines == ["64x48  quality 71  \(size) kB"])
        var other = jpeg
        other.quality = nil
        figures.take(try TestPictures.received(other))
        #expect(figures.lines == ["64x48  \(size) kB"])
    }

    @Test func tenthsAreRounded() {
        #expect(tenths(0) == "0.0" && tenths(1.25) == "1.3" && tenths(9.96) == "10.0")
        #expect(tenths(-0.01) == "0.0" && tenths(-2.5) == "-2.5" && tenths(.infinity) == "inf")
    }
}
