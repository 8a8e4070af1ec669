public import FrameStreamingCore

/// The pictures of another source, upright or turned.
///
/// ```swift
/// var source = TurnedSource(try V4L2Camera(path: "/dev/video0"), turn: .rotate90)
/// ```
///
/// JPEGs are turned without loss where their size allows it (``JPEGCodec/turned(_:_:quality:)``).
/// One that cannot be decoded either is left out and reported as `SourceEvent/damaged`. A source with
/// nothing but such pictures ends with the error of the first.
public struct TurnedSource: FrameSource {
    private var source: any FrameSource
    private let turn: PictureTurn
    private let codec: JPEGCodec
    private let quality: Int
    private var damage = DamageReport()
    /// The pictures of the other source so far.
    private var count = 0
    /// An error of the other source, which comes after the report of damage before it.
    private var failure: FrameStreamingError?

    /// Creates a source of the pictures of `source`.
    ///
    /// - Parameters:
    ///   - source: The other source.
    ///   - turn: How a picture is turned, after its EXIF orientation was honoured; `none` only does
    ///     that.
    ///   - codec: Turns the pictures.
    ///   - quality: For JPEGs that must be encoded again, 1...100.
    public init(
        _ source: any FrameSource, turn: PictureTurn = .none, codec: JPEGCodec = JPEGCodec(), quality: Int = 90
    ) {
        self.source = source
        self.turn = turn
        self.codec = codec
        self.quality = quality
    }

    /// Whether the other source is.
    public var isLive: Bool { source.isLive }

    /// The goodbye of the other source.
    public var goodbye: Goodbye? { source.goodbye }

    /// The next event of the other source, its picture turned.
    public mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        while true {
            if let report = damage.take(at: .now) { return report }
            if let failure { throw failure }
            let event: SourceEvent?
            do throws(FrameStreamingError) {
                event = try source.next(until: deadline)
            } catch {
                guard error.code != .timedOut, let report = damage.take(at: .now, isLast: true) else { throw error }
                failure = error
                return report
            }
            guard case .frame(let frame)? = event else {
                guard event == nil else { return event }
                if let report = damage.take(at: .now, isLast: true) { return report }
                if count == damage.total, let first = damage.first { throw first }
                return nil
            }
            do throws(FrameStreamingError) {
                let turned = try codec.turned(frame, turn, quality: quality)
                count &+= 1
                return .frame(turned)
            } catch {
                // Settings of the user, and pixels without a name, are the same for every frame.
                guard frame.format.pixelFormat == .jpeg, error.code != .invalidArgument else { throw error }
                damage.note(
                    FrameStreamingError(error.code, "picture \(count): \(error.message)", subject: error.subject))
                count &+= 1
            }
            // A source that need not be waited for must not keep the caller beyond its deadline.
            if deadline.hasPassed { throw .timedOut("a picture that can be turned") }
        }
    }
}
