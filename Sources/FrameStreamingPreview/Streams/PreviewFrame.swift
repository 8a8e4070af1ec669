internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A frame of a stream, as it arrived, shared by all its viewers. A frame that is not JPEG is
/// encoded once, when a viewer first asks.
final class PreviewFrame: Sendable {
    /// Numbers the stream's frames from 1.
    let number: Int
    let frame: Frame
    /// The capture time on this machine's CLOCK_MONOTONIC; nil = unknown.
    let captured: MonotonicTime?
    let arrived: MonotonicTime
    private let encoded = Monitor<Result<Frame, FrameStreamingError>?>(nil)
    private let hasFailed = Monitor(false)

    init(number: Int, frame: Frame, captured: MonotonicTime?, arrived: MonotonicTime) {
        self.number = number
        self.frame = frame
        self.captured = captured
        self.arrived = arrived
    }

    /// Returns the frame as JPEG, unchanged if it already is one.
    func jpeg(_ codec: any FrameCodec, quality: Int) throws(FrameStreamingError) -> Frame {
        if frame.format.pixelFormat == .jpeg { return frame }
        // Under the lock, so that simultaneous callers wait for one encoding.
        return try encoded.withLock { encoded in
            if let encoded { return encoded }
            let result: Result<Frame, FrameStreamingError>
            do throws(FrameStreamingError) {
                result = .success(try codec.encode(frame, EncodeSettings(quality: quality)))
            } catch {
                result = .failure(error)
            }
            encoded = result
            return result
        }.get()
    }

    /// True the first time, so that a failure to encode is counted once.
    var isFirstFailure: Bool {
        hasFailed.withLock { hasFailed in
            defer { hasFailed = true }
            return !hasFailed
        }
    }

    /// Returns the age in milliseconds.
    func age(at now: MonotonicTime) -> Double? {
        captured.map { Double(now.nanoseconds &- $0.nanoseconds) / 1e6 }
    }

    /// Whether a capture time is plausible: at most a day before the frame's arrival, and at most a
    /// minute after it. The sender reports it, and may have any clock.
    static func isBelievable(_ captured: MonotonicTime, at arrival: MonotonicTime) -> Bool {
        let (delay, overflow) = arrival.nanoseconds.subtractingReportingOverflow(captured.nanoseconds)
        return !overflow && (-60_000_000_000...86_400_000_000_000).contains(delay)
    }

    /// The capture time, or the arrival time where that is unknown, as seconds since the Unix epoch
    /// with six places.
    var timestamp: String {
        Self.seconds((captured ?? arrived).nanoseconds &+ realtimeOffset())
    }

    /// Formats nanoseconds as seconds with six places, with either sign.
    static func seconds(_ nanoseconds: Int64) -> String {
        let micros = (nanoseconds / 1000).magnitude
        let fraction = String(micros % 1_000_000)
        let zeros = String(repeating: "0", count: 6 - fraction.count)
        return "\(nanoseconds < 0 && micros > 0 ? "-" : "")\(micros / 1_000_000).\(zeros)\(fraction)"
    }
}
