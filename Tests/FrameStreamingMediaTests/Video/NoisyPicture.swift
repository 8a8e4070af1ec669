import FrameStreamingCore
import FrameStreamingTesting

/// Pictures with detail that moves, and noise, which no encoder gets small for nothing.
enum NoisyPicture {
    /// 24 pictures of 640x360, forwards and backwards.
    static func i420(_ number: Int) throws -> Frame {
        let place = number % 46
        return try all.get()[place < 24 ? place : 46 - place]
    }

    private static let all = Result { try (0..<24).map { try make($0, width: 640, height: 360) } }

    private static func make(_ number: Int, width: Int, height: Int) throws -> Frame {
        let format = try FrameFormat(width: width, height: height, pixelFormat: .i420, colorMatrix: .bt601)
        let luma = format.plane(0)
        var state = UInt32(truncatingIfNeeded: number &* 7919 &+ 1)
        return try .filled(format, sequence: UInt64(number)) { index in
            guard index < luma.byteCount else { return 128 }
            state = state &* 1_664_525 &+ 1_013_904_223
            let (x, y) = (index % luma.stride + 3 * number, index / luma.stride + number)
            let edge = (x / 16 + y / 12) % 2 == 0 ? 60 : 0
            return UInt8(clamping: 50 + edge + (x * 5 ^ y * 3) % 64 + Int(state >> 28))
        }
    }
}
