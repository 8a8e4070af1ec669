import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

@testable import FrameStreamingCore

/// The threads that encode.
@Suite(.ownThread(atOnce: 2)) struct EncoderPoolTests {
    /// Is done with a picture when two are being encoded.
    private final class PairCodec: FrameCodec {
        let begun = Monitor(0)

        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
            begun.update { $0 += 1 }
            let met: Bool? = begun.wait(until: MonotonicTime.now.advanced(by: .seconds(30)).nanoseconds) {
                $0 >= 2 ? true : nil
            }
            if met == nil { throw FrameStreamingError(.corruptImage, "no other encoder came") }
            return frame
        }

        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame { frame }
    }

    /// The second picture comes at every moment of the first one's way to its thread.
    @Test func aSecondPictureNeverWaitsWhileAThreadMayStart() throws {
        let frames = try FrameSenderTests.frames(2)
        for pause in (0..<20).flatMap({ _ in 0..<100 }) {
            let pool = EncoderPool(
                codec: PairCodec(), count: 2, settings: EncodeSettings(), poller: AcknowledgementPoller())
            defer { pool.stop() }
            let pictures = frames.map { SharedEncoding($0, isEncoded: false, offered: .now) }
            let done = Monitor(0)
            for picture in pictures { _ = picture.request { done.update { $0 += 1 } } }
            pool.submit(pictures[0])
            for _ in 0..<pause * 2 { _ = MonotonicTime.now }
            pool.submit(pictures[1])
            let ended: Bool? = done.wait(until: MonotonicTime.now.advanced(by: .seconds(60)).nanoseconds) {
                $0 == 2 ? true : nil
            }
            try #require(ended == true)
            for picture in pictures { try #require(picture.compressed != nil, "encoded alone, pause \(pause)") }
        }
    }
}
