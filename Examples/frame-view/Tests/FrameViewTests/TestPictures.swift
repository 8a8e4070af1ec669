import FrameStreaming
import FrameStreamingTesting

/// Pictures of the test pattern.
enum TestPictures {
    static func raw(width: Int, height: Int, _ pixelFormat: PixelFormat = .i420) throws -> Frame {
        var source = try TestPatternSource(width: width, height: height, pixelFormat: pixelFormat, pace: .maximum)
        while let event = try source.next(until: .never) {
            if case .frame(let frame) = event { return frame }
        }
        throw FrameStreamingError(.truncatedInput, "the pattern has no picture")
    }

    static func jpeg(
        width: Int, height: Int, _ sampling: ChromaSubsampling = .yuv420, quality: Int = 95
    ) throws -> Frame {
        try JPEGCodec().encode(
            raw(width: width, height: height, .i444), EncodeSettings(quality: quality, subsampling: sampling))
    }

    /// What a receiver gets of a JPEG.
    static func received(_ jpeg: Frame) throws -> ReceivedFrame {
        var source = ScriptedSource([jpeg])
        guard let received = try stream(&source, codec: JPEGCodec()).first else {
            throw FrameStreamingError(.truncatedInput, "nothing arrived")
        }
        return received
    }

    /// A compressed frame of these bytes.
    static func compressed(_ bytes: [UInt8], width: Int, height: Int) throws -> Frame {
        try Frame.filled(
            FrameFormat(width: width, height: height, pixelFormat: .jpeg), byteCount: bytes.count
        ) { bytes[$0] }
    }

    static func bytes(_ frame: Frame) -> [UInt8] { unsafe frame.withUnsafeBytes { unsafe Array($0) } }
}
