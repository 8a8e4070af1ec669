internal import ArgumentParser
package import FrameStreaming

#if Media
    internal import FrameStreamingMedia
#endif

/// How a sending program compresses pictures.
package enum CodecArgument: String, ExpressibleByArgument, CaseIterable, Sendable {
    case jpeg, h264, vp8, vp9

    /// Whether frames depend on those before them.
    package var isVideo: Bool { self != .jpeg }
}

/// The codecs of the programs that `make full` builds, which have FFmpeg's.
package enum VideoArguments {
    #if Media
        /// The codec that compresses to `argument`.
        ///
        /// A camera's JPEGs are decoded first.
        ///
        /// - Parameter encoder: FFmpeg's name of another encoder.
        package static func sending(
            _ argument: CodecArgument, encoder: String?, from jpeg: JPEGCodec
        ) throws(FrameStreamingError) -> any FrameCodec {
            guard let format = VideoFormat(rawValue: argument.rawValue) else { return jpeg }
            return CombinedCodec(encoding: try VideoCodec(format, encoder: encoder), decoding: [jpeg])
        }

        /// Decodes every video; nil = these programs decode none.
        package static func receiving(maximumPixels: Int) throws(FrameStreamingError) -> (any FrameCodec)? {
            try VideoCodec(.h264, maximumPixels: maximumPixels)
        }
    #else
        /// Says which programs compress to anything but JPEG.
        package static func sending(
            _ argument: CodecArgument, encoder: String?, from jpeg: JPEGCodec
        ) throws(FrameStreamingError) -> any FrameCodec {
            guard argument.isVideo else { return jpeg }
            throw FrameStreamingError(
                .unsupported, "this program has no \(argument.rawValue): use the programs that make full builds")
        }

        /// Decodes every video; nil = these programs decode none.
        package static func receiving(maximumPixels: Int) throws(FrameStreamingError) -> (any FrameCodec)? { nil }
    #endif
}
