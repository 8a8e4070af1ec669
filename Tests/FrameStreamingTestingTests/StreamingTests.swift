import FrameStreamingTesting
import Testing

@Suite struct StreamingTests {
    /// Frames for ever, or a fixed number, followed by an error if one is given.
    private struct Counting: FrameSource {
        var isLive = false
        var pictures: UInt64 = .max
        var failure: FrameStreamingError?
        var number: UInt64 = 0

        mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
            if number == pictures {
                if let failure { throw failure }
                return nil
            }
            defer { number += 1 }
            let value = UInt8(truncatingIfNeeded: number)
            return .frame(
                try .filled(
                    FrameFormat(width: 17, height: 13, pixelFormat: .gray8, colorRange: .full), sequence: number
                ) { _ in value })
        }
    }

    /// Refuses every third frame.
    private struct Choosy: FrameCodec {
        let code: FrameStreamingError.Code

        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame { frame }
        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
            if frame.sequence % 3 == 2 { throw FrameStreamingError(code, "every third") }
            return frame
        }
    }

    /// Refuses every frame.
    private struct Refusing: FrameCodec {
        func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
            throw FrameStreamingError(.unsupported, "none")
        }
        func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame { frame }
    }

    @Test func everyPictureArrives() throws {
        var source = Counting(pictures: 40)
        let received = try stream(&source)
        #expect(received.map(\.frame.sequence) == Array(0..<40))
        #expect(received.map(\.info.sequence) == Array(1...40))
        for frame in received.map(\.frame) {
            let bytes = unsafe frame.withUnsafeBytes { unsafe Array($0) }
            #expect(bytes == [UInt8](repeating: UInt8(frame.sequence), count: 17 * 13))
        }
    }

    @Test(arguments: [1, 3, 50]) func aSourceWithoutEndIsStopped(limit: Int) throws {
        var source = Counting(isLive: true)
        let received = try stream(&source, codec: IdentityCodec(), creditAhead: 2, limit: limit)
        #expect(received.map(\.frame.sequence) == Array(0..<UInt64(limit)))
    }

    @Test func anEmptySource() throws {
        var source = Counting(pictures: 0)
        #expect(try stream(&source).isEmpty)
    }

    @Test func whatTheSourceThrows() throws {
        var source = Counting(pictures: 5, failure: FrameStreamingError(.sourceLost, "unplugged"))
        #expect(throws: FrameStreamingError(.sourceLost, "unplugged")) { try stream(&source) }
    }

    @Test(arguments: [FrameStreamingError.Code.corruptImage, .invalidArgument]) func whatTheDecoderThrows(
        code: FrameStreamingError.Code
    ) throws {
        var source = Counting(pictures: 9)
        #expect(throws: FrameStreamingError(code, "every third")) { try stream(&source, codec: Choosy(code: code)) }
    }

    @Test func whatTheEncoderThrows() throws {
        // Only uncompressed frames are encoded, and a codec that refuses all of them ends the
        // stream.
        var source = Counting(pictures: 9)
        let error = #expect(throws: FrameStreamingError.self) { try stream(&source, codec: Refusing()) }
        #expect(error?.code == .unsupported)
    }
}
