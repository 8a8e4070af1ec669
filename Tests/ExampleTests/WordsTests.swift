import ExampleSupport
import FrameStreamingCore
import Testing

@Suite struct WordsTests {
    @Test func whereThereIsNoTimeThereIsNoRate() {
        var received = ReceiverStatistics()
        received.bytes = 14_983
        #expect(describe(received, seconds: 0) == "14983 bytes")
        #expect(describe(received, seconds: 2) == "0.0 fps, 7.5 kB/s")
        // A picture that could not be recorded is no broken JPEG.
        received.decodeFailures = 1
        #expect(describe(received, seconds: 0) == "14983 bytes, 1 undecodable or refused")
        var sent = SenderStatistics()
        sent.bytes = 14_983
        #expect(describe(sent, seconds: 0) == "14983 bytes, 0 dropped")
        #expect(describe(sent, seconds: 2) == "0.0 fps, 7.5 kB/s, 0 dropped")
    }

    @Test func onlyAPauseIsReportedAsOne() {
        #expect(statusLine(figures(paused: 0)).isEmpty)
        #expect(statusLine(figures(paused: 1)) == "paused by a receiver")
        #expect(statusLine(figures(paused: 3)) == "paused by 3 receivers")
    }
}
