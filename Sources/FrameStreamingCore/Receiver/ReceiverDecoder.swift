internal import FrameStreamingSystem

/// Decodes the frames of one connection, in order, for its consumer.
///
/// A frame that depends on one that did not decode is refused, because its picture would be wrong. The
/// sender learns that from the acknowledgement, and encodes the next frame so that it stands alone.
final class ReceiverDecoder: Sendable {
    private struct State {
        /// Nil before the first frame, and after an error.
        var session: (any DecodingSession)?
        /// Whether the frame before decoded, so that another may depend on it.
        var hasReference = false
    }

    let codec: any FrameCodec
    private let settings: DecodeSettings
    /// Nil for a codec whose frames stand alone: it needs no lock. Only one thread decodes at a time,
    /// so the lock is never waited for.
    private let state: Monitor<State>?

    init(_ codec: any FrameCodec, _ settings: DecodeSettings) {
        self.codec = codec
        self.settings = settings
        state = codec.hasMemory ? Monitor(State()) : nil
    }

    /// - Throws: As the codec; `corruptImage` for a frame whose reference did not decode.
    func decode(_ frame: Frame) throws(FrameStreamingError) -> Frame {
        guard let state else { return try codec.decode(frame, settings) }
        return try state.withLock { state throws(FrameStreamingError) in
            do throws(FrameStreamingError) {
                return try Self.decode(frame, settings, with: codec, &state)
            } catch {
                state = State()
                throw error
            }
        }
    }

    /// Decodes a frame that the consumer does not want, if the next one may depend on it. Returns why
    /// that was impossible.
    func skip(_ frame: Frame) -> FrameStreamingError? {
        guard state != nil else { return nil }
        do throws(FrameStreamingError) {
            _ = try decode(frame)
            return nil
        } catch {
            return error
        }
    }

    private static func decode(
        _ frame: Frame, _ settings: DecodeSettings, with codec: any FrameCodec, _ state: inout State
    ) throws(FrameStreamingError) -> Frame {
        guard state.hasReference || !frame.dependsOnPrevious else {
            throw FrameStreamingError(
                .corruptImage, "it depends on a frame that was not decoded: the sender must send a key frame")
        }
        let session: any DecodingSession
        if let known = state.session { session = known } else { session = try codec.makeDecodingSession() }
        var picture = try session.decode(frame, settings)
        state = State(session: session, hasReference: true)
        if picture.dependsOnPrevious { picture.dependsOnPrevious = false }
        return picture
    }
}

extension FrameStreamingError {
    /// What is acknowledged of a frame that a codec did not decode with this error.
    var outcomeOfDecoding: Acknowledgement.Outcome { code == .corruptImage ? .undecodable : .refused }
}
