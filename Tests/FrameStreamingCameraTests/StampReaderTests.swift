import Testing

@testable import FrameStreamingCamera
@testable import FrameStreamingCore

@Suite struct StampReaderTests {
    static let now: Int64 = 50_000_000_000

    @Test(
        arguments: [
            // V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC 0x2000, _COPY 0x4000, _UNKNOWN 0;
            // V4L2_BUF_FLAG_TSTAMP_SRC_SOE 0x10000.
            (0x2000, now - 1000, now - 1000, false, CaptureTime.Edge.endOfFrame),
            (0x12000, now - 1000, now - 1000, false, .startOfExposure),
            // In the future, as vivid does; zero; older than any driver keeps an image.
            (0x2000, now + 33_000_000, now, true, .unspecified), (0x2000, 0, now, true, .unspecified),
            (0x2000, now - 10_000_000_000, now, true, .unspecified),
            (0, now - 1000, now - 1000, false, .unspecified), (0x4000, now - 1000, now - 1000, false, .unspecified),
            (0, now + 1, now, true, .unspecified), (0, 1_700_000_000_000_000_000, now, true, .unspecified),
            (0, 5, now, true, .unspecified), (0, -5, now, true, .unspecified), (0x2000, .min, now, true, .unspecified),
        ] as [(UInt32, Int64, Int64, Bool, CaptureTime.Edge)])
    func impossibleTimestampsAreReplaced(
        _ flags: UInt32, _ stamp: Int64, _ expected: Int64, _ isReplaced: Bool, _ edge: CaptureTime.Edge
    ) {
        var reader = StampReader()
        let (time, replaced) = reader.captureTime(
            stamp: stamp, flags: flags, now: MonotonicTime(nanoseconds: Self.now))
        #expect(time == CaptureTime(nanoseconds: expected, clock: .monotonic, edge: edge))
        #expect(replaced == isReplaced)
    }

    @Test func timestampsOfAnUnknownClockMustNotGoBack() {
        var reader = StampReader()
        func read(_ stamp: Int64, _ flags: UInt32) -> Bool {
            reader.captureTime(stamp: stamp, flags: flags, now: MonotonicTime(nanoseconds: Self.now)).isReplaced
        }
        #expect(!read(Self.now - 1000, 0))
        #expect(read(Self.now - 2000, 0))
        #expect(!read(Self.now - 2000, 0))
        // Those of CLOCK_MONOTONIC may go back, because the driver orders its buffers.
        #expect(!read(Self.now - 1000, 0x2000))
        #expect(!read(Self.now - 3000, 0x2000))
    }
}
