internal import CFFmpeg
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// An encoder of FFmpeg's for one stream. It is opened with the first picture, and again when the size
/// or something else changes that an open encoder cannot change.
final class VideoEncodingSession: EncodingSession {
    private let codec: VideoCodec
    private let state: Monitor<State>

    private struct State {
        var encoder: VideoEncoder?
        /// How large frames are, for libvpx.
        var budget: FrameBudget?
        var converter: FrameConverter?
        let pool: FramePool
        /// Converted pictures, which the encoder may hold for one more.
        let converted = FramePool(capacity: 3)
    }

    init(_ codec: VideoCodec, _ pool: FramePool) {
        self.codec = codec
        state = Monitor(State(pool: pool))
    }

    func encode(
        _ frame: Frame, _ settings: EncodeSettings, standsAlone: Bool
    ) throws(FrameStreamingError) -> Frame {
        try settings.check()
        return try state.withLock { state throws(FrameStreamingError) in
            try encode(frame, settings, standsAlone, &state)
        }
    }

    private func encode(
        _ frame: Frame, _ settings: EncodeSettings, _ standsAlone: Bool, _ state: inout State
    ) throws(FrameStreamingError) -> Frame {
        guard frame.format.planeCount > 0 else {
            throw FrameStreamingError(
                .unsupported, "\(frame.format.pixelFormat) is not encoded to \(codec.format.name): give raw pictures")
        }
        let upright = try frame.turned(.none, from: state.converted)
        let converter: FrameConverter
        if let known = state.converter { converter = known } else { converter = try FrameConverter(state.converted) }
        state.converter = converter
        let isNative = codec.format == .h264 && upright.format.pixelFormat == .nv12
        let picture = try converter.convert(
            upright, to: isNative ? .nv12 : .i420, width: settings.scale.scaled(upright.format.width),
            height: settings.scale.scaled(upright.format.height))
        let whole = try EvenPicture.of(picture, for: codec.format, from: state.converted)
        let shape = VideoEncoder.Shape(whole.format)
        let begins = standsAlone || state.encoder?.shape != shape
        if state.encoder?.shape != shape { state.budget = nil }
        let tuning = tuning(settings, standsAlone: begins, shape, &state)
        if state.encoder?.shape != shape || state.encoder?.canTake(tuning, standsAlone: standsAlone) == false {
            state.encoder = nil
            state.encoder = try VideoEncoder(codec, shape, tuning)
        }
        guard let encoder = state.encoder else { throw FrameStreamingError(.system, "there is no encoder") }
        let format = try FrameFormat(
            width: picture.format.width, height: picture.format.height, pixelFormat: codec.format.pixelFormat,
            colorRange: picture.format.colorRange, colorMatrix: picture.format.colorMatrix)
        var result = try encoder.encode(
            whole, tuning, standsAlone: standsAlone, as: format, into: state.pool)
        let dependsOnPrevious = result.dependsOnPrevious
        state.budget?.learn(
            bytes: result.byteCount, quantizer: tuning.quantizer, standsAlone: !dependsOnPrevious)
        result.takeDescription(of: upright)
        result.quality = settings.quality
        result.dependsOnPrevious = dependsOnPrevious
        return result
    }

    /// What the encoder is to do with the next picture.
    private func tuning(
        _ settings: EncodeSettings, standsAlone: Bool, _ shape: VideoEncoder.Shape, _ state: inout State
    ) -> EncoderTuning.Settings {
        let best = EncoderTuning.quantizer(settings.quality, codec.format)
        var quantizer = best
        if let bytes = settings.byteTarget {
            let budget = state.budget ?? FrameBudget(codec.format, width: shape.width, height: shape.height)
            state.budget = budget
            quantizer = budget.quantizer(bytes: bytes, standsAlone: standsAlone, best: best)
        }
        return EncoderTuning.Settings(
            quality: settings.quality, byteTarget: settings.byteTarget, quantizer: quantizer)
    }
}
