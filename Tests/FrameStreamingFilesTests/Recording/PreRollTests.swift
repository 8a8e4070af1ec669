import FrameStreamingCore
import FrameStreamingFiles
import Testing

@Suite struct PreRollTests {
    private func time(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: Int64(seconds * 1e9)) }

    private func frame(_ number: Int, key: Bool, bytes: Int = 100) throws -> Frame {
        var frame = try makeFrame(
            [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: bytes),
            FrameFormat(width: 16, height: 16, pixelFormat: .h264))
        frame.dependsOnPrevious = !key
        frame.sequence = UInt64(number)
        return frame
    }

    @Test func `it holds its seconds, from a frame that stands alone`() throws {
        var preRoll = PreRoll(duration: .seconds(4), maximumByteCount: 1 << 20)
        for number in 0..<300 {
            let asks = preRoll.add(try frame(number, key: number % 30 == 0), at: time(Double(number) / 10))
            // The last key frame is long ago, and the sender is asked once.
            #expect(asks == (number % 30 == 20))
        }
        #expect(preRoll.byteCount == 100 * preRoll.frameCount)
        let frames = preRoll.takeAll()
        // 26.9 s is the last; 22.9 s is needed, and the key frame before is at 21 s.
        #expect(frames.map(\.sequence) == Array(240...299) || frames.map(\.sequence) == Array(210...299))
        #expect(frames.first?.dependsOnPrevious == false)
        #expect(preRoll.takeAll().isEmpty && preRoll.byteCount == 0)
    }

    @Test func `frames without memory are held one by one`() throws {
        var preRoll = PreRoll(duration: .seconds(1), maximumByteCount: 1 << 20)
        for number in 0..<100 {
            let asks = preRoll.add(try frame(number, key: true), at: time(Double(number) / 10))
            #expect(!asks)
        }
        #expect(preRoll.takeAll().map(\.sequence) == Array(89...99))
    }

    @Test func `it never has more than its bytes`() throws {
        var preRoll = PreRoll(duration: .seconds(1_000), maximumByteCount: 2_000)
        for number in 0..<500 {
            _ = preRoll.add(
                try frame(number, key: number % 7 == 0, bytes: 1 + number * 37 % 300), at: time(Double(number) / 10))
            #expect(preRoll.byteCount <= 2_000)
        }
        let frames = preRoll.takeAll()
        #expect(frames.first?.dependsOnPrevious == false && frames.last?.sequence == 499 && frames.count > 3)
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.sequence + 1 == $1.sequence })
        // One that is too large breaks the chain.
        _ = preRoll.add(try frame(0, key: true), at: time(60))
        _ = preRoll.add(try frame(1, key: false, bytes: 3_000), at: time(60))
        _ = preRoll.add(try frame(2, key: false), at: time(60))
        #expect(preRoll.frameCount == 0 && preRoll.byteCount == 0)
    }
}
