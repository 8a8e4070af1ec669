import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

@testable import FrameStreamingCore

/// Frames that are encoded once for all receivers.
@Suite(.ownThread(atOnce: 4)) struct SharedEncodingTests {
    /// Its encodings have memory of their own, as those of a real codec.
    private struct CopyingCodec: FrameCodec {
        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame.copy() }
        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame { frame }
    }

    private static func frame(in pool: FramePool) throws -> Frame {
        try pool.buffer(byteCount: 16).makeFrame(format: FrameFormat(width: 4, height: 4, pixelFormat: .gray8))
    }

    /// A camera has few buffers. One that is held until the receiver acknowledges the frame is
    /// missing in the driver for a round trip.
    @Test func theRawFrameIsReleasedWhenItIsEncoded() throws {
        let camera = FramePool(capacity: 8)
        let link = MemoryTransport.pair(creditAhead: 4)
        let sender = try FrameSender(
            codec: CopyingCodec(), transport: link.sender,
            options: SenderOptions(policy: .reliable, window: .fixed(4)))
        for _ in 0..<3 {
            let outcome = try sender.trySend(try Self.frame(in: camera))
            #expect(outcome == .sent)
            // The receiver reads and acknowledges nothing.
            try waitUntil("the camera to have its buffer back") { camera.statistics.leased == 0 }
        }
        #expect(sender.summary.total.acknowledged == 0)
        sender.cancel()
    }

    @Test func aFrameThatComesEncodedIsKeptAsItIs() throws {
        let pool = FramePool(capacity: 1)
        let frame = try Self.frame(in: pool)
        let encoding = SharedEncoding(frame, isEncoded: true, offered: .now)
        #expect(encoding.comesEncoded && encoding.compressed?.sharesBytes(with: frame) == true)
        guard case .ready = encoding.request({}) else { Issue.record("there is nothing to encode"); return }
        #expect(encoding.encode(with: CopyingCodec(), EncodeSettings()).isEmpty)
        #expect(encoding.compressed?.sharesBytes(with: frame) == true)
    }

    @Test func aFrameThatWasGivenUpHoldsNothingAndIsNotEncoded() throws {
        let pool = FramePool(capacity: 1)
        let encoding = SharedEncoding(try Self.frame(in: pool), isEncoded: false, offered: .now)
        let told = Monitor(0)
        guard case .encode = encoding.request({ told.update { $0 += 1 } }) else {
            Issue.record("nobody encodes it")
            return
        }
        #expect(pool.statistics.leased == 1 && encoding.encoding == nil)
        encoding.giveUp()
        #expect(pool.statistics.leased == 0 && told.withLock { $0 } == 1)
        #expect(encoding.encode(with: CopyingCodec(), EncodeSettings()).isEmpty)
        #expect(encoding.compressed == nil && told.withLock { $0 } == 1)
    }
}
