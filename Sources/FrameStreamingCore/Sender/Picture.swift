internal import FrameStreamingSystem

/// A picture on its way to any number of connections: encoded once for all of them, by the first that has credit.
final class Picture: Sendable {
    let frame: Frame
    /// When the source gave it.
    let offered: MonotonicTime
    private let encoded = Monitor<Encoded?>(nil)

    /// What encoding came to.
    struct Encoded: Sendable {
        var result: Result<Frame, FrameStreamingError>
        var settings: EncodeSettings
        /// Nanoseconds in the codec; 0 for a picture that was compressed already.
        var time: Int64
    }

    init(_ frame: Frame, offered: MonotonicTime) {
        self.frame = frame
        self.offered = offered
    }

    /// The compressed picture. The lock is held while the codec works: others who want the same picture wait for it
    /// and not beside it.
    func encoded(by codec: some FrameCodec, _ settings: EncodeSettings) -> Encoded {
        if frame.format.pixelFormat.isCompressed {
            return Encoded(result: .success(frame), settings: settings, time: 0)
        }
        return encoded.withLock { known in
            if let known, known.settings == settings { return known }
            let start = MonotonicTime.now
            let result: Result<Frame, FrameStreamingError>
            do throws(FrameStreamingError) {
                result = .success(try codec.encode(frame, settings))
            } catch {
                result = .failure(error)
            }
            let fresh = Encoded(
                result: result, settings: settings, time: MonotonicTime.now.nanoseconds - start.nanoseconds)
            known = fresh
            return fresh
        }
    }
}
