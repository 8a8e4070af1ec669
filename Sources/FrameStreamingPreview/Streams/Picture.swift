internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A picture of a stream, as it came: shared by all who look at it. One that is no JPEG is made one when the first of them asks, once.
final class Picture: Sendable {
    /// Counts the stream's pictures from 1.
    let number: Int
    let frame: Frame
    /// When it was captured, on this machine's CLOCK_MONOTONIC; nil = not known.
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

    /// Its JPEG: the very bytes that came, where they are one.
    func jpeg(_ codec: any FrameCodec, quality: Int) throws(FrameStreamingError) -> Frame {
        if frame.format.pixelFormat == .jpeg { return frame }
        // Under the lock: who asks at the same time waits for the one encoding.
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

    /// Whether nobody was told before that there is no JPEG of it: true once.
    var isFirstFailure: Bool {
        hasFailed.withLock { hasFailed in
            defer { hasFailed = true }
            return !hasFailed
        }
    }

    /// How old it is, in milliseconds.
    func age(at now: MonotonicTime) -> Double? {
        captured.map { Double(now.nanoseconds &- $0.nanoseconds) / 1e6 }
    }

    /// Whether a capture time can be one: a sender says it, and its clock may say anything. At most a day before the picture's
    /// arrival, and at most a minute behind it.
    static func isBelievable(_ captured: MonotonicTime, at arrival: MonotonicTime) -> Bool {
        let (delay, overflow) = arrival.nanoseconds.subtractingReportingOverflow(captured.nanoseconds)
        return !overflow && (-60_000_000_000...86_400_000_000_000).contains(delay)
    }

    /// When it was captured, or when it arrived where that is not known, by the calendar: seconds of the Unix epoch, six places.
    var timestamp: String {
        Self.seconds((captured ?? arrived).nanoseconds &+ realtimeOffset())
    }

    /// Nanoseconds as seconds with six places, whatever their sign.
    static func seconds(_ nanoseconds: Int64) -> String {
        let micros = (nanoseconds / 1000).magnitude
        let fraction = String(micros % 1_000_000)
        let zeros = String(repeating: "0", count: 6 - fraction.count)
        return "\(nanoseconds < 0 && micros > 0 ? "-" : "")\(micros / 1_000_000).\(zeros)\(fraction)"
    }
}
