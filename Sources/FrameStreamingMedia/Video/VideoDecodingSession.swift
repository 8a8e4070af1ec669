internal import CFFmpeg
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A decoder of FFmpeg's for one stream, opened with the first frame and again for another format.
final class VideoDecodingSession: DecodingSession {
    private struct State {
        var decoder: VideoDecoder?
        var converter: FrameConverter?
    }

    private let maximumPixels: Int
    private let pool: FramePool
    private let state = Monitor(State())

    init(maximumPixels: Int, _ pool: FramePool) {
        self.maximumPixels = maximumPixels
        self.pool = pool
    }

    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        try state.withLock { state throws(FrameStreamingError) in try decode(frame, settings, &state) }
    }

    private func decode(
        _ frame: Frame, _ settings: DecodeSettings, _ state: inout State
    ) throws(FrameStreamingError) -> Frame {
        guard let format = VideoFormat(frame.format.pixelFormat) else {
            throw FrameStreamingError(.unsupported, "\(frame.format.pixelFormat) is no video that is decoded here")
        }
        let (width, height) = (frame.format.width, frame.format.height)
        guard width <= maximumPixels / height else {
            throw FrameStreamingError(
                .limitExceeded, "a picture of \(width)x\(height) is over the limit of \(maximumPixels) pixels",
                limit: .pixels)
        }
        if state.decoder?.format != format { state.decoder = try VideoDecoder(format, maximumPixels: maximumPixels) }
        guard let decoder = state.decoder else { throw FrameStreamingError(.system, "there is no decoder") }
        var picture = try decoder.decode(frame)
        picture.takeDescription(of: frame)
        picture.quality = nil
        picture.dependsOnPrevious = false
        let converter: FrameConverter
        if let known = state.converter { converter = known } else { converter = try FrameConverter(pool) }
        state.converter = converter
        return try converter.convert(
            picture, to: settings.pixelFormat, width: settings.scale.scaled(width),
            height: settings.scale.scaled(height))
    }
}
